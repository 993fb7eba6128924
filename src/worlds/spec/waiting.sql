-- Whether a session waits for one of these, as PostgreSQL's isolation tester asks; which of them waits for whom; and
-- whether anything is there that the server has not had from the beginning.
DEALLOCATE ALL;
PREPARE is_blocked (int) AS
SELECT pg_catalog.pg_isolation_test_session_is_blocked($1, '{$sessions}');
PREPARE waits AS
SELECT pid, pg_catalog.unnest(pg_catalog.pg_blocking_pids(pid)) FROM pg_catalog.unnest('{$sessions}'::int[]) AS pid;
PREPARE left_over AS
SELECT GREATEST(
  (SELECT max(oid) FROM pg_catalog.pg_class WHERE relnamespace NOT IN (
    SELECT oid FROM pg_catalog.pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_'
  )),
  (SELECT max(oid) FROM pg_catalog.pg_proc),
  (SELECT max(oid) FROM pg_catalog.pg_type WHERE typtype <> 'c' AND typcategory <> 'A'),
  (SELECT max(oid) FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'),
  (SELECT max(oid) FROM pg_catalog.pg_extension),
  (SELECT max(oid) FROM pg_catalog.pg_authid)
) >= 16384
