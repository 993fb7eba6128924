-- The sessions that wait for a lock that is not one of InnoDB's rows.
SELECT id, state
FROM information_schema.processlist
WHERE state = 'User lock' OR state LIKE 'Waiting for % lock' OR state = 'Waiting for table flush'
