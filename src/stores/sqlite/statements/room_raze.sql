-- A table takes its triggers and indexes along.
SELECT 'PRAGMA foreign_keys = OFF'
UNION ALL
SELECT 'DROP ' || type || ' IF EXISTS "' || name || '"'
FROM sqlite_master
WHERE type IN ('view', 'table') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
