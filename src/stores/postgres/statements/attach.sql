-- A session that waits is checked at once for a deadlock, and told that there is none, in English: from then on nothing
-- happens until another session moves.
SET deadlock_timeout = '1ms';
SET log_lock_waits = on;
SET lc_messages = 'C';
SET client_min_messages = log
