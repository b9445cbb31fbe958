"""The `ksuid` pattern: one DynamoDB table, ordered by time-sortable ids. See README.md."""
