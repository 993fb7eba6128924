-- Whoever waits for a lock, and for whom. Locks are granted by whoever gives them back, before it is answered:
-- so what is seen here after that is the truth.
SELECT DISTINCT waiting.pid, blocker
FROM pg_locks AS waiting, UNNEST(pg_blocking_pids(waiting.pid)) AS blocker
WHERE NOT waiting.granted
