"""Two tables; the events table's stream wakes the one sequencer that writes the log.

The store is that of both dual-table patterns: `lambdas/eventstore/sequencing/store.py` has its guarantees and costs.
What is this pattern's own is how the sequencer is woken, in `sequencer.py`.
"""

from lambdas.eventstore.sequencing.store import from_environment

__all__ = ["from_environment"]
