-- Rows that were deleted take up room, in the tables and in their indexes, until they are tidied away.
SELECT CASE WHEN current_setting('server_version_num')::int < 120000 THEN 'VACUUM '
            ELSE 'VACUUM (INDEX_CLEANUP ON, TRUNCATE ON) ' END
       || string_agg(format('%I.%I', schemaname, tablename), ', ')
FROM pg_tables
WHERE (schemaname = 'oversell_sim_checkout' OR :everywhere = 1 AND schemaname !~ '^pg_'
    AND schemaname NOT IN ('information_schema', 'oversell_sim_hold'))
HAVING count(*) > 0
