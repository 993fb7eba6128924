SELECT 'SET FOREIGN_KEY_CHECKS = 0'
UNION ALL
SELECT CONCAT('TRUNCATE TABLE `', table_name, '`')
FROM information_schema.tables
WHERE table_schema = 'oversell_sim_checkout' AND table_type = 'BASE TABLE'
UNION ALL
SELECT 'SET FOREIGN_KEY_CHECKS = 1'
