-- Tables; what they refer to; and triggers, which run behind a statement's back. What a view reads cannot be asked for:
-- a name that is no table's counts as unknown.
SELECT CASE type WHEN 'table' THEN 'table' ELSE 'code' END AS kind, name, :everywhere AS other
FROM sqlite_master
WHERE type IN ('table', 'trigger') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
UNION ALL
SELECT 'reference', child.name, parent."table"
FROM sqlite_master AS child, pragma_foreign_key_list(child.name) AS parent
WHERE child.type = 'table'
