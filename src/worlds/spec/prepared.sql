-- What rolls each prepared transaction back.
SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()
