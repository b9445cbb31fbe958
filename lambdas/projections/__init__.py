"""Projections: read models that count every event exactly once. They run on any event store of this project.

Start with `projection` (what one is), then `runner` (how it is kept up to date), `read_model` (where it is kept, and
how a query reads it) and `rebuild`. `runtime` makes a Lambda of it.
"""

from lambdas.projections.projection import Item, Key, Projection
from lambdas.projections.read_model import Checkpoint, ReadModel
from lambdas.projections.runner import Progress, Runner

__all__ = ["Checkpoint", "Item", "Key", "Progress", "Projection", "ReadModel", "Runner"]
