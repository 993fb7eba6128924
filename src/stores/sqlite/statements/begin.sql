-- Whatever level is asked for: SQLite has none but serializable. Who writes what somebody else has written
-- since it first looked is told so.
BEGIN DEFERRED
