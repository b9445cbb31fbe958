"""Proofs about the published log: that an event is in it, and that one state of it begins another.

Costs: O(log n) reads of S3 for either. What is asked for and is not there is refused, and everything that is answered can
be verified without this log (`transparency.verifier`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws
from lambdas.eventstore.errors import InvalidRequest, Refusal

from .bucket import Bucket, kept_path
from .transparency.checkpoints import Checkpoint, Proof, encoded
from .transparency.merkle import consistency_proof, inclusion_proof
from .transparency.notes import Note
from .transparency.tiles import WIDTH, Tile, Tree, entries_of
