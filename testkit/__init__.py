"""What verifies a pattern, wherever it lives. `pytest_plugins = ["testkit.fixtures"]` in the top conftest.py starts it.

To write a test: `examples` and `large` make requests, `strategies` draws them; `subjects` are stores seen through the
wire; `trials` puts one fault on a fresh store; `schedules` forces races. To write a pattern: `harness` says how its
stores are made, drained and looked into; `streams` and `sequenced` help those with Lambdas behind the store. Under
these: `aws_calls` watches and disturbs AWS calls, `faults` are the disturbances, `capacity` counts units, `permissions`
tries roles, `emulator` is DynamoDB in this process, `session` the local AWS with all patterns deployed.
"""

import pkgutil

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))
