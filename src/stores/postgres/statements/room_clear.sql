-- The same of a few rows, where no new files are made: in one statement, at whose end references are looked at.
SELECT 'WITH ' || string_agg(format('t%s AS (DELETE FROM %I.%I)', number, schemaname, tablename), ', ') || ' SELECT'
FROM (SELECT row_number() OVER () AS number, schemaname, tablename FROM pg_tables
      WHERE (schemaname = 'oversell_sim_checkout' OR :everywhere = 1 AND schemaname !~ '^pg_'
    AND schemaname NOT IN ('information_schema', 'oversell_sim_hold'))) AS numbered
HAVING count(*) > 0
UNION ALL
SELECT format('SELECT setval(%L, %s, false)', format('%I.%I', schemaname, sequencename), start_value)
FROM pg_sequences
WHERE (schemaname = 'oversell_sim_checkout' OR :everywhere = 1 AND schemaname !~ '^pg_'
    AND schemaname NOT IN ('information_schema', 'oversell_sim_hold'))
