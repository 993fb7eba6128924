-- A query: the statements that have each change held inside the server. The trigger of a session waits for the first of
-- two locks that bear the session's number, which only the explorer takes from it. Passing through both, one after
-- the other, it cannot reach its next change before the first lock is closed again. In a schema that :everywhere
-- leaves out no table is touched. The name comes first in the order in which triggers fire.
SELECT said
FROM (
    SELECT 1 AS number, 'CREATE SCHEMA IF NOT EXISTS oversell_sim_hold' AS said
    UNION ALL
    SELECT 2, $said$
CREATE OR REPLACE FUNCTION oversell_sim_hold.hold() RETURNS trigger LANGUAGE plpgsql AS $hold$
BEGIN
    PERFORM pg_advisory_lock(760412377, pg_backend_pid());
    PERFORM pg_advisory_unlock(760412377, pg_backend_pid());
    PERFORM pg_advisory_lock(760412378, pg_backend_pid());
    PERFORM pg_advisory_unlock(760412378, pg_backend_pid());
    RETURN NULL;
END
$hold$
$said$
    UNION ALL
    SELECT 3, 'GRANT USAGE ON SCHEMA oversell_sim_hold TO PUBLIC'
    UNION ALL
    SELECT 4, format(
        'CREATE TRIGGER "0_oversell_sim_hold" BEFORE INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION oversell_sim_hold.hold()', pg_class.oid::regclass
    )
    FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p') AND relpersistence <> 't'
        AND nspname !~ '^pg_'
        AND nspname NOT IN ('information_schema', 'oversell_sim_keep', 'oversell_sim_hold')
        AND (:everywhere = 1 OR nspname = current_schema())
        AND NOT EXISTS (
            SELECT 1 FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = '0_oversell_sim_hold'
        )
) AS numbered
ORDER BY number
