"""How long threads wait for each other is measured and said; nothing is done about it behind the host's back.

Knows: a clock and a measurement that the test decides. Does not know: how long anything takes.
"""

from __future__ import annotations

import logging
import sys
from itertools import count
from pathlib import Path

import anyio
import pytest

from outeract_core import Outeract, blocking
from outeract_core._api import workers
from outeract_core._io.threads.handover import ADVISED, HandOver, Patience, measured

pytestmark = pytest.mark.anyio
_SLOW, _QUICK = HandOver(7.0, 0.005), HandOver(0.05, 0.005)


def test_how_late_a_thread_wakes_is_a_hand_over() -> None:
    """The median of a few, in milliseconds, beside the interval that Python has now; it stays as it is."""
    before, now, naps = sys.getswitchinterval(), [0.0], list[float]()

    def nap(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds + 0.001 * len(naps)

    assert measured(lambda: now[0], nap) == HandOver(pytest.approx(5.0), before)
    assert len(naps) == 9
    assert measured(lambda: 0.0, lambda _seconds: None).milliseconds == 0.0
    assert sys.getswitchinterval() == before


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (_QUICK, []),
        (HandOver(2.0, 0.005), []),
        (_SLOW, ["7.0 ms", f"sys.setswitchinterval({ADVISED})", "in a process"]),
        (HandOver(7.0, ADVISED), ["7.0 ms", "in a process"]),
    ],
)  # fmt: skip
def test_advice_is_given_when_it_would_help(found: HandOver, said: list[str]) -> None:
    """Nothing up to 2 ms; no interval is advised to whom has it already."""
    assert bool(said) == found.slow
    assert all(words in (found.advice or "") for words in said)
    assert ("setswitchinterval" in (found.advice or "")) == (len(said) == 3)


def test_what_comes_and_goes_is_not_told() -> None:
    """Three in a row, and then never again."""
    patience = Patience()
    seen = [patience.sees(one) for one in (_SLOW, _SLOW, _QUICK, _SLOW, _SLOW, _SLOW, _SLOW)]
    assert [text is not None for text in seen] == [False, False, False, False, False, True, False]


async def test_a_program_can_ask(tmp_path: Path) -> None:
    """It is answered by what was measured in this process, beside the loop."""
    async with Outeract(tmp_path / "a.db") as core:
        assert (await core.hand_over()).interval == sys.getswitchinterval()
        core.runtime.measure = lambda: _SLOW
        assert await core.hand_over() is _SLOW


def test_a_program_without_a_loop_can_ask(tmp_path: Path) -> None:
    """The same through the blocking façade."""
    with blocking.Outeract(tmp_path / "a.db") as core:
        assert core.hand_over().interval == sys.getswitchinterval()


async def test_serving_says_it_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One warning, with what to do, however long it stays slow."""
    monkeypatch.setattr(workers, "_MEASURE", 0.0)
    often, calls = anyio.Event(), count()

    def slow() -> HandOver:
        if next(calls) == 9:
            anyio.from_thread.run_sync(often.set)
        return _SLOW

    async with Outeract(tmp_path / "a.db") as core, anyio.create_task_group() as group:
        core.runtime.measure = slow
        with caplog.at_level(logging.INFO, "outeract_core"):
            group.start_soon(core.serve)
            await often.wait()
            group.cancel_scope.cancel()
    [record] = caplog.records
    assert (record.name, record.levelno) == ("outeract_core.serve", logging.WARNING)
    assert record.getMessage() == _SLOW.advice
