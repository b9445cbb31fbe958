"""The two tables are compared in `lambdas/eventstore/log_first/audit.py`, and salts are given back with their events.

That the log is the one that was signed is another question: `commands/verify.py` here answers it from the bucket.
"""

from lambdas.eventstore.log_first.audit import audit, repair

__all__ = ["audit", "repair"]
