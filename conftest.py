"""One suite for the whole project: the tests of a pattern's own folder use the same fixtures as those under tests/."""

pytest_plugins = ["testkit.fixtures"]
