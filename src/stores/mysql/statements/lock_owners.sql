-- By a plugin of MariaDB's.
SELECT DISTINCT CAST(thread_id AS SIGNED)
FROM information_schema.metadata_lock_info
WHERE lock_type = 'User lock'
