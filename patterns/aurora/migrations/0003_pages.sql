-- The ways out. A page has as many events as are wanted, or fewer, if they would take more than result_bytes; 'found'
-- says how many there were of those that are wanted.
--
-- Plans are made for parameters that are not known yet. The settings see to it that a page is read from an index, in
-- order, and only as far as it goes, whatever the statistics say or whether there are any.

CREATE TYPE shown_event AS (
    aggregate_id text, aggregate_version bigint, event_type text, event_version bigint, metadata json, event_id text,
    "offset" text, found bigint
);

CREATE FUNCTION aggregate_page(of_aggregate text, from_version bigint, wanted bigint, result_bytes bigint)
RETURNS SETOF shown_event
LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
    SELECT
        aggregate_id, aggregate_version, event_type, event_version, metadata, event_id,
        transaction_id || '-' || position, found
    FROM (
        SELECT *, count(*) OVER () AS found, sum(bytes) OVER (ORDER BY aggregate_version) AS total
        FROM (
            SELECT * FROM events
            WHERE aggregate_id = of_aggregate AND aggregate_version >= from_version
            ORDER BY aggregate_version
            LIMIT wanted
        ) AS candidate
    ) AS measured
    WHERE total <= result_bytes
    ORDER BY aggregate_version
$$;

-- Transactions that are still open, and all behind them, are left for later: a reader that had passed one would never
-- see what it commits.
CREATE FUNCTION log_page(after_transaction bigint, after_position bigint, wanted bigint, result_bytes bigint)
RETURNS SETOF shown_event
LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
    SELECT
        aggregate_id, aggregate_version, event_type, event_version, metadata, event_id,
        transaction_id || '-' || position, found
    FROM (
        SELECT *, count(*) OVER () AS found, sum(bytes) OVER (ORDER BY transaction_id, position) AS total
        FROM (
            SELECT * FROM events
            WHERE (transaction_id, position) > (after_transaction, after_position) AND transaction_id < settled()
            ORDER BY transaction_id, position
            LIMIT wanted
        ) AS candidate
    ) AS measured
    WHERE total <= result_bytes
    ORDER BY transaction_id, position
$$;
