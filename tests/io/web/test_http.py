"""The door to the network tells what an interrupted request means, and lets none go where none may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import httpx
import pytest

from outeract_core._io.web import bodies
from outeract_core._io.web.http import Http, Network
from outeract_core.adapter import Call, Download, Flow, Reply
from outeract_core.errors import Ambiguous, PrivateAddress, Rejected, Transient
from outeract_core.testing import FakePlatform
from tests.support.patience import BRIEFLY, PATIENCE, Limit, let_go_on, until

pytestmark = pytest.mark.anyio


def ask(url: str, **more: Any) -> Flow[Reply]:
    """A flow of one request."""
    return (yield Call("POST", url, json={}, **more))


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """A door that lets private addresses pass only when the host trusts them."""
    door = Http()
    yield door
    await door.aclose()


async def test_requests_to_private_addresses_are_refused(http: Http) -> None:
    """Loopback by name or number, link-local, private ranges: no request leaves."""
    with FakePlatform() as fake:
        local = fake.url.replace("127.0.0.1", "localhost")
        for url in (fake.url, local, "http://10.0.0.1", "http://169.254.169.254", "http://[::1]:1"):
            with pytest.raises(Rejected, match="private address"):
                await http.run(ask(f"{url}/bot1:x/getMe"))
            with pytest.raises(PrivateAddress):
                async with http.download(Download(Call("GET", f"{url}/file")), 1000):
                    pass
        assert fake.requests == []
        http.trust(1, fake.url)
        assert (await http.run(ask(f"{fake.url}/bot1:x/getMe"), by=1)).status == 200


async def test_a_redirect_into_the_own_network_is_refused() -> None:
    """Each address of a chain of redirects is checked; credentials stay with their host."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.host == "93.184.215.14":
            return httpx.Response(200, content=b"bytes")
        to = "http://127.0.0.1/secret" if "inside" in request.url.path else "http://93.184.215.14/f"
        return httpx.Response(302, headers={"location": to})

    door = Http(Network(transport=httpx.MockTransport(answer)))
    door.trust(1, "http://api.example")
    call = Call("GET", "http://api.example/f", headers={"Authorization": "Bearer t"})
    async with door.download(Download(call), 1000, by=1) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"bytes"
    assert "authorization" in seen[0].headers
    assert "authorization" not in seen[1].headers
    with pytest.raises(PrivateAddress):
        inside = Download(Call("GET", "http://api.example/inside"))
        async with door.download(inside, 1000, by=1):
            pass
    await door.aclose()


async def test_what_was_certainly_not_done_is_told_apart_from_what_may_have_been(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No connection: transient. A connection that breaks off after the request: ambiguous."""
    door = Http(Network(allow_private=True))
    with FakePlatform() as fake:
        url = fake.url
        fake.drop(1)
        with pytest.raises(Ambiguous):
            await door.run(ask(f"{url}/bot1:x/sendMessage"))
        fake.hang(1)
        asked, limit = len(fake.requests), Limit(monkeypatch, 77.25)
        async with anyio.create_task_group() as group:
            group.start_soon(_silent, door, ask(f"{url}/bot1:x/sendMessage", timeout=77.25))
            await until(lambda: len(fake.requests) > asked)
            limit.end()
    with pytest.raises(Transient):
        await door.run(ask(f"{url}/bot1:x/sendMessage"))
    await door.aclose()


async def _silent(door: Http, flow: Flow[Any]) -> None:
    with pytest.raises(Ambiguous, match=r"within 77\.25 seconds"):
        await door.run(flow)


async def test_network_errors_reach_the_flow_first() -> None:
    """A flow may catch what went wrong, for instance to look whether it happened."""
    door = Http(Network(allow_private=True))

    def careful(url: str) -> Flow[str]:
        try:
            yield Call("POST", url, json={})
        except Ambiguous:
            return "looked"
        return "answered"

    with FakePlatform() as fake:
        fake.drop(1)
        assert await door.run(careful(f"{fake.url}/bot1:x/getMe")) == "looked"
        assert await door.run(careful(f"{fake.url}/bot1:x/getMe")) == "answered"
    await door.aclose()


async def test_a_url_with_a_secret_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing at any level logs an address that may hold a token, and no error shows it."""
    caplog.set_level(0)
    door = Http(Network(allow_private=True))
    with FakePlatform() as fake:
        await door.run(ask(f"{fake.url}/bot1:very-secret/getMe", secret_url=True))
        fake.drop(1)
        with pytest.raises(Ambiguous) as caught:
            await door.run(ask(f"{fake.url}/bot1:very-secret/getMe", secret_url=True))
    await door.aclose()
    assert "very-secret" not in caplog.text + str(caught.value) + repr(caught.value)


class _Dripping(httpx.AsyncByteStream):
    """A body that comes byte by byte, each well within the time that a read may take."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await let_go_on()
            yield b"x"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpx's own
async def test_a_request_has_a_time_in_all() -> None:
    """An answer that drips for ever ends with its call's time, as one that may have arrived."""
    door = Http(Network(transport=_answering(_Dripping()), allow_private=True))
    with pytest.raises(Ambiguous, match=f"within {BRIEFLY:g} seconds"):
        await door.run(ask("http://api.example/x", timeout=BRIEFLY))
    await door.aclose()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpx's own
async def test_a_download_has_a_time_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that drips is given up, so that its place is free for others."""
    monkeypatch.setattr(bodies, "DOWNLOAD_WITHIN", BRIEFLY)
    door = Http(Network(transport=_answering(_Dripping()), allow_private=True))
    with pytest.raises(Transient, match=f"within {BRIEFLY:g} seconds"):
        async with door.download(Download(Call("GET", "http://api.example/f")), 10_000) as chunks:
            async for _ in chunks:
                pass
    await door.aclose()


async def test_one_silent_platform_leaves_the_others_their_requests() -> None:
    """With hundreds of requests of one connection hanging, and a hundred polls, another is served."""
    answered: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "silent.example":
            await anyio.sleep_forever()
        answered.append(request.url.host)
        return httpx.Response(200)

    door = Http(Network(transport=httpx.MockTransport(answer), allow_private=True))
    async with anyio.create_task_group() as group:
        for n in range(300):
            silent = ask("http://silent.example/send", timeout=PATIENCE)
            group.start_soon(partial(door.run, silent, by=1))
            polling = ask("http://silent.example/poll", timeout=PATIENCE)
            group.start_soon(partial(door.run, polling, by=n, waiting=True))
        await anyio.wait_all_tasks_blocked()
        await door.run(ask("http://healthy.example/send"), by=2)
        group.cancel_scope.cancel()
    assert answered == ["healthy.example"]
    await door.aclose()


def _answering(body: httpx.AsyncByteStream) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _request: httpx.Response(200, stream=body))
