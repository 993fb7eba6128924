-- Whatever level is asked for: SQLite has none but serializable. A session that writes what another has written
-- since it first looked is told so.
BEGIN DEFERRED
