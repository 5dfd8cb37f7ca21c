"""What is written down of an error is bounded, whoever made it so long, and no secret shows at the cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from outeract_core._io.log import Log

SECRET = "s3cr3t-of-tests"
MOST = 33_000


def _kept() -> BaseException:
    """One that a host keeps and raises again and again."""
    error = ValueError("the same again")
    for _ in range(2000):
        try:
            raise error
        except ValueError:
            pass
    return error


def _ring(left: int) -> None:
    """Two functions that call each other, so that no line repeats the one before."""
    if left == 0:
        raise RecursionError("too deep")
    _back(left - 1)


def _back(left: int) -> None:
    _ring(left)


def _deep() -> BaseException:
    try:
        _ring(300)
    except RecursionError as error:
        return error
    raise AssertionError


def _chained() -> BaseException:
    """Each while the one before was handled."""
    error: BaseException = ValueError(0)
    for number in range(1, 300):
        following = ValueError(number)
        following.__context__ = error
        error = following
    return error


MADE: dict[str, Callable[[], BaseException]] = {
    "kept": _kept,
    "deep": _deep,
    "chained": _chained,
    "wordy": lambda: ValueError(SECRET * 100_000),
    "many": lambda: BaseExceptionGroup("many", [ValueError("x" * 1000) for _ in range(500)]),
}


@pytest.mark.parametrize("made", MADE)
def test_a_trace_is_bounded(made: str) -> None:
    """It begins as it began, ends with what was raised, and says how much is left out."""
    log, error = Log(lambda text: text.replace(SECRET, "***")), MADE[made]()
    trace = log.trace(error)
    assert len(trace) < MOST
    assert SECRET[:6] not in trace
    assert "Error" in trace.splitlines()[0] or "Traceback" in trace or "Group" in trace
    if made in ("kept", "deep", "chained"):
        assert str(error) in trace.splitlines()[-1]
        assert trace.count("\n  File ") <= 60, "the next ones only"


def test_a_short_trace_is_whole() -> None:
    """Nothing is left out of an error as errors are."""
    log = Log(lambda text: text)
    with pytest.raises(RecursionError) as raised:
        _ring(5)
    assert log.trace(raised.value).count("in _ring") == 6
    assert "…" not in log.trace(raised.value)
