"""The Lambda of each projection: PROJECTION says which one it is."""

import os

from examples.accounts.projections import PROJECTIONS
from lambdas.projections.runtime import function

handler = function(PROJECTIONS[os.environ["PROJECTION"]](), os.environ)
