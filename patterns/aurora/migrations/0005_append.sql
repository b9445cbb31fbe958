-- append_events, better in three ways: it refuses while restored events have ids to come, it looks for taken versions
-- before it inserts, and what it tells of a refused request is one moment's truth.

CREATE OR REPLACE FUNCTION append_events(request json, request_id text, request_digest text)
RETURNS TABLE (event_id text, "offset" text, current_version bigint)
LANGUAGE plpgsql
-- A look-up in an index for each event, whatever the statistics say; a plan made for a small table outlives its growth.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    -- An id that this transaction had before it looked could be lower than that of a version it then builds on.
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RAISE EXCEPTION 'append_events must be the first to write in its transaction';
    END IF;

    -- New events would come before the restored ones, and readers would pass those unseen. No order can be made later.
    IF holds_ids_to_come() THEN
        RAISE EXCEPTION 'restored events have transaction ids to come: call the function migrate, then append';
    END IF;

    -- No version is taken, and the version before each event is stored, and then always will be, or comes before it in
    -- the request. A request that does not fit inserts nothing, since what is rolled back is written all the same.
    IF NOT EXISTS (
        SELECT FROM requested_events(request) AS new
        WHERE EXISTS (
                SELECT FROM events AS taken
                WHERE taken.aggregate_id = new.aggregate_id AND taken.aggregate_version = new.aggregate_version
            )
            OR new.aggregate_version > 1
            AND NOT EXISTS (
                SELECT FROM events AS stored
                WHERE stored.aggregate_id = new.aggregate_id
                    AND stored.aggregate_version = new.aggregate_version - 1
            )
            AND NOT EXISTS (
                SELECT FROM requested_events(request) AS earlier
                WHERE earlier.number < new.number
                    AND earlier.aggregate_id = new.aggregate_id
                    AND earlier.aggregate_version = new.aggregate_version - 1
            )
    ) THEN
        BEGIN
            WITH placed AS MATERIALIZED (
                -- Positions follow the order of the request …
                SELECT *, nextval('event_positions') AS position
                FROM (SELECT * FROM requested_events(request) ORDER BY number) AS new
            )
            INSERT INTO events
            SELECT
                transaction_base() + pg_current_xact_id()::text::bigint,
                position,
                aggregate_id,
                aggregate_version,
                event_id,
                event_type,
                event_version,
                metadata,
                200 + octet_length(metadata::text) + octet_length(aggregate_id) + octet_length(event_type),
                append_events.request_id,
                append_events.request_digest
            FROM placed
            -- … and everybody inserts in one order, or two requests could wait for each other.
            ORDER BY aggregate_id, aggregate_version;
        EXCEPTION WHEN unique_violation THEN
            NULL; -- None of the events is stored by this call. Whose are those that are?
        END;
    END IF;

    -- The request is known by its ids to the SDK that sends it again because the answer was lost, and by its digest to
    -- a caller who repeats it, however much later. It was stored as a whole.
    -- One statement, which sees one moment: an attempt of this very request that commits between two would be missed
    -- by the first and be counted as a conflict by the second.
    RETURN QUERY
        SELECT
            stored.event_id,
            stored.transaction_id || '-' || stored.position,
            CASE WHEN stored.event_id IS NULL THEN coalesce((
                SELECT latest.aggregate_version
                FROM events AS latest
                WHERE latest.aggregate_id = new.aggregate_id
                ORDER BY latest.aggregate_version DESC
                LIMIT 1
            ), 0) END
        FROM requested_events(request) AS new
        LEFT JOIN events AS stored
            ON stored.aggregate_id = new.aggregate_id
            AND stored.aggregate_version = new.aggregate_version
            AND (
                stored.event_id = new.event_id
                OR (stored.request_id = append_events.request_id
                    AND stored.request_digest = append_events.request_digest)
            )
        ORDER BY new.number;
END;
$$;
