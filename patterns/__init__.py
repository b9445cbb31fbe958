"""One folder, one event store. A pattern imports `lambdas`, and never another pattern."""
