-- The tables that a statement opens, and whether to change or lock rows there: it is prepared, not run.
BEGIN;
SET LOCAL lock_timeout = '1s';
PREPARE oversell_sim_opens AS $1
;
SELECT DISTINCT relname, mode <> 'AccessShareLock'
FROM pg_locks
JOIN pg_class ON pg_class.oid = relation
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relkind IN ('r', 'p', 'm') AND nspname !~ '^pg_'
    AND nspname <> 'information_schema';
ROLLBACK;
DEALLOCATE oversell_sim_opens
