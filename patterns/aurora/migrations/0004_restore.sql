-- Offsets outlive a move to another cluster.

-- A dump brings the events of a cluster into one whose transaction ids may be lower: those events would not be settled
-- for as long as it takes to catch up, and new ones would come before them. So ids are raised above all that is stored.
-- It must run before the first append. Where nothing was restored it does nothing: no stored id is above all of the
-- server's own.
CREATE FUNCTION continue_after_restore() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    newest bigint;
BEGIN
    LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE;
    newest := (SELECT transaction_id FROM events ORDER BY transaction_id DESC LIMIT 1);
    IF newest >= transaction_base() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint THEN
        EXECUTE format(
            'CREATE OR REPLACE FUNCTION transaction_base() RETURNS bigint LANGUAGE sql STABLE AS ''SELECT %s::bigint''',
            newest + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        );
    END IF;
    RETURN transaction_base();
END;
$$;
