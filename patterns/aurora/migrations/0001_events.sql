-- The events, and the order that readers can trust.

CREATE SEQUENCE event_positions;

CREATE TABLE events (
    -- A position is drawn before its transaction commits, so by positions alone events would show out of order.
    -- The transaction's id comes first: see settled().
    transaction_id bigint NOT NULL,
    position bigint NOT NULL,
    aggregate_id text NOT NULL,
    aggregate_version bigint NOT NULL CHECK (aggregate_version > 0),
    event_id text NOT NULL,
    event_type text NOT NULL,
    event_version bigint NOT NULL,
    -- Not jsonb, which writes 1e-130 in 132 characters and a space behind each comma: what came in as 48 KiB could be
    -- too much for a row of the Data API, 64 KB. metadata->>'name' works on both.
    metadata json NOT NULL,
    -- What the event takes of a result of the Data API: its texts, and 200 for numbers, ids and the protocol. Kept, so
    -- that cutting a page reads no metadata.
    bytes integer NOT NULL,
    request_id text,
    request_digest text,
    PRIMARY KEY (transaction_id, position),
    -- Decides all races.
    UNIQUE (aggregate_id, aggregate_version)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed or deleted';
END;
$$;

CREATE TRIGGER events_are_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What is added to the server's transaction ids: see continue_after_restore().
CREATE FUNCTION transaction_base() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT 0::bigint
$$;

-- All transactions below it have ended, and none to come will be below it: what shows there is all there will ever be.
CREATE FUNCTION settled() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT transaction_base() + pg_snapshot_xmin(pg_current_snapshot())::text::bigint
$$;
