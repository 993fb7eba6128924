-- Tables of an application; what they refer to; what views look at cannot be asked for everywhere, and whatever else may
-- read or write behind a statement's back.
SELECT IF(table_type = 'BASE TABLE', 'table', 'other') AS kind, table_name AS name, NULL AS other
FROM information_schema.tables
WHERE table_schema = DATABASE()
UNION ALL
SELECT 'reference', table_name, referenced_table_name
FROM information_schema.referential_constraints
WHERE constraint_schema = DATABASE()
UNION ALL
SELECT 'other', trigger_name, NULL
FROM information_schema.triggers
WHERE trigger_schema = DATABASE()
UNION ALL
SELECT 'other', routine_name, NULL
FROM information_schema.routines
WHERE routine_schema = DATABASE()
