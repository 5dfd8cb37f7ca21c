"""Whether it was Python's lock that was waited for.

Knows: seconds that it is told. Does not know: threads.
"""

from __future__ import annotations

import pytest

from outeract_core._store.engine.seen.waits import waited


@pytest.mark.parametrize(
    ("seconds", "rows", "is_so"),
    [
        (0.0003, 50, False),  # nobody computes
        (0.0039, 50, False),
        (0.0041, 50, True),  # one row has waited
        (0.25, 50, True),
        (0.05, 5_000, False),  # it was many rows
        (0.3, 5_000, True),
        (0.5, 0, False),  # it was no row at all: it was read in, compiled, or the disk was slow
    ],
)
def test_a_query_that_was_slow_by_its_rows_has_not_waited(
    seconds: float, rows: int, is_so: bool
) -> None:
    """With a switch interval of 5 ms."""
    assert waited(seconds, rows, 0.005) == is_so
