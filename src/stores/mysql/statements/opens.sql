-- The tables that this session has open in its transaction, and whether to change or lock rows there.
SELECT DISTINCT table_name, lock_mode NOT IN ('MDL_SHARED', 'MDL_SHARED_HIGH_PRIO', 'MDL_SHARED_READ')
FROM information_schema.metadata_lock_info
WHERE thread_id = CONNECTION_ID() AND lock_type = 'Table metadata lock'
