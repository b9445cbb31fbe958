"""What is stored is what is in the log: its last page's events may not be in their table yet."""

from testkit import log_first


class Harness(log_first.Harness):
    deletes_from = frozenset({"PENDING_TABLE"})
