SELECT 'PRAGMA foreign_keys = OFF'
UNION ALL
SELECT 'DELETE FROM "' || name || '"'
FROM sqlite_master
WHERE type = 'table' AND (name NOT LIKE 'sqlite\_%' ESCAPE '\' OR name = 'sqlite_sequence')
