-- A copy of every table, and what puts back those that have changed since. A row's xmin tells whether it was written
-- after the mark, and the number of rows whether any are gone; so most tables are only looked at.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS oversell_sim_keep CASCADE;
CREATE SCHEMA oversell_sim_keep;
CREATE TABLE oversell_sim_keep.tables (number bigint, rel regclass, columns text, rows bigint);
CREATE TABLE oversell_sim_keep.sequences (rel regclass, last bigint, first bigint);
CREATE TABLE oversell_sim_keep.mark (xid xid);

DO $$
DECLARE
    t record;
    n bigint;
BEGIN
    FOR t IN
        SELECT row_number() OVER (ORDER BY pg_class.oid) AS number, pg_class.oid::regclass AS rel, (
            SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
            FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        ) AS columns
        FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind = 'r' AND relpersistence <> 't' AND nspname !~ '^pg_'
            AND nspname NOT IN ('information_schema', 'oversell_sim_keep')
    LOOP
        EXECUTE format(
            'CREATE TABLE oversell_sim_keep.t%s AS SELECT %s FROM ONLY %s',
            t.number, coalesce(t.columns, ''), t.rel
        );
        GET DIAGNOSTICS n = ROW_COUNT;
        INSERT INTO oversell_sim_keep.tables VALUES (t.number, t.rel, coalesce(t.columns, ''), n);
    END LOOP;
END
$$;

INSERT INTO oversell_sim_keep.sequences
SELECT seqrelid::regclass, pg_sequence_last_value(seqrelid::regclass), seqstart
FROM pg_sequence
JOIN pg_class ON pg_class.oid = seqrelid
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname NOT IN ('oversell_sim_keep', 'oversell_sim_hold');
INSERT INTO oversell_sim_keep.mark VALUES (pg_current_xact_id()::xid);

CREATE FUNCTION oversell_sim_keep.put_back() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    t record;
    s record;
    mark xid;
    n bigint;
    newer bigint;
BEGIN
    SELECT xid INTO mark FROM oversell_sim_keep.mark;
    -- Nothing else happens when a row is put back.
    PERFORM set_config('session_replication_role', 'replica', true);
    FOR t IN SELECT * FROM oversell_sim_keep.tables ORDER BY number LOOP
        EXECUTE format(
            'SELECT count(*), count(*) FILTER (WHERE age(xmin) < age($1)) FROM ONLY %s', t.rel
        ) INTO n, newer USING mark;
        IF n <> t.rows OR newer > 0 THEN
            EXECUTE format('DELETE FROM ONLY %s', t.rel);
            EXECUTE format(
                'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT * FROM oversell_sim_keep.t%s',
                t.rel, t.columns, t.number
            );
        END IF;
    END LOOP;
    FOR s IN
        SELECT * FROM oversell_sim_keep.sequences
        WHERE pg_sequence_last_value(rel) IS DISTINCT FROM last
    LOOP
        PERFORM setval(s.rel, coalesce(s.last, s.first), s.last IS NOT NULL);
    END LOOP;
    UPDATE oversell_sim_keep.mark SET xid = pg_current_xact_id()::xid;
END
$$;
