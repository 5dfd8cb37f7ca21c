"""Whatever a callable that the host has given raises: it is told, and everybody else is served.

Knows: each callable that the library calls while it works, and every kind of exception. Handlers have a table
of their own (`tests/handlers/test_endings.py`), adapters too (`test_breaking.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import anyio
import httpx
import pytest
from attrs import evolve

from outeract_core import App, Outeract, Secret
from outeract_core.adapter import Call, Flow, Manifest, Outgoing, Sent, Settings
from outeract_core.events import FileRef
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.api.test_breaking import KINDS, NAKED
from tests.support.patience import let_go_on, soon
from tests.support.raising import BACKENDS, WAYS, crossed
from tests.support.store.platform import Plain, said, take

pytestmark = pytest.mark.anyio
Raise = Callable[[], Any]
CALLED = ("secret", "transcribe", "console", "transport")


class Wired(Plain):
    """It asks for its token and makes one request for each message."""

    manifest: ClassVar[Manifest] = evolve(
        Plain.manifest, platform="wired", idempotency="none", config={"token": "a secret"},
        secrets=frozenset({"token"}),
    )  # fmt: skip

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Say it."""
        token = self._settings.secret("token")
        yield Call("POST", f"http://{self._settings.account}.test/", json={"token": token})
        return Sent(f"out-{outgoing.token}")


class Host:
    """A program whose callables are sound until they break."""

    def __init__(self, path: Path, clock: ManualClock, raises: Raise) -> None:
        self.raises, self.clock, self.breaks, self.called = raises, clock, "", 0
        self.core = Outeract(
            path, clock=clock, secrets={"vault": self.secret}, transcribe=self.transcribe,
            console=self.console, transport=httpx.MockTransport(self.answer),
            allow_private_addresses=True,
        )  # fmt: skip
        self.core.register("wired", Wired)
        for name in ("one", "two"):
            app = self.core.app(name, transcription="enabled", profiles="disabled")
            token = Secret("vault", name)
            app.connect("wired", name="wire", account=name, token=token)
            app.connect("console", name="screen")

    @property
    def one(self) -> App:
        """Whose callables break."""
        return self.core.app("one")

    def at(self, what: str) -> None:
        """Break, if this does."""
        if what == self.breaks:
            self.called += 1
            self.raises()

    def secret(self, name: str) -> str:
        """A vault."""
        if name == "one":
            self.at("secret")
        return f"secret of {name}"

    def transcribe(self, _path: Path, _mime: str | None) -> str:
        """What was said."""
        self.at("transcribe")
        return "hello"

    def console(self, message: Any) -> Any:
        """A terminal."""
        if message["text"] == "to one":
            self.at("console")
        return {}

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The network."""
        if request.url.host == "one.test":
            self.at("transport")
        return httpx.Response(200, json={})


async def _everything(host: Host) -> None:
    """Something for each callable to do, in both applications."""
    for app in (host.one, host.core.app("two")):
        wire = next(each for each in app.connections() if each.name == "wire")
        await app.send((wire, "bob"), f"to {app.name}")
        await app.send(("console", "ann"), f"to {app.name}")
        await take(host.core, wire, said("m", files=(FileRef({"id": "x"}, "audio/ogg"),)))
    stored = host.core.runtime.folder.keep(b"RIFF")
    heard = f"mime = 'audio/ogg', sha256 = '{stored.sha256}'"
    host.core.runtime.database.write_now(
        lambda tx: tx.script(f"UPDATE file SET status = 'stored', due = 0, {heard}")
    )


async def _work(host: Host, way: str, through: Callable[[], Awaitable[bool]]) -> None:
    """Until the sound application has all that it asked for and the broken callable was called."""
    if way == "pump":
        for _ in range(3):
            await host.core.pump()
            host.clock.advance(60)
        assert await through()
        return
    async with anyio.create_task_group() as group:
        group.start_soon(host.core.serve)
        with soon():
            while not await through():
                host.clock.advance(1)
                host.core.runtime.wake()
                await let_go_on()
        group.cancel_scope.cancel()


async def _settled(host: Host) -> None:
    """Until nothing is left to do in either, and some rounds more, in which nothing comes twice."""
    apps, left = (host.one, host.core.app("two")), 30
    while left:
        left -= 1
        host.clock.advance(600)
        await host.core.pump()
        told = [await app.events.count(type_is("message.transcribed")) for app in apps]
        if all(told) and sum(await _ended(host)) == 2:
            left = min(left, 3)


async def _ended(host: Host) -> list[int]:
    """How many messages of the broken one were sent, have failed, are unknown."""
    types = [f"message.{name}" for name in ("sent", "failed", "unknown")]
    return [await host.one.events.count(type_is(name)) for name in types]


@pytest.mark.parametrize(
    ("kind", "what", "way", "anyio_backend"),
    crossed([*product(KINDS, CALLED)], WAYS, BACKENDS, whole=product(NAKED, CALLED)),
)
async def test_one_that_breaks_stops_nobody(
    tmp_path: Path, clock: ManualClock, kind: str, what: str, way: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """The other application's messages leave; it is told; and mended, nothing is lost but what has failed."""
    host = Host(tmp_path / "a.db", clock, KINDS[kind])
    async with host.core:
        host.breaks = what
        two = host.core.app("two")
        await _everything(host)

        async def through() -> bool:
            return bool(host.called) and await two.events.count(type_is("message.sent")) == 2

        await _work(host, way, through)
        assert caplog.records, "it was told"
        host.breaks = ""
        await _settled(host)
        assert await two.events.count(type_is("message.transcribed")) == 1
        ended = await _ended(host)
        assert sum(ended) == 2, ended
        if what in ("transcribe", "secret"):
            assert ended == [2, 0, 0]
        assert await host.one.events.count(type_is("message.transcribed")) == 1


@pytest.mark.parametrize(("kind", "anyio_backend"), crossed(KINDS, BACKENDS, whole=NAKED))
async def test_a_counter_of_tokens_that_breaks_ends_its_own_call(
    tmp_path: Path, clock: ManualClock, kind: str
) -> None:
    """`context(tokens=)` raises what the host's function raised, and the next question is answered."""
    host = Host(tmp_path / "a.db", clock, KINDS[kind])
    async with host.core:
        await _everything(host)
        peer = (await host.one.conversations.recent()).nodes[0].peer
        conversation = await host.one.conversations.of(peer)
        with pytest.raises(BaseException) as raised:
            await conversation.context(tokens=lambda _text: host.raises(), max_tokens=5)
        assert not isinstance(raised.value, AssertionError) or kind == "assertion"
        assert len(await conversation.context(tokens=len, max_tokens=500)) >= 1
        await host.core.pump()
        assert await host.core.app("two").events.count(type_is("message.sent")) == 2
