"""Two tables; the events table's stream and a FIFO queue wake the sequencer that writes the log.

The store is that of both dual-table patterns: `lambdas/eventstore/sequencing/store.py` has its guarantees and costs.
What is this pattern's own is how the sequencer is woken, in `relay.py`, `queue.py` and `sequencer.py`.
"""

from lambdas.eventstore.sequencing.store import from_environment

__all__ = ["from_environment"]
