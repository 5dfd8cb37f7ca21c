"""What certainly precedes a request is no unknown outcome: nothing has left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve

from outeract_core import Outeract
from outeract_core.adapter import Call, Flow, Outgoing, Sent
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.stepped import Stepwise, Wire, count

pytestmark = pytest.mark.anyio

CALLS: dict[str, Callable[[], Call]] = {
    "a URL with a space in its port": lambda: Call("POST", "http://step wise:8o/", json={}),
    "a URL of no host": lambda: Call("POST", "http:///send", json={}),
    "another scheme": lambda: Call("POST", "gopher://stepwise/", json={}),
    "a header with a line break": lambda: Call(
        "POST", "http://stepwise/", headers={"authorization": "Bearer a\nb"}, json={}),
    "a header that is no ASCII": lambda: Call("POST", "http://stepwise/", headers={"x": "ä€"}, json={}),
    "a header's name with a space": lambda: Call("POST", "http://stepwise/", headers={"x y": "1"}, json={}),
    "a body that is no JSON": lambda: Call("POST", "http://stepwise/", json={"x": object()}),
}  # fmt: skip


def _raises(make: Callable[[], Call]) -> type[Stepwise]:
    class Made(Stepwise):
        def send(self, outgoing: Outgoing) -> Flow[Sent]:
            yield make()
            return Sent("never")

    return Made


class Broken(Stepwise):
    """Its own code fails before any request."""

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Look up what is not there."""
        yield Call("POST", {}["url"])
        return Sent("never")


@pytest.mark.parametrize("what", [*CALLS, "code that raises"])
async def test_what_cannot_be_made_has_failed(
    tmp_path: Path, clock: ManualClock, what: str
) -> None:
    """The message has failed with a reason, the next one is tried, nothing is unknown."""
    wire = Wire(lambda asking: asking.answer())
    adapter = _raises(CALLS[what]) if what in CALLS else Broken
    async with Outeract(
        tmp_path / "bot.db", clock=clock, transport=wire, allow_private_addresses=True
    ) as core:
        core.register("stepwise", adapter)
        app = core.app("support")
        connection = app.connect("stepwise")
        sent = await app.send((connection, "ann"), "hi")
        await core.pump()
        state = await sent.state()
        assert state.status == "failed"
        assert state.reason
        assert await count(app, "message.unknown") == 0
    assert wire.requests == []


@pytest.mark.parametrize("where", ["env", "given"])
async def test_a_secret_with_a_line_break_is_waited_for(
    tmp_path: Path, clock: ManualClock, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the host's to mend: nothing leaves, nothing fails. One at its end is stripped off."""

    class Secret(Stepwise):
        def send(self, outgoing: Outgoing) -> Flow[Sent]:
            token = self._settings.secret("token")
            yield Call("POST", "http://stepwise/send", json={"token": token, "text": "", "part": 0})
            return Sent("done")

    monkeypatch.setenv("STEPWISE", "two\nlines")
    wire = Wire(lambda asking: asking.answer())
    async with Outeract(
        tmp_path / "bot.db", clock=clock, transport=wire, allow_private_addresses=True
    ) as core:
        core.register("stepwise", Secret)
        app = core.app("support")
        token = "env:STEPWISE" if where == "env" else "two\nlines"
        connection = app.connect("stepwise", token=token)
        sent = await app.send((connection, "ann"), "hi")
        await core.pump()
        assert (await sent.state()).status == "queued"
        assert wire.requests == []
        monkeypatch.setenv("STEPWISE", " one-line\n")
        if where == "given":
            app.connect("stepwise", token="one-line\n")
        clock.advance(61)
        await core.pump()
        assert (await sent.state()).status == "sent"
        assert wire.requests[0].said["token"] == "one-line"


async def test_an_adapter_that_cannot_be_made_is_waited_for(
    tmp_path: Path, clock: ManualClock
) -> None:
    """What the connection's configuration breaks is told, and no message ends by it."""

    class Picky(Stepwise):
        def __init__(self, settings: Any) -> None:
            raise ValueError("no such region")

    async with Outeract(
        tmp_path / "bot.db", clock=clock, transport=Wire(), allow_private_addresses=True
    ) as core:
        core.register("stepwise", Stepwise)
        app = core.app("support")
        connection = app.connect("stepwise")
        sent = await app.send((connection, "ann"), "hi")
        core.runtime._adapters.clear()
        core.register("stepwise", Picky)
        await core.pump()
        assert (await sent.state()).status == "queued"
        assert "no such region" in str(await app.explain(sent.id))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (httpx.ConnectError("no"), "queued"), (httpx.ConnectTimeout("no"), "queued"),
        (httpx.ReadError("gone"), "unknown"), (httpx.ReadTimeout("slow"), "unknown"),
        (httpx.WriteError("half"), "unknown"), (httpx.RemoteProtocolError("?"), "unknown"),
    ],
)  # fmt: skip
async def test_how_a_connection_breaks_tells_whether_it_left(
    tmp_path: Path, clock: ManualClock, error: Exception, status: str
) -> None:
    """No connection: nothing left. A connection that broke later: nobody knows."""

    class Breaking(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise error

    async with Outeract(
        tmp_path / "bot.db", clock=clock, transport=Breaking(), allow_private_addresses=True
    ) as core:
        core.register("stepwise", Stepwise)
        app = core.app("support")
        sent = await app.send((app.connect("stepwise"), "ann"), "hi")
        await core.pump()
        assert (await sent.state()).status == status


async def test_over_a_real_connection_the_first_byte_is_noticed(
    tmp_path: Path, clock: ManualClock
) -> None:
    """A refused connection is no unknown outcome; one that is cut after the request is."""

    class Real(Stepwise):
        manifest = evolve(Stepwise.manifest, platform="real", config={"url": "where"})

        def send(self, outgoing: Outgoing) -> Flow[Sent]:
            yield Call("POST", self._settings.get("url"), json={}, timeout=5)
            return Sent("done")

    options: dict[str, Any] = {"clock": clock, "allow_private_addresses": True}
    with FakePlatform() as fake:
        fake.drop(1)
        async with Outeract(tmp_path / "bot.db", **options) as core:
            core.register("real", Real)
            app = core.app("support")
            cut = app.connect("real", name="cut", url=fake.url + "/x")
            shut = app.connect("real", name="shut", url="http://127.0.0.1:9/x")
            lost, refused = [await app.send((one, "ann"), "hi") for one in (cut, shut)]
            await core.pump()
            assert (await lost.state()).status == "unknown"
            assert (await refused.state()).status == "queued"
