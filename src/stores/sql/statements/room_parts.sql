-- Tables; what they refer to; and whatever else may read or write behind a statement's back.
SELECT 'table' AS kind, relname::text AS name, NULL AS other
FROM pg_class
WHERE relnamespace = 'oversell_sim_checkout'::regnamespace AND relkind IN ('r', 'p')
UNION ALL
SELECT CASE WHEN confupdtype IN ('a', 'r') THEN 'reference' ELSE 'following' END, child.relname::text, parent.relname::text
FROM pg_constraint
JOIN pg_class AS child ON child.oid = conrelid
JOIN pg_class AS parent ON parent.oid = confrelid
WHERE contype = 'f' AND child.relnamespace = 'oversell_sim_checkout'::regnamespace
UNION ALL
SELECT 'other', relname::text, NULL
FROM pg_class
WHERE relnamespace = 'oversell_sim_checkout'::regnamespace AND relkind IN ('v', 'm', 'f')
UNION ALL
SELECT 'other', tgname::text, NULL
FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND relnamespace = 'oversell_sim_checkout'::regnamespace
UNION ALL
SELECT 'other', rulename::text, NULL
FROM pg_rules
WHERE schemaname = 'oversell_sim_checkout'
UNION ALL
SELECT 'other', proname::text, NULL
FROM pg_proc
WHERE pronamespace = 'oversell_sim_checkout'::regnamespace
UNION ALL
SELECT 'other', relname::text, NULL
FROM pg_inherits
JOIN pg_class ON pg_class.oid = inhrelid
WHERE relnamespace = 'oversell_sim_checkout'::regnamespace
