SELECT 'TRUNCATE ' || string_agg(format('%I.%I', schemaname, tablename), ', ') || ' RESTART IDENTITY CASCADE'
FROM pg_tables
WHERE (schemaname = 'oversell_sim_checkout' OR :everywhere = 1 AND schemaname !~ '^pg_'
    AND schemaname NOT IN ('information_schema', 'oversell_sim_hold'))
HAVING count(*) > 0
