"""No test's verdict depends on how quick the machine is, on the moment, or on what is drawn this time.

Knows: the calls that take a span of time, or ask for the time; what Hypothesis may measure.
Does not know: what is tested. What waits is in `tests/support/patience.py`, what is drawn in `chance.py` beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from trio._core import _run

from tests.support.chance import PROFILES, the_same_order

TESTS = Path(__file__).resolve().parents[1]
MODULES = sorted(path for path in TESTS.rglob("*.py") if path.name != "patience.py")
SPANS = {"fail_after", "move_on_after", "wait_for", "wait", "join", "communicate", "Timer"}
CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time", "time_ns"}
ASKED = {"Call"}
"""What an adapter asks of its platform: the time that it would give."""


def _number(node: ast.expr) -> bool:
    """A span of time as a literal; 0 is none."""
    if isinstance(node, ast.IfExp):
        return _number(node.body) or _number(node.orelse)
    if not isinstance(node, ast.Constant):
        return False
    return isinstance(node.value, int | float) and node.value not in (0, False, True)


def _of(call: ast.Call) -> tuple[str, str]:
    """Whose function is called, and its name."""
    if isinstance(call.func, ast.Attribute):
        return ast.unparse(call.func.value), call.func.attr
    return "", ast.unparse(call.func)


def faults(source: str) -> Iterator[str]:
    """The calls of a module by which luck gets in."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    limits = {ast.unparse(one.args[1]) for one in calls if _of(one) == ("", "Limit")}
    for call in calls:
        (whose, name), spans = _of(call), [word for word in call.keywords if word.arg]
        timed = [one.value for one in spans if str(one.arg).endswith("timeout")]
        if name in SPANS and not timed:
            timed = call.args[:1]
        if name in ASKED:
            timed = []
        if any(_number(one) and ast.unparse(one) not in limits for one in timed):
            yield f"line {call.lineno}: a span of real time is PATIENCE, BRIEFLY, or a Limit that is ended"
        if name == "sleep" and not (call.args and ast.unparse(call.args[0]) == "0"):
            yield f"line {call.lineno}: a test does not sleep, it waits `until`"
        if whose == "time" and name in CLOCKS:
            yield f"line {call.lineno}: how long something has taken shows nothing"
        for one in spans:
            yield from _measured(call, one)


def _measured(call: ast.Call, word: ast.keyword) -> Iterator[str]:
    """What Hypothesis is asked to measure."""
    text = ast.unparse(word.value)
    if word.arg == "deadline" and text != "None":
        yield f"line {call.lineno}: an example may take as long as the machine needs"
    if word.arg == "suppress_health_check" and not ("too_slow" in text or text.startswith("list")):
        yield f"line {call.lineno}: drawing an example may take as long as the machine needs"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TESTS)))
def test_nothing_is_left_to_luck(path: Path) -> None:
    """What must come is waited for, what cannot come is given a moment, and no time is measured."""
    assert [*faults(path.read_text("utf-8"))] == []


WRONG = {
    "with anyio.fail_after(5): ...": 1,
    "with anyio.move_on_after(0.5): ...": 1,
    "thread.join(20)": 1,
    "begun.wait(0.1)": 1,
    "subprocess.run(command, timeout=60)": 1,
    "bot.app.on('message.inbound', timeout=0.1)": 1,
    "send(fake, timeout=0.2 if hangs else 10)": 1,
    "time.sleep(0.01)": 1,
    "await anyio.sleep(pause)": 1,
    "assert time.monotonic() - began < 6": 1,
    "settings(deadline=200)": 1,
    "settings(suppress_health_check=[HealthCheck.function_scoped_fixture])": 1,
}
RIGHT = (
    "with soon(): ...", "thread.join(PATIENCE)", "' '.join(words)", "time.sleep(0)", "begun.wait()",
    "fake.wait(1, timeout=PATIENCE)", "yield Call('GET', url, timeout=600)", "datetime.time(7)",
    "Limit(patch, 7.25); app.on('x', timeout=7.25)", "settings(max_examples=20, deadline=None)",
    "settings(suppress_health_check=[HealthCheck.too_slow])", "await anyio.sleep_forever()",
)  # fmt: skip


@pytest.mark.parametrize("source", [*WRONG, *RIGHT])
def test_each_fault_is_seen(source: str) -> None:
    """And what is none passes."""
    assert len([*faults(source)]) == WRONG.get(source, 0)


@pytest.mark.parametrize("name", PROFILES)
def test_no_profile_measures(name: str) -> None:
    """However slowly an example is drawn or run, that is no fault of what is tested."""
    found = settings.get_profile(name)
    assert found.deadline is None
    assert HealthCheck.too_slow in found.suppress_health_check
    assert found.derandomize is PROFILES[name]


def _item(name: str, seed: str | None) -> Any:
    return SimpleNamespace(
        nodeid=name, config=SimpleNamespace(getoption=lambda _option, _default=None: seed)
    )


def test_the_order_of_tasks_is_the_tests_own() -> None:
    """One test has one order in every run; another test, or another seed, has another."""

    def drawn(name: str, seed: str | None = None) -> list[float]:
        the_same_order(_item(name, seed))
        return [_run._r.random() for _ in range(8)]

    assert drawn("a") == drawn("a")
    assert drawn("a", "1") == drawn("a", "1")
    assert len({tuple(each) for each in (drawn("a"), drawn("b"), drawn("a", "1"))}) == 3
    assert drawn("a", "random") != drawn("a", "random")
