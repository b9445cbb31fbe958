"""Proofs about the published log: that an event is in it, and that one state of it begins another.

Costs: O(log n) reads of S3 for either. What is asked for and is not there is refused, and everything that is answered can
be verified without this log (`transparency.verifier`).
"""

from __future__ import annotations
