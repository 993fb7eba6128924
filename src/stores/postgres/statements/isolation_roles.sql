-- What drops each role that was not there from the beginning.
SELECT format('DROP ROLE %I', rolname) FROM pg_catalog.pg_authid WHERE oid >= 16384
