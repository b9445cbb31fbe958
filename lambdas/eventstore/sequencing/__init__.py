"""One order over all events, given after they are stored: what both dual-table patterns share.

Start with `sequencer` (why nothing enters the log twice), then `log` (how it is kept). Doorbells tell the sequencer
where to look, the sweep finds what no doorbell has told, and `store` reads and writes for the three operations.
"""
