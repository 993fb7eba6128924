-- A query: the statements that have each change of a row held inside the server. The trigger of a session waits for the
-- first of two locks that bear the session's number, which only the explorer takes from it. Passing through both, one
-- after the other, it cannot reach its next change before the first lock is closed again. That it has come to a change
-- shows in a third lock, which it has from then on until it leaves the second. In a database that :everywhere leaves out
-- no table is touched.
SELECT CONCAT(
    'CREATE TRIGGER `', table_schema, '`.`oversell_sim_hold_', verb, '_', SUBSTRING(MD5(table_name), 1, 16), '` BEFORE ',
    verb, ' ON `', table_schema, '`.`', table_name, '` FOR EACH ROW BEGIN',
    ' DO GET_LOCK(CONCAT(''oversell_sim_hold_3_'', CONNECTION_ID()), 86400);',
    ' DO GET_LOCK(CONCAT(''oversell_sim_hold_1_'', CONNECTION_ID()), 86400);',
    ' DO RELEASE_LOCK(CONCAT(''oversell_sim_hold_1_'', CONNECTION_ID()));',
    ' DO GET_LOCK(CONCAT(''oversell_sim_hold_2_'', CONNECTION_ID()), 86400);',
    ' DO RELEASE_LOCK(CONCAT(''oversell_sim_hold_3_'', CONNECTION_ID()));',
    ' DO RELEASE_LOCK(CONCAT(''oversell_sim_hold_2_'', CONNECTION_ID()));',
    ' END'
)
FROM information_schema.tables
JOIN (SELECT 'INSERT' AS verb UNION ALL SELECT 'UPDATE' UNION ALL SELECT 'DELETE') AS verbs
WHERE table_type = 'BASE TABLE'
    AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oversell_sim_keep')
    AND (:everywhere = 1 OR table_schema = DATABASE())
    AND CONCAT('oversell_sim_hold_', verb, '_', SUBSTRING(MD5(table_name), 1, 16)) NOT IN (
        SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = table_schema
    )
