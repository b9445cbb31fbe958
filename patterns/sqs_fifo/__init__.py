"""The `sqs_fifo` pattern: a FIFO queue wakes the Lambda that orders all events. See README.md."""
