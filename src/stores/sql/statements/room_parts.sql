-- Tables, in whatever schemas; their columns with the types whose values can be told apart, and those that are given one
-- value after the other; their unique keys; what they refer to; what views read; functions; and what runs code
-- that no statement names: triggers, rules, defaults and constraints that call a function, partitions, keys that are
-- checked at the end of a transaction; and which triggers may be put off until then. What an extension has brought along
-- reads and writes none of them unless a statement names it. Code counts where :everywhere is 1, else in this schema.
WITH theirs AS (
    SELECT oid
    FROM pg_namespace
    WHERE nspname !~ '^pg_'
        AND nspname NOT IN ('information_schema', 'oversell_sim_keep', 'oversell_sim_hold')
), counted AS (
    SELECT theirs.oid
    FROM theirs
    JOIN pg_namespace ON pg_namespace.oid = theirs.oid
    WHERE :everywhere = 1 OR nspname = current_schema()
), brought AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), functions AS (
    SELECT pg_proc.oid, proname, prosrc, provolatile, lanname,
        -- Whether it may look at rows, however stable it says that it is.
        lanname NOT IN ('sql', 'plpgsql')
            OR prokind <> 'a' AND pg_get_functiondef(pg_proc.oid) ~* '\m(from|perform|execute)\M|\mtable\s' AS looks
    FROM pg_proc
    JOIN pg_language ON pg_language.oid = prolang
    WHERE pronamespace IN (SELECT oid FROM theirs)
        AND ('pg_proc'::regclass, pg_proc.oid) NOT IN (SELECT classid, objid FROM brought)
)
SELECT 'table' AS kind, relname::text AS name, NULL AS other
FROM pg_class
WHERE relnamespace IN (SELECT oid FROM theirs) AND relkind IN ('r', 'p', 'm')
UNION ALL
SELECT 'column', relname::text, attname || ':' || CASE
    -- It is computed from others.
    WHEN attgenerated <> '' THEN 'computed'
    WHEN typname IN ('int2', 'int4', 'int8') THEN 'int'
    WHEN typname IN ('text', 'varchar') AND collisdeterministic THEN 'text'
    ELSE typname
END
FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid
JOIN pg_type ON pg_type.oid = atttypid
LEFT JOIN pg_collation ON pg_collation.oid = attcollation
WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'm')
    AND relnamespace IN (SELECT oid FROM theirs)
UNION ALL
SELECT 'generated', relname::text, attname::text
FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE (attidentity <> '' OR pg_get_expr(adbin, adrelid) LIKE '%nextval%')
    AND relnamespace IN (SELECT oid FROM theirs)
UNION ALL
SELECT 'other key', relname::text, NULL
FROM pg_index
JOIN pg_class ON pg_class.oid = indrelid
WHERE (indisexclusion OR indisunique AND (indpred IS NOT NULL OR indexprs IS NOT NULL OR NOT indisvalid))
    AND relnamespace IN (SELECT oid FROM theirs)
UNION ALL
SELECT 'refers', child.relname::text, parent.relname || '|' || (
    SELECT string_agg(own.attname || '=' || its.attname, ',')
    FROM unnest(conkey, confkey) AS pair (own, its)
    JOIN pg_attribute AS own ON own.attrelid = conrelid AND own.attnum = pair.own
    JOIN pg_attribute AS its ON its.attrelid = confrelid AND its.attnum = pair.its
)
FROM pg_constraint
JOIN pg_class AS child ON child.oid = conrelid
JOIN pg_class AS parent ON parent.oid = confrelid
WHERE contype = 'f' AND child.relnamespace IN (SELECT oid FROM theirs)
UNION ALL
SELECT 'key', relname::text, (
    SELECT string_agg(attname, ',' ORDER BY attnum)
    FROM pg_attribute
    WHERE attrelid = indrelid AND attnum = ANY ((indkey::int2[])[0 : indnkeyatts - 1])
)
FROM pg_index
JOIN pg_class ON pg_class.oid = indrelid
WHERE indisunique AND indisvalid AND indpred IS NULL AND indexprs IS NULL
    AND relnamespace IN (SELECT oid FROM theirs)
UNION ALL
SELECT CASE WHEN confupdtype IN ('a', 'r') THEN 'reference' ELSE 'following' END,
    child.relname::text, parent.relname::text
FROM pg_constraint
JOIN pg_class AS child ON child.oid = conrelid
JOIN pg_class AS parent ON parent.oid = confrelid
WHERE contype = 'f' AND child.relnamespace IN (SELECT oid FROM theirs)
UNION ALL
SELECT DISTINCT 'view', view.relname::text, base.relname::text
FROM pg_depend
JOIN pg_rewrite ON pg_rewrite.oid = objid
JOIN pg_class AS view ON view.oid = ev_class
JOIN pg_class AS base ON base.oid = refobjid
WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass AND view.oid <> base.oid
    AND view.relnamespace IN (SELECT oid FROM theirs)
UNION ALL
-- One that is no more than stable reads what its query reads.
SELECT 'function', proname::text, CASE
    WHEN lanname NOT IN ('sql', 'plpgsql') THEN 'EXECUTE'
    WHEN provolatile = 'v' THEN prosrc
    ELSE ''
END
FROM functions
UNION ALL
SELECT DISTINCT 'volatile', proname::text, NULL
FROM pg_proc
WHERE (provolatile = 'v' OR ('pg_proc'::regclass, oid) IN (SELECT classid, objid FROM brought))
    AND prorettype <> 'trigger'::regtype AND oid NOT IN (SELECT oid FROM functions)
    AND proname NOT IN ('random', 'clock_timestamp', 'timeofday', 'gen_random_uuid', 'set_config')
UNION ALL
SELECT 'code', tgname::text, NULL
FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND tgname !~ '^0_oversell_sim_hold'
    AND relnamespace IN (SELECT oid FROM counted)
UNION ALL
SELECT 'deferred', tgname::text, NULL
FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND tgdeferrable AND relnamespace IN (SELECT oid FROM counted)
UNION ALL
SELECT 'code', rulename::text, NULL
FROM pg_rewrite
JOIN pg_class ON pg_class.oid = ev_class
WHERE rulename <> '_RETURN' AND relnamespace IN (SELECT oid FROM counted)
UNION ALL
SELECT 'code', proname::text, NULL
FROM pg_depend
JOIN functions ON functions.oid = refobjid
WHERE refclassid = 'pg_proc'::regclass AND (provolatile = 'v' OR looks)
    AND classid NOT IN ('pg_proc'::regclass, 'pg_trigger'::regclass)
UNION ALL
SELECT 'code', relname::text, NULL
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
WHERE NOT indimmediate AND relnamespace IN (SELECT oid FROM counted)
UNION ALL
SELECT 'code', relname::text, NULL
FROM pg_inherits
JOIN pg_class ON pg_class.oid = inhrelid
WHERE relkind IN ('r', 'f') AND relnamespace IN (SELECT oid FROM counted)
UNION ALL
SELECT 'code', relname::text, NULL
FROM pg_class
WHERE relnamespace IN (SELECT oid FROM counted) AND (relkind = 'f' OR relrowsecurity)
    AND ('pg_class'::regclass, oid) NOT IN (SELECT classid, objid FROM brought)
