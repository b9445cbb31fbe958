"""Changes to MiniStack's DynamoDB, each of which says what MiniStack itself would have to change.

They are made in the running module, for the local AWS and for `testkit.emulator` alike. Each is held against the
unchanged module by tests under tests/local/dynamodb. Written against MiniStack 1.5.33.
"""

from types import ModuleType

from local.dynamodb import expressions, request_tokens, sorted_items


def install(dynamodb: ModuleType) -> None:
    """Changes `ministack.services.dynamodb`."""
    for change in (expressions, request_tokens, sorted_items):
        change.install(dynamodb)
