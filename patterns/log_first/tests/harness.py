"""What is stored is what is in the log: its last page's events may not be in their table yet."""

from testkit.log_first import Harness

__all__ = ["Harness"]
