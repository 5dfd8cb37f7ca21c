"""Requests go where they are meant to go, by the name that was looked up, and tell nobody else a secret.

Knows: the attacks of a name, a redirect, a URL that a platform or a tenant has written. Does not know: platforms.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core import Outeract
from outeract_core._io.web import addresses
from outeract_core._io.web.addresses import public
from outeract_core._io.web.http import Http, Network
from outeract_core._io.web.proxies import Proxies
from outeract_core.adapter import Call, Download, Flow, Reply
from outeract_core.errors import PrivateAddress, Rejected, Unreachable
from tests.support.stepped import Stepwise

pytestmark = pytest.mark.anyio
PUBLIC, OTHER = "93.184.215.14", "93.184.215.15"


class Names:
    """A resolver whose owner answers differently each time; `asked` is what it was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), list[str]()

    async def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        """The next answer, and the last for ever."""
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, 1, 6, "", (one, port)) for one in found]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Names]:
    """Sets what names lead to."""

    def use(*answers: list[str]) -> Names:
        names = Names(*answers)
        monkeypatch.setattr(addresses.anyio, "getaddrinfo", names)
        return names

    return use


class Wire:
    """A transport of the host's own that keeps what it was given."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response] | None = None) -> None:
        self.seen: list[httpx.Request] = []
        self._answer = answer or (lambda _request: httpx.Response(200, content=b"bytes"))

    def door(self, **more: Any) -> Http:
        """A door over it."""
        return Http(Network(transport=httpx.MockTransport(self.take), **more))

    def take(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self._answer(request)


def ask(url: str, **more: Any) -> Flow[Reply]:
    """A flow of one request."""
    return (yield Call("POST", url, json={}, **more))


async def fetched(door: Http, url: str, **headers: str) -> bytes:
    """A download, whole."""
    call = Call("GET", url, headers=headers)
    async with door.download(Download(call), 10_000) as chunks:
        return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "239.1.1.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8",
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
        "2001::1", "2002:7f00:1::", "2002:808:808::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1",
        "ff02::1", "ff0e::1", "2001:db8::1", "5f00::1",
    ],
)  # fmt: skip
def test_no_spelling_of_a_private_address_is_public(address: str) -> None:
    """Private, local, multicast, and every kind that carries an IPv4 address within an IPv6 one."""
    assert not public(address)


@given(st.ip_addresses(v=4))
def test_no_wrapped_address_is_public(address: Any) -> None:
    """Whatever IPv4 address is written into an IPv6 one, it is not gone to that way."""
    number = int(address)
    high, low = number >> 16, number & 0xFFFF
    for wrapped in (
        f"::ffff:{address}", f"::{address}", f"64:ff9b::{address}", f"2002:{high:x}:{low:x}::1",
        f"2001:0:{high:x}:{low:x}::1",
    ):  # fmt: skip
        assert not public(wrapped)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "2a00:1450::1"])
def test_what_everybody_reaches_is_public(address: str) -> None:
    """The guard lets the web pass."""
    assert public(address)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://api.example/x", "gopher://api.example", "ws://api.example", "//api.example",
        "/x", "", "http://", "https:///x", "javascript:1", "data:,x", "http+unix://%2Fvar/x", "http://[::1",
    ],
)  # fmt: skip
async def test_only_the_web_is_asked(url: str) -> None:
    """Anything but http and https is refused, for calls, downloads and redirects alike."""
    wire = Wire()
    door = wire.door(allow_private=True)
    with pytest.raises(Rejected):
        await door.run(ask(url))
    with pytest.raises(Rejected):
        await fetched(door, url)
    assert wire.seen == []
    await door.aclose()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://cdn.example/x", "http://[::1"])
async def test_no_redirect_leaves_the_web(url: str) -> None:
    """The first answer points elsewhere; nothing follows it."""
    wire = Wire(lambda _request: httpx.Response(302, headers={"location": url}))
    door = wire.door(allow_private=True)
    with pytest.raises(Rejected):
        await fetched(door, "https://api.example/f")
    assert len(wire.seen) == 1
    await door.aclose()


@pytest.mark.parametrize(
    "target",
    ["https://cdn.example/f", "http://api.example/f", "https://api.example:8443/f", "https://api.example.:443/f"],
)  # fmt: skip
async def test_another_origin_gets_no_credential(target: str) -> None:
    """Scheme, host and port: when one differs, no header goes along that an adapter has set; nor back."""
    home = "https://api.example/f"

    def answer(request: httpx.Request) -> httpx.Response:
        hops = len(wire.seen)
        return httpx.Response(302, headers={"location": [target, home][hops - 1]}) if hops < 3 else (
            httpx.Response(200, content=b"bytes")
        )  # fmt: skip

    wire = Wire(answer)
    door = wire.door(allow_private=True)
    given = {
        "Authorization": "s3",
        "cookie": "s3",
        "X-Api-Key": "s3",
        "X-Own-Token": "s3",
        "Accept": "a/b",
    }
    assert await fetched(door, home, **given) == b"bytes"
    assert "s3" in str(wire.seen[0].headers.raw)
    for later in wire.seen[1:]:
        assert "s3" not in str(later.headers.raw)
        assert later.headers["accept"] == "a/b"
    await door.aclose()


async def test_the_same_origin_keeps_what_it_was_told() -> None:
    """A redirect within one origin goes on as who it is; the usual port is no other port."""
    wire = Wire(
        lambda _request: (
            httpx.Response(302, headers={"location": "https://API.example:443/g"})
            if len(wire.seen) == 1
            else httpx.Response(200)
        )
    )
    door = wire.door(allow_private=True)
    await fetched(door, "https://api.example/f", Authorization="s3")
    assert [one.headers["authorization"] for one in wire.seen] == ["s3", "s3"]
    await door.aclose()


@pytest.mark.parametrize("how", ["call", "download"])
async def test_a_name_that_changes_its_mind_is_not_followed(
    resolve: Callable[..., Names], how: str
) -> None:
    """One look at the name, and the request goes to what was seen: by its name, for host and TLS."""
    names, wire = resolve([PUBLIC], ["127.0.0.1"]), Wire()
    door = wire.door()
    url = "https://api.example:8443/f"
    await (door.run(ask(url)) if how == "call" else fetched(door, url))
    (request,) = wire.seen
    assert names.asked == ["api.example"]
    assert (request.url.host, request.url.port) == (PUBLIC, 8443)
    assert request.headers["host"] == "api.example:8443"
    assert request.extensions["sni_hostname"] == "api.example"
    await door.aclose()


@pytest.mark.parametrize("found", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["64:ff9b::a00:1"]])
async def test_a_transport_of_the_host_is_guarded(
    resolve: Callable[..., Names], found: list[str]
) -> None:
    """`transport=` replaces the wire, not the guard: one private address among many is enough."""
    resolve(found)
    wire = Wire()
    door = wire.door()
    with pytest.raises(Rejected, match="private"):
        await door.run(ask("https://api.example/x"))
    with pytest.raises(PrivateAddress):
        await fetched(door, "https://api.example/x")
    assert wire.seen == []
    await door.aclose()


async def test_trust_is_of_one_origin(resolve: Callable[..., Names]) -> None:
    """The `base_url` of a connection opens its scheme, host and port, and nothing beside them."""
    resolve(["127.0.0.1"])
    wire = Wire()
    door = wire.door()
    door.trust(1, "http://bot.example:8081/api")
    await door.run(ask("http://bot.example:8081/other"), by=1)
    for url in ("https://bot.example:8081/", "http://bot.example/", "http://x.bot.example:8081/"):
        with pytest.raises(Rejected, match="private"):
            await door.run(ask(url), by=1)
    assert len(wire.seen) == 1
    await door.aclose()


@pytest.mark.parametrize("by", [2, None])
async def test_trust_is_of_one_connection(resolve: Callable[..., Names], by: int | None) -> None:
    """The server inside that one connection names is open to no other, neither for calls nor for files."""
    resolve(["127.0.0.1"])
    wire = Wire()
    door = wire.door()
    door.trust(1, "http://bot.example:8081")
    with pytest.raises(Rejected, match="private"):
        await door.run(ask("http://bot.example:8081/x"), by=by)
    with pytest.raises(PrivateAddress):
        async with door.download(Download(Call("GET", "http://bot.example:8081/x")), 10, by=by):
            pass
    assert wire.seen == []
    await door.aclose()


@pytest.mark.parametrize("after", ["http://other.example", None, "nonsense"])
async def test_trust_ends_with_the_config(resolve: Callable[..., Names], after: str | None) -> None:
    """A server that a connection no longer names is no longer trusted."""
    resolve(["127.0.0.1"])
    wire = Wire()
    door = wire.door()
    door.trust(1, "http://bot.example:8081")
    door.trust(1, after)
    with pytest.raises(Rejected, match="private"):
        await door.run(ask("http://bot.example:8081/x"), by=1)
    assert wire.seen == []
    await door.aclose()


async def test_a_tenant_does_not_reach_the_server_of_another(
    tmp_path: Path, resolve: Callable[..., Names]
) -> None:
    """Two tenants of one program: what one may ask inside, the other may not, whatever URL a message has."""
    resolve(["127.0.0.1"])
    wire = Wire()
    transport = httpx.MockTransport(wire.take)
    async with Outeract(tmp_path / "bot.db", transport=transport) as core:
        core.register("stepwise", Stepwise)
        mine = core.app("mine").connect(
            "stepwise", token="a-token-1", base_url="http://inside.example"
        )
        theirs = core.app("theirs").connect("stepwise", token="a-token-2")
        conns = {conn.entity.id: conn for conn in core.runtime.conns()}
        for conn in conns.values():
            core.runtime.adapter(conn)
        await core.runtime.http.run(ask("http://inside.example/x"), by=conns[mine.id].id)
        with pytest.raises(Rejected, match="private"):
            await core.runtime.http.run(ask("http://inside.example/x"), by=conns[theirs.id].id)
        core.app("mine").connect("stepwise", token="a-token-1", base_url="http://new.example")
        conn = core.runtime.conn(conns[mine.id].id)
        core.runtime.adapter(conn)
        with pytest.raises(Rejected, match="private"):
            await core.runtime.http.run(ask("http://inside.example/x"), by=conn.id)
    assert len(wire.seen) == 1


async def test_no_header_of_an_adapter_says_whom_we_ask(resolve: Callable[..., Names]) -> None:
    """`Host` is ours, whatever a call says."""
    resolve([PUBLIC])
    wire = Wire()
    door = wire.door()
    await door.run(ask("https://api.example/x", headers={"hOST": "inside.example"}))
    assert wire.seen[0].headers.get_list("host") == ["api.example"]
    await door.aclose()


async def test_where_nobody_is_the_next_address_is_tried(resolve: Callable[..., Names]) -> None:
    """A name with a dead address costs one attempt, not every attempt of a minute."""
    names = resolve([PUBLIC, OTHER])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == PUBLIC:
            raise httpx.ConnectError("nobody")
        return httpx.Response(200)

    wire = Wire(answer)
    door = wire.door()
    with pytest.raises(Unreachable):
        await door.run(ask("https://api.example/x"))
    assert (await door.run(ask("https://api.example/x"))).status == 200
    assert names.asked == ["api.example"]
    await door.aclose()


async def test_one_certificate_serves_one_name(resolve: Callable[..., Names]) -> None:
    """Two names on one address share no connection: TLS was checked for one of them alone."""
    resolve([PUBLIC])
    door = Http(Network())
    await anyio.lowlevel.checkpoint()
    one, _ = await door._transport(None, "a.example")
    other, _ = await door._transport(None, "b.example")
    assert one is not other
    assert (await door._transport(None, "a.example"))[0] is one
    for n in range(200):
        made, kept = await door._transport(None, f"{n}.example")
        if not kept:
            await made.aclose()
    assert len(door._transports) <= 64
    await door.aclose()


async def test_a_proxy_looks_names_up_itself(resolve: Callable[..., Names]) -> None:
    """Through a proxy the name stays in the URL, so that TLS is checked for it; private is refused as ever."""
    resolve([PUBLIC])
    door = Http(Network(proxies=Proxies({"all": "http://proxy.example:3128"})))
    pinned = await door._pin(httpx.URL("https://api.example/x"), None, 1.0)
    assert (str(pinned.url), pinned.headers) == ("https://api.example/x", {})
    resolve(["10.0.0.1"])
    with pytest.raises(PrivateAddress):
        await door._pin(httpx.URL("https://inside.example/x"), None, 1.0)
    await door.aclose()
