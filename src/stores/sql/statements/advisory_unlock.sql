SELECT COUNT(*) FROM (SELECT pg_advisory_unlock(20260, :item)) AS unlocked
