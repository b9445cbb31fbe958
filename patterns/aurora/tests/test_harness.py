"""What a comparison leaves out of the bytes of this pattern's calls."""

import re

from .harness import Harness


def test_bytes_do_not_depend_on_what_a_service_counts_up_and_do_on_all_else() -> None:
    counted = re.compile(Harness.counted)

    def weighed(secret: str, offset: str, number: int) -> str:
        return counted.sub("", f'{{"secretArn":"{secret}","stringValue":"{offset}","longValue":{number}}}')

    assert weighed("a", "7-1", 9) == weighed("a", "7654-12", 1000)
    # Two parts of a UUID that happen to have no letter look like an offset.
    assert weighed("cluster-0b7e-4512-8317-c9", "7-1", 9) == weighed("cluster-0b7e-4512-8317-c9", "8-2", 9)
    assert "4512-8317" in weighed("cluster-0b7e-4512-8317-c9", "7-1", 9)
