"""The `single_writer` pattern: a stream wakes the one Lambda that orders all events. See README.md."""
