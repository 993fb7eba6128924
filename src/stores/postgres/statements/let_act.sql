-- Lets a change go that waits at the first lock, and closes that again before it leaves the second.
SELECT pg_advisory_lock(760412378, $1);
SELECT pg_advisory_unlock(760412377, $1);
SELECT pg_advisory_lock(760412377, $1);
SELECT pg_advisory_unlock(760412378, $1)
