"""The Lambda of a subscription that pushes events to a target: see `push`."""

import os

from lambdas.projections import push, runtime

handler = runtime.handler(push.runner_of(os.environ))
