SELECT 'TRUNCATE ' || string_agg(format('%I.%I', schemaname, tablename), ', ') || ' RESTART IDENTITY CASCADE'
FROM pg_tables
WHERE schemaname = 'oversell_sim_checkout'
HAVING count(*) > 0
