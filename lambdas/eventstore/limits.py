"""The contract's limits: the same for every pattern, so that changing the pattern never changes what is accepted.

Each is the tightest that any pattern's service imposes, with the service named. Lengths and counts stand in
`wire.schema.json`; here are the limits that JSON Schema cannot state.
Sources read 2026-11: DynamoDB quotas (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html),
RDS Data API (docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html), Lambda quotas
(docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), I-JSON (RFC 7493).
"""

EVENT_BYTES = 48 * 1024
"""An event as compact UTF-8 JSON. A row of the Data API holds 64 KB, an item of DynamoDB 400 KB."""

REQUEST_BYTES = 1024 * 1024
"""A request as compact UTF-8 JSON. An asynchronous Lambda invocation carries 1 MB, a DynamoDB transaction 4 MB."""

PAGE_BYTES = 5_000_000
"""A page of events as JSON with every non-ASCII character escaped. A Lambda response holds 6 MB."""

METADATA_DEPTH = 24
"""Nested containers, `metadata` itself being the first. DynamoDB holds 32 levels."""

MAX_INTEGER = 2**53 - 1
"""Integers that every JSON parser keeps exact (RFC 7493, section 2.2)."""

MIN_MAGNITUDE, MAX_MAGNITUDE = 1e-130, 9.9e125
"""The range of a DynamoDB number, zero aside."""
