-- Every schema of the user's where :everywhere is 1, else the checkout's alone.
SELECT said
FROM (
    SELECT 1 AS number, format('DROP SCHEMA IF EXISTS %I CASCADE', nspname) AS said
    FROM pg_namespace
    WHERE nspname = 'oversell_sim_checkout'
        OR :everywhere = 1 AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'oversell_sim_hold')
    UNION ALL
    SELECT 2, 'CREATE SCHEMA IF NOT EXISTS public'
    UNION ALL
    SELECT 2, 'CREATE SCHEMA oversell_sim_checkout'
) AS numbered
ORDER BY number
