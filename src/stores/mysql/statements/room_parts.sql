-- Tables; their columns with the types whose values can be told apart, and those that are given one value after the
-- other; views; unique keys; what tables refer to; routines; and what runs code that no statement names. What a view
-- reads cannot be asked for everywhere. Code counts where :everywhere is 1, else in this database.
SELECT 'table' AS kind, table_name AS name, NULL AS other
FROM information_schema.tables
WHERE table_type = 'BASE TABLE'
    AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oversell_sim_keep')
UNION ALL
-- Others see at once what is changed in a table without transactions.
SELECT 'at once', table_name, NULL
FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND engine <> 'InnoDB'
    AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oversell_sim_keep')
UNION ALL
SELECT 'view', table_name, NULL
FROM information_schema.views
WHERE table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oversell_sim_keep')
UNION ALL
SELECT 'column', table_name, CONCAT(column_name, ':', CASE
    -- It is computed from others.
    WHEN COALESCE(generation_expression, '') <> '' THEN 'computed'
    WHEN data_type IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint')
        THEN IF(extra LIKE '%auto_increment%', 'serial', 'int')
    WHEN data_type IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext')
        AND (collation_name LIKE '%\_bin'
            OR collation_name REGEXP '^[a-z0-9]+_(general_ci|unicode_ci|unicode_520_ci|swedish_ci)$'
            OR collation_name REGEXP '^(|[a-z0-9]+_)uca1400_(ai|as)_c[is]$'
            OR collation_name REGEXP '^utf8mb4_0900_(ai_ci|as_ci|as_cs)$') THEN 'loose'
    ELSE data_type
END)
FROM information_schema.columns
WHERE table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oversell_sim_keep')
UNION ALL
SELECT 'generated', table_name, column_name
FROM information_schema.columns
WHERE extra LIKE '%auto_increment%'
    AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oversell_sim_keep')
UNION ALL
SELECT DISTINCT 'other key', table_name, NULL
FROM information_schema.statistics
WHERE non_unique = 0 AND (sub_part IS NOT NULL OR column_name IS NULL)
    AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oversell_sim_keep')
UNION ALL
SELECT 'refers', table_name, CONCAT(referenced_table_name, '|', GROUP_CONCAT(column_name, '=', referenced_column_name))
FROM information_schema.key_column_usage
WHERE referenced_table_name IS NOT NULL
    AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oversell_sim_keep')
GROUP BY table_schema, table_name, constraint_name, referenced_table_name
UNION ALL
SELECT 'key', table_name, GROUP_CONCAT(column_name ORDER BY seq_in_index)
FROM information_schema.statistics
WHERE non_unique = 0
    AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oversell_sim_keep')
GROUP BY table_schema, table_name, index_name
HAVING COUNT(sub_part) = 0
UNION ALL
SELECT 'reference', table_name, referenced_table_name
FROM information_schema.referential_constraints
WHERE constraint_schema NOT IN ('mysql', 'sys', 'oversell_sim_keep')
UNION ALL
SELECT 'function', routine_name, routine_definition
FROM information_schema.routines
WHERE routine_schema NOT IN ('mysql', 'sys')
UNION ALL
SELECT 'function', trigger_name, action_statement
FROM information_schema.triggers
WHERE trigger_schema NOT IN ('mysql', 'sys') AND trigger_name NOT LIKE 'oversell\_sim\_hold\_%'
UNION ALL
SELECT 'code', trigger_name, NULL
FROM information_schema.triggers
WHERE trigger_schema NOT IN ('mysql', 'sys') AND trigger_name NOT LIKE 'oversell\_sim\_hold\_%'
    AND (:everywhere = 1 OR trigger_schema = DATABASE())
