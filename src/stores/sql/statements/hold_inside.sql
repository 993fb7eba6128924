-- A query: the statements that have each change held inside the server. The trigger of a session waits for the first of
-- two locks that bear the session's number, which only the explorer takes from it. Passing through both, one after
-- the other, it cannot reach its next change before the first lock is closed again. A statement that changes several
-- rows of a table is held before each of them, once it has been seen to do so: the sequence has a bit for each table
-- (some share one), which no rollback takes back. In a schema that :everywhere leaves out no table is touched. The
-- names come first in the order in which triggers fire.
SELECT said
FROM (
    SELECT 1 AS number, 'CREATE SCHEMA IF NOT EXISTS oversell_sim_hold' AS said
    UNION ALL
    SELECT 2, 'CREATE SEQUENCE IF NOT EXISTS oversell_sim_hold.of_rows MINVALUE 0 START 0'
    UNION ALL
    SELECT 3, $said$
CREATE OR REPLACE FUNCTION oversell_sim_hold.pass() RETURNS void LANGUAGE sql AS $pass$
    SELECT pg_advisory_lock(760412377, pg_backend_pid());
    SELECT pg_advisory_unlock(760412377, pg_backend_pid());
    SELECT pg_advisory_lock(760412378, pg_backend_pid());
    SELECT pg_advisory_unlock(760412378, pg_backend_pid());
$pass$
$said$
    UNION ALL
    SELECT 4, $said$
CREATE OR REPLACE FUNCTION oversell_sim_hold.hold() RETURNS trigger LANGUAGE plpgsql AS $hold$
BEGIN
    PERFORM oversell_sim_hold.pass();
    RETURN NULL;
END
$hold$
$said$
    UNION ALL
    SELECT 5, $said$
CREATE OR REPLACE FUNCTION oversell_sim_hold.hold_row() RETURNS trigger LANGUAGE plpgsql AS $hold$
DECLARE
    target oid;
    its_bit bigint;
    last_row text;
    sent_at text := statement_timestamp();
    seen bigint;
BEGIN
    IF pg_try_advisory_lock(760412377, pg_backend_pid()) THEN
        -- The explorer does not hold this session.
        PERFORM pg_advisory_unlock(760412377, pg_backend_pid());
    ELSE
        target := coalesce(pg_partition_root(TG_RELID), TG_RELID);
        last_row := 'oversell_sim.row_of_' || target;
        SELECT 1::bigint << (hashtext(relname) & 1073741823) % 62 INTO its_bit FROM pg_class WHERE oid = target;
        SELECT last_value INTO seen FROM oversell_sim_hold.of_rows;
        IF seen & its_bit <> 0 THEN
            PERFORM oversell_sim_hold.pass();
        ELSIF current_setting(last_row, true) = sent_at THEN
            PERFORM setval('oversell_sim_hold.of_rows', seen | its_bit);
        END IF;
        PERFORM set_config(last_row, sent_at, false);
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$hold$
$said$
    UNION ALL
    SELECT 6, 'GRANT USAGE ON SCHEMA oversell_sim_hold TO PUBLIC'
    UNION ALL
    SELECT 7, 'GRANT SELECT, UPDATE ON SEQUENCE oversell_sim_hold.of_rows TO PUBLIC'
    UNION ALL
    SELECT 8, format(
        'CREATE TRIGGER "0_oversell_sim_hold%s" BEFORE INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH %s EXECUTE FUNCTION oversell_sim_hold.%I()', suffix, pg_class.oid::regclass, level, called
    )
    FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN (VALUES ('', 'STATEMENT', 'hold'), ('_row', 'ROW', 'hold_row')) AS levels (suffix, level, called) ON TRUE
    WHERE relkind IN ('r', 'p') AND relpersistence <> 't'
        AND nspname !~ '^pg_'
        AND nspname NOT IN ('information_schema', 'oversell_sim_keep', 'oversell_sim_hold')
        AND (:everywhere = 1 OR nspname = current_schema())
        -- A partition has those of its table that are about rows.
        AND NOT (relispartition AND level = 'ROW')
        AND NOT EXISTS (
            SELECT 1
            FROM pg_trigger
            WHERE tgrelid = pg_class.oid AND tgname = '0_oversell_sim_hold' || suffix
        )
) AS numbered
ORDER BY number
