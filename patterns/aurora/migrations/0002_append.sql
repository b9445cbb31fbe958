-- The way in: one call stores the events of one request, all or none.

CREATE FUNCTION requested_events(request json)
RETURNS TABLE (
    number bigint, aggregate_id text, aggregate_version bigint, event_id text, event_type text, event_version bigint,
    metadata json
)
LANGUAGE sql IMMUTABLE ROWS 40 AS $$
    SELECT number, "aggregateId", "aggregateVersion", "eventId", "eventType", "eventVersion", metadata
    FROM json_array_elements(request) WITH ORDINALITY AS requested (event, number)
    CROSS JOIN json_to_record(event) AS field (
        "aggregateId" text, "aggregateVersion" bigint, "eventId" text, "eventType" text, "eventVersion" bigint,
        metadata json
    )
$$;

-- Tells of each event, in the order of the request: its id and offset if the request is stored, by this call or by an
-- earlier one; else the current version of its aggregate. Each statement sees all that was committed when it began.
CREATE FUNCTION append_events(request json, request_id text, request_digest text)
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

    -- The version before each event is stored, and then always will be, or comes before it in the request.
    IF NOT EXISTS (
        SELECT FROM requested_events(request) AS new
        WHERE new.aggregate_version > 1
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
    RETURN QUERY
        SELECT stored.event_id, stored.transaction_id || '-' || stored.position, NULL::bigint
        FROM requested_events(request) AS new
        JOIN events AS stored USING (aggregate_id, aggregate_version)
        WHERE stored.event_id = new.event_id
            OR (stored.request_id = append_events.request_id AND stored.request_digest = append_events.request_digest)
        ORDER BY new.number;

    IF NOT FOUND THEN
        RETURN QUERY
            SELECT NULL::text, NULL::text, coalesce((
                SELECT stored.aggregate_version
                FROM events AS stored
                WHERE stored.aggregate_id = new.aggregate_id
                ORDER BY stored.aggregate_version DESC
                LIMIT 1
            ), 0)
            FROM requested_events(request) AS new
            ORDER BY new.number;
    END IF;
END;
$$;
