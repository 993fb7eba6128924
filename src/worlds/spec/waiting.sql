-- Whether a session waits for one of these, as PostgreSQL's isolation tester asks, and which of them waits for whom.
DEALLOCATE ALL;
PREPARE is_blocked (int) AS
SELECT pg_catalog.pg_isolation_test_session_is_blocked($1, '{$sessions}');
PREPARE waits AS
SELECT pid, pg_catalog.unnest(pg_catalog.pg_blocking_pids(pid)) FROM pg_catalog.unnest('{$sessions}'::int[]) AS pid
