"""What both dual-table patterns keep is compared in `lambdas/eventstore/sequencing/audit.py`."""

from lambdas.eventstore.sequencing.audit import audit, repair

__all__ = ["audit", "repair"]
