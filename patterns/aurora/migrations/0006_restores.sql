-- What a restore does to offsets: those that were given out after the backup are never given to other events, and are
-- refused to readers who have them.

-- The clusters that the events were in, one after the other, the first with 0 throughout. The ids between the last
-- event that came along and the first of the cluster are of events that the restore has removed.
CREATE TABLE homes (
    first_transaction bigint PRIMARY KEY,
    cluster text NOT NULL,
    kept_transaction bigint NOT NULL,
    kept_position bigint NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

DROP FUNCTION continue_after_restore();

-- To be called in each cluster before its first append; says what is added to its transaction ids. `in_cluster` is the
-- resource id of the cluster, which no other has; `restored` tells that it was made from a backup.
--
-- In another cluster than before, ids go on from the microseconds of now. No server gives out a million ids a second,
-- so that is above all that the cluster before gave out since the backup, whichever backup is restored and how often.
CREATE FUNCTION continue_after_restore(in_cluster text, restored boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    home text;
    kept events;
    next_transaction bigint;
BEGIN
    SELECT cluster INTO home FROM homes ORDER BY first_transaction DESC LIMIT 1;
    IF home = in_cluster AND NOT holds_ids_to_come() THEN
        RETURN transaction_base();
    END IF;

    LOCK TABLE events, homes IN SHARE ROW EXCLUSIVE MODE; -- one at a time, and no append meanwhile
    SELECT cluster INTO home FROM homes ORDER BY first_transaction DESC LIMIT 1;
    IF NOT holds_ids_to_come() AND home = in_cluster THEN
        RETURN transaction_base();
    ELSIF NOT holds_ids_to_come() AND home IS NULL AND NOT restored THEN
        INSERT INTO homes VALUES (0, in_cluster, 0, 0);
        RETURN transaction_base();
    END IF;

    SELECT * INTO kept FROM events ORDER BY transaction_id DESC, position DESC LIMIT 1;
    next_transaction := greatest(
        coalesce(kept.transaction_id, 0) + 1, floor(extract(epoch FROM clock_timestamp()) * 1000000)
    );
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION transaction_base() RETURNS bigint LANGUAGE sql STABLE AS ''SELECT %s::bigint''',
        next_transaction - pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    );
    INSERT INTO homes
    VALUES (next_transaction, in_cluster, coalesce(kept.transaction_id, 0), coalesce(kept.position, 0));
    RETURN transaction_base();
END;
$$;

-- Whether no event has this offset or ever will: it is of one that a restore has removed, or of another store.
CREATE FUNCTION is_gone(of_transaction bigint, of_position bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT of_transaction >= transaction_base() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        OR EXISTS (
            SELECT FROM homes
            WHERE (of_transaction, of_position) > (kept_transaction, kept_position)
                AND of_transaction < first_transaction
        )
$$;

-- log_page for a reader who says where it is. At the end of the log a last row, of which only event_id is not null,
-- names the oldest event that is stored and does not show yet, if there is one.
CREATE FUNCTION read_log(after_transaction bigint, after_position bigint, wanted bigint, result_bytes bigint)
RETURNS SETOF shown_event
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
DECLARE
    shown bigint;
BEGIN
    IF is_gone(after_transaction, after_position) THEN
        RAISE EXCEPTION 'no event has this offset, or ever will' USING ERRCODE = 'OR001';
    END IF;
    RETURN QUERY SELECT * FROM log_page(after_transaction, after_position, wanted, result_bytes);
    GET DIAGNOSTICS shown = ROW_COUNT;
    IF shown < wanted THEN
        RETURN QUERY
            SELECT NULL::text, NULL::bigint, NULL::text, NULL::bigint, NULL::json, event_id, NULL::text, NULL::bigint
            FROM events
            WHERE transaction_id >= settled()
            ORDER BY transaction_id, position
            LIMIT 1;
    END IF;
END;
$$;
