-- A lock that has nothing to do with any row, nor with a transaction: a session that asks for it by the same number
-- waits. The first number is ours.
SELECT COUNT(*) FROM (SELECT pg_advisory_lock(20260, :item)) AS locked
