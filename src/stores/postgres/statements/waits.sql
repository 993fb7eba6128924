-- The sessions that wait for a lock, and for whom. The session that gives a lock back grants it, before it is answered:
-- so what is seen here after that is the truth.
-- No blocker: it is this session that blocks.
SELECT DISTINCT waiting.pid, NULLIF(blocker, pg_backend_pid())
FROM pg_locks AS waiting, UNNEST(pg_blocking_pids(waiting.pid)) AS blocker
WHERE NOT waiting.granted
