-- Offsets outlive a move to another cluster.

-- True only of what a dump brought from a cluster whose transaction ids were higher: what is stored by this one has an
-- id below the next that it will give.
CREATE FUNCTION holds_ids_to_come() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM events
        WHERE transaction_id >= transaction_base() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    )
$$;

-- Restored events with such ids would not be settled for as long as it takes to catch up, and new ones would come
-- before them. So all ids to come are raised above those that are stored. It must run before the first append.
CREATE FUNCTION continue_after_restore() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF holds_ids_to_come() THEN
        LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE; -- one at a time, and no append meanwhile
        IF holds_ids_to_come() THEN
            EXECUTE format(
                'CREATE OR REPLACE FUNCTION transaction_base() RETURNS bigint LANGUAGE sql STABLE AS ''SELECT %s::bigint''',
                (SELECT max(transaction_id) + 1 FROM events) - pg_snapshot_xmin(pg_current_snapshot())::text::bigint
            );
        END IF;
    END IF;
    RETURN transaction_base();
END;
$$;
