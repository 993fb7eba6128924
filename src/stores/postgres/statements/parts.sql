-- Tables of an application, in whatever schemas; what they refer to; what views look at; and whatever else may read or write behind a
-- statement's back. What an extension has brought along reads and writes none of them.
WITH theirs AS (
    SELECT oid
    FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'oversell_sim_keep')
), brought AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
)
SELECT 'table' AS kind, relname::text AS name, NULL AS other
FROM pg_class
WHERE relnamespace IN (SELECT oid FROM theirs) AND relkind IN ('r', 'p', 'm')
UNION ALL
SELECT CASE WHEN confupdtype IN ('a', 'r') THEN 'reference' ELSE 'following' END,
    child.relname::text, parent.relname::text
FROM pg_constraint
JOIN pg_class AS child ON child.oid = conrelid
JOIN pg_class AS parent ON parent.oid = confrelid
WHERE contype = 'f' AND child.relnamespace IN (SELECT oid FROM theirs)
UNION ALL
SELECT 'other', relname::text, NULL
FROM pg_class
WHERE relnamespace IN (SELECT oid FROM theirs) AND relkind = 'f'
    AND ('pg_class'::regclass, oid) NOT IN (SELECT classid, objid FROM brought)
UNION ALL
SELECT DISTINCT 'view', view.relname::text, base.relname::text
FROM pg_depend
JOIN pg_rewrite ON pg_rewrite.oid = objid
JOIN pg_class AS view ON view.oid = ev_class
JOIN pg_class AS base ON base.oid = refobjid
WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass AND view.oid <> base.oid
    AND view.relnamespace IN (SELECT oid FROM theirs)
UNION ALL
SELECT 'other', tgname::text, NULL
FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND relnamespace IN (SELECT oid FROM theirs)
UNION ALL
SELECT 'other', rulename::text, NULL
FROM pg_rewrite
JOIN pg_class ON pg_class.oid = ev_class
WHERE rulename <> '_RETURN' AND relnamespace IN (SELECT oid FROM theirs)
UNION ALL
SELECT 'other', proname::text, NULL
FROM pg_proc
WHERE pronamespace IN (SELECT oid FROM theirs)
    AND ('pg_proc'::regclass, oid) NOT IN (SELECT classid, objid FROM brought)
UNION ALL
SELECT 'other', relname::text, NULL
FROM pg_inherits
JOIN pg_class ON pg_class.oid = inhrelid
WHERE relkind = 'r' AND relnamespace IN (SELECT oid FROM theirs)
