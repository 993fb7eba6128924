SELECT 'SET FOREIGN_KEY_CHECKS = 0'
UNION ALL
SELECT CONCAT('TRUNCATE TABLE `', table_schema, '`.`', table_name, '`')
FROM information_schema.tables
WHERE (table_schema = 'oversell_sim_checkout' OR :everywhere = 1
    AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oversell_sim_keep')) AND table_type = 'BASE TABLE'
UNION ALL
SELECT 'SET FOREIGN_KEY_CHECKS = 1'
