"""Whatever adapter code raises, wherever it is called: the others go on, it is told, it is tried again.

Knows: a platform each of whose connections breaks in another place. Does not know: what catches it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest
from attrs import evolve

from outeract_core import App, Outeract, PlatformConnection
from outeract_core.adapter import (
    Flow,
    Health,
    Inbound,
    Manifest,
    Outgoing,
    Polled,
    Profile,
    Recipient,
    Response,
    Sent,
    Settings,
)
from outeract_core.errors import (
    Ambiguous,
    BadInput,
    LeaseLost,
    MissingSecret,
    Rejected,
    StoreBroken,
    StoreClosed,
    Throttled,
    Transient,
    Unauthorised,
    Unsupported,
)
from outeract_core.events import FileRef
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.support.patience import let_go_on, soon
from tests.support.raising import BACKENDS, UNTELLABLE, WAYS, crossed, raises
from tests.support.store.platform import Plain, external_name, kinds, said, take

pytestmark = pytest.mark.anyio


def _deep() -> None:
    """Recurse until Python refuses."""
    _deep()


class _OwnError(BaseException):
    pass


KINDS: dict[str, Callable[[], Any]] = {
    "recursion": _deep,
    "deep JSON": lambda: json.loads("[" * 100_000),
    "bad JSON": lambda: json.loads("<html>"),
    "no text": lambda: b"\xff".decode(),
    "os": raises(OSError("no route")),
    "key": raises(KeyError("result")),
    "type": raises(TypeError("None")),
    "memory": raises(MemoryError()),
    "assertion": raises(AssertionError()),
    "stop": raises(StopIteration()),
    "timeout": raises(TimeoutError()),
    "exit": raises(SystemExit(1)),
    "generator": raises(GeneratorExit()),
    "cancelled": raises(asyncio.CancelledError()),
    "own": raises(_OwnError()),
    "group": raises(BaseExceptionGroup("g", [ValueError("inner"), SystemExit(2)])),
    "store closed": raises(StoreClosed("another one")),
    "store broken": raises(StoreBroken("another one")),
    "lease": raises(LeaseLost("another one")),
    **UNTELLABLE,
}
SENDING: dict[str, Callable[[], Any]] = {
    "transient": raises(Transient("unreachable")),
    "unauthorised": raises(Unauthorised("token refused")),
    "unauthorised, half a surrogate": raises(Unauthorised("\ud800\0")),
    "transient, half a surrogate": raises(Transient("\ud800\0")),
    "rejected, half a surrogate": raises(Rejected("\ud800\0", code="\udfff")),
    "ambiguous, half a surrogate": raises(Ambiguous("\ud800\0")),
    "throttled": raises(Throttled("slow down", after=3.0)),
    "rejected": raises(Rejected("no")),
    "ambiguous": raises(Ambiguous("who knows")),
    "unsupported": raises(Unsupported("no such thing")),
    "secret": raises(MissingSecret("the environment variable X is not set")),
    "input": raises(BadInput("not like that")),
}
"""What has a meaning of its own where something is sent."""
NAKED = ("exit", "generator", "cancelled", "own", "group")
"""No `Exception`s: what they pass through depends on the event loop and on who runs it."""
PLACES = (
    "construct", "poll", "poll later", "handshake", "verify", "parse", "normalise", "acknowledge",
    "send", "send later", "react", "find", "fetch", "profile", "check",
)  # fmt: skip


class Breaking(Plain):
    """The connection breaks in the place that its account names; others are as they should be."""

    manifest: ClassVar[Manifest] = evolve(
        Plain.manifest, platform="breaking", idempotency="reconcile",
        capabilities=Plain.manifest.capabilities | {"react", "media"},
    )  # fmt: skip
    broken: ClassVar[Callable[[], Any] | None] = None
    asked: ClassVar[list[str]] = []

    def __init__(self, settings: Settings) -> None:
        """Which one it is."""
        self.account = settings.account or ""
        self.at("construct")

    def at(self, place: str) -> None:
        """Break, if this is the place."""
        if place == self.account and self.broken is not None:
            self.asked.append(place)
            type(self).broken()  # type: ignore[misc]

    def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
        """A message of each once."""
        self.at("poll")
        return self._polled(cursor)

    def _polled(self, cursor: Any) -> Flow[Polled]:
        yield from ()
        self.at("poll later")
        return Polled(() if cursor else (said("m1"),), "1")

    def handshake(self, inbound: Inbound) -> Response | None:
        """None is needed."""
        self.at("handshake")
        return None

    def verify(self, inbound: Inbound) -> None:
        """Everybody is trusted."""
        self.at("verify")

    def parse(self, inbound: Inbound) -> Iterator[Any]:
        """The facts, one by one."""
        for fact in super().parse(inbound):
            self.at("parse")
            yield fact

    def normalise(self, external_id: str, kind: str) -> str:
        """As it is."""
        self.at("normalise")
        return external_id

    def acknowledge(self, inbound: Inbound) -> Response:
        """As usual."""
        self.at("acknowledge")
        return Response()

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Accepted without a request."""
        self.at("send")
        return self._sent(outgoing)

    def _sent(self, outgoing: Outgoing) -> Flow[Sent]:
        yield from ()
        self.at("send later")
        if self.account == "find" and self.broken is not None:
            raise Ambiguous("the answer was lost")
        return Sent(external_name(outgoing.token))

    def find(self, outgoing: Outgoing) -> Flow[Sent | None]:
        """It is there."""
        yield from ()
        self.at("find")
        return Sent(external_name(outgoing.token))

    def react(self, message: Any, emoji: str, remove: bool) -> Flow[None]:
        """Accepted."""
        yield from ()
        self.at("react")

    def profile(self, of: Recipient) -> Flow[Profile]:
        """Nothing is known of anybody."""
        self.at("profile")
        return self._done(Profile())

    def check(self) -> Flow[Health]:
        """All is well."""
        self.at("check")
        return self._done(Health(ok=True))

    def _done(self, told: Any) -> Flow[Any]:
        yield from ()
        return told

    def fetch(self, handle: Any) -> Flow[Any]:
        """It never comes, but in its own way."""
        yield from ()
        self.at("fetch")
        raise Rejected("it is gone")


def opened(path: Path, clock: ManualClock) -> Outeract:
    """An application with a connection for each place, and one with a sound connection only."""
    core = Outeract(path, clock=clock)
    core.register("breaking", Breaking)
    for name in ("one", "two"):
        app = core.app(name, profiles="pictures")
        app.connect("breaking", name="good", account=f"good {name}", poll=True)
        app.on("message.inbound", name="echo")(lambda message: f"re: {message.text}")
    for place in PLACES:
        polled = place in ("construct", "poll", "poll later")
        core.app("one").connect("breaking", name=place, account=place, poll=polled)
    return core


def _named(app: App, name: str) -> PlatformConnection:
    return next(each for each in app.connections() if each.name == name)


async def _provoke(core: Outeract) -> None:
    """Something to do for the places where something is sent or fetched."""
    app = core.app("one")
    await take(core, _named(app, "react"), said("r1", "rita"))
    for place in ("send", "send later", "find"):
        await app.send((_named(app, place), "bob"), "hello")
    event = (await app.events.page(type_is("message.inbound"))).nodes[0]
    await app.react(event, "👍")
    await take(core, _named(app, "fetch"), said("f1", files=(FileRef({"id": "x"}),)))
    await take(core, _named(app, "profile"), said("p1", "paul"))


async def _delivered(core: Outeract) -> dict[str, int]:
    """A webhook for every place where one is read; how each was answered."""
    app, answers = core.app("one"), {}
    for place in ("handshake", "verify", "parse", "normalise", "acknowledge"):
        answers[place] = (await take(core, _named(app, place), said(f"{place} 1"))).status
    return answers


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any] | None], None]:
    """From now on the places break like that."""
    monkeypatch.setattr(Breaking, "asked", [])

    def begin(how: Callable[[], Any] | None) -> None:
        monkeypatch.setattr(Breaking, "broken", None if how is None else staticmethod(how))

    return begin


@pytest.mark.parametrize(
    ("kind", "way", "anyio_backend"), crossed([*KINDS, *SENDING], WAYS, BACKENDS, whole=NAKED)
)
async def test_one_that_breaks_stops_nobody(
    tmp_path: Path, kind: str, way: str, broken: Any, clock: ManualClock, caplog: Any
) -> None:
    """In every place at once: sound connections of both applications are answered, all is told."""
    async with opened(tmp_path / "a.db", clock) as core:
        await _provoke(core)
        broken({**KINDS, **SENDING}[kind])
        core.runtime._adapters.clear()
        with caplog.at_level(logging.WARNING, "outeract_core"):
            answers = await _delivered(core)
            checks = {each.connection.name: each.ok for each in await core.check()}
            await _worked(core, way, clock)
        assert checks["good"]
        assert not checks["check"]
        for name in ("one", "two"):
            assert "message.sent" in await kinds(core.app(name)), name
        assert set(Breaking.asked) == set(PLACES)
        one = core.app("one")
        assert {_named(one, p).status for p in ("construct", "poll", "poll later")} == {
            "unauthorised" if kind.startswith("unauthorised") else "unreachable"
        }
        assert (answers["parse"], answers["normalise"], answers["acknowledge"]) == (200, 200, 200)
        assert await one.events.count(type_is("system.delivery_unparsed")) == 1
        if kind in KINDS:
            assert (answers["handshake"], answers["verify"]) == (500, 500)
            found = await kinds(one)
            assert found.count("message.failed") == 3, found
            assert found.count("message.unknown") == 1
        told = [record.getMessage() for record in caplog.records]
        assert any("construct" in text for text in told)


async def _worked(core: Outeract, way: str, clock: ManualClock) -> None:
    """Until the good ones are answered, and what is doubtful was asked for."""
    if way == "pump":
        for _ in range(3):
            await core.pump()
            clock.advance(60)
        return
    async with anyio.create_task_group() as group:
        group.start_soon(core.serve)
        with soon():
            while not await _is_through(core):
                clock.advance(1)
                core.runtime.wake()
                await let_go_on()
        group.cancel_scope.cancel()


async def _is_through(core: Outeract) -> bool:
    answered = ["message.sent" in await kinds(core.app(name)) for name in ("one", "two")]
    return all(answered) and set(Breaking.asked) == set(PLACES)


@pytest.mark.parametrize(("kind", "anyio_backend"), crossed(KINDS, BACKENDS, whole=NAKED))
async def test_when_it_is_mended_all_goes_on(
    tmp_path: Path, kind: str, broken: Any, clock: ManualClock
) -> None:
    """What the breaking has kept back is polled, delivered again and read again; it has lost nothing."""
    async with opened(tmp_path / "a.db", clock) as core:
        broken(KINDS[kind])
        core.runtime._adapters.clear()
        await _delivered(core)
        await core.pump()
        broken(None)
        assert set((await _delivered(core)).values()) == {200}
        await core.replay()
        await core.pump()
        one = core.app("one")
        assert {each.status for each in one.connections()} == {"active"}
        assert await one.events.count(type_is("message.inbound")) == 1 + 3 + 5
