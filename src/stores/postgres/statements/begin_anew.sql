-- What DISCARD ALL does, but in one message, without forgetting the statements that we have had prepared, and telling on
-- the way which locks of its own the session still had. Each COMMIT ends what a message of several statements is by itself:
-- one transaction, which a setting that was left behind might have made read-only.
ROLLBACK;
SET SESSION AUTHORIZATION DEFAULT;
RESET ALL;
COMMIT;
CLOSE ALL;
UNLISTEN *;
SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT pg_advisory_unlock_all();
DISCARD TEMP;
DISCARD SEQUENCES;
SELECT quote_ident(name) AS deallocate FROM pg_prepared_statements WHERE from_sql;
COMMIT
