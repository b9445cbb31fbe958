"""What the pattern keeps is compared in `lambdas/eventstore/log_first/audit.py`."""

from lambdas.eventstore.log_first.audit import audit, repair

__all__ = ["audit", "repair"]
