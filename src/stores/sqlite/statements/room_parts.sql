SELECT CASE type WHEN 'table' THEN 'table' ELSE 'other' END AS kind, name, NULL AS other
FROM sqlite_master
WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
UNION ALL
SELECT 'reference', child.name, parent."table"
FROM sqlite_master AS child, pragma_foreign_key_list(child.name) AS parent
WHERE child.type = 'table'
