"""What a PYTHONPATH of another project may hold: a module of a name that the commands import."""

raise ImportError("a command imported a module that is not its own")
