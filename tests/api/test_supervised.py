"""One connection's trouble stops nobody: errors of every kind, in polls and files, under pump and serve.

Knows: a platform that breaks as it is told. Does not know: the supervisor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from outeract_core import Outeract
from outeract_core.adapter import Flow, Polled, Settings
from outeract_core.errors import MissingSecret, Transient, Unauthorised
from outeract_core.testing import ManualClock
from tests.support.patience import let_go_on, soon
from tests.support.raising import raises
from tests.support.store.platform import Plain, said

pytestmark = pytest.mark.anyio


def deep() -> None:
    """Recurse until Python refuses."""
    deep()


KINDS: dict[str, Callable[[], Any]] = {
    "recursion": deep,
    "os": raises(OSError("no route")),
    "value": raises(ValueError("no JSON")),
    "key": raises(KeyError("result")),
    "exit": raises(SystemExit(1)),
    "generator": raises(GeneratorExit()),
    "transient": raises(Transient("unreachable")),
    "unauthorised": raises(Unauthorised("token refused")),
    "secret": raises(MissingSecret("the environment variable X is not set")),
    "group": raises(BaseExceptionGroup("g", [ValueError("inner")])),
}


class Breaking(Plain):
    """Polled: `bad` breaks, others have a message once."""

    broken: Callable[[], Any] = staticmethod(deep)

    def __init__(self, settings: Settings) -> None:
        """Which one it is."""
        self.settings = settings

    def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
        """Break, or tell."""
        yield from ()
        if self.settings.account == "bad":
            type(self).broken()
        facts = () if cursor else (said("m1"),)
        return Polled(facts, "1")


def opened(path: Path, clock: ManualClock | None = None) -> Outeract:
    """Two applications; in the first of them one connection breaks."""
    core = Outeract(path, **({} if clock is None else {"clock": clock}))
    core.register("plain", Breaking)
    for name in ("one", "two"):
        app = core.app(name)
        app.connect("plain", name="good", account=f"good {name}", poll=True)
        app.on("message.inbound", name="echo")(lambda message: f"re: {message.text}")
    core.app("one").connect("plain", name="bad", account="bad", poll=True)
    return core


@pytest.mark.parametrize("kind", KINDS)
async def test_pump_handles_and_sends_for_all_others(
    tmp_path: Path, kind: str, monkeypatch: Any
) -> None:
    """Whatever one poll raises: it is reported by connection, and its state is told."""
    monkeypatch.setattr(Breaking, "broken", staticmethod(KINDS[kind]))
    async with opened(tmp_path / "a.db") as core:
        done = await core.pump()
        assert (done.polled, done.handled, done.sent) == (2, 2, 2)
        assert [each.connection for each in done.troubles] == ["bad"]
        bad = next(each for each in core.app("one").connections() if each.name == "bad")
        assert bad.status == ("unauthorised" if kind == "unauthorised" else "unreachable")


@pytest.mark.parametrize("kind", KINDS)
async def test_serve_goes_on_for_all_others(tmp_path: Path, kind: str, monkeypatch: Any) -> None:
    """Both applications answer, whatever one poll raises."""
    monkeypatch.setattr(Breaking, "broken", staticmethod(KINDS[kind]))
    async with opened(tmp_path / "a.db") as core:
        with soon():
            async with anyio.create_task_group() as group:
                group.start_soon(core.serve)
                for name in ("one", "two"):
                    await _answered(core, name)
                group.cancel_scope.cancel()


async def _answered(core: Outeract, name: str) -> None:
    while True:
        found = (await core.app(name).events.page()).nodes
        if any(event.event_type == "message.sent" for event in found):
            return
        await let_go_on()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancelled_future_in_a_poll_is_a_failure(tmp_path: Path, monkeypatch: Any) -> None:
    """It ends nothing but that poll."""
    monkeypatch.setattr(Breaking, "broken", staticmethod(raises(asyncio.CancelledError())))
    async with opened(tmp_path / "a.db") as core:
        done = await core.pump()
        assert (done.handled, [each.connection for each in done.troubles]) == (2, ["bad"])


async def test_two_that_serve_share_the_applications(tmp_path: Path) -> None:
    """Each comes to own one of two; when one ends, the other has both."""
    async with opened(tmp_path / "a.db") as one, opened(tmp_path / "a.db") as other:
        first, second = one.runtime.ownership, other.runtime.ownership
        apps = [one.app("one").key, one.app("two").key]
        with soon():
            async with first.session(serving=True):
                async with second.session(serving=True):
                    while (
                        sum(app in first for app in apps) != 1
                        or sum(app in second for app in apps) != 1
                    ):
                        await let_go_on()
                    assert not any(app in first and app in second for app in apps)
                while sum(app in first for app in apps) != 2:
                    await let_go_on()
