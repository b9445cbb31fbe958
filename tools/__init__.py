"""The project's commands, each a module: `python -m tools.deploy`."""
