"""Proxies: which request goes through which, and that a real request does."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from outeract_core import Outeract
from outeract_core._io.web.http import Http, Network
from outeract_core._io.web.proxies import Proxies, proxies
from outeract_core.adapter import Call, Flow, Reply
from outeract_core.errors import BadInput, MissingExtra, OuteractError, PrivateAddress, Unreachable
from outeract_core.testing import ManualClock


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy but what a test sets."""
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)


@pytest.mark.parametrize(
    ("host", "through"),
    [
        ("api.telegram.org", "http://proxy:3128"),
        ("intern.example", None),
        ("deep.intern.example", None),
        ("notintern.example", "http://proxy:3128"),
        ("localhost", None),
        ("127.0.0.1", None),
    ],
)
def test_the_environment_is_followed(
    monkeypatch: pytest.MonkeyPatch, host: str, through: str | None
) -> None:
    """HTTPS_PROXY is for everything but what NO_PROXY names, and this machine."""
    monkeypatch.setenv("HTTPS_PROXY", "proxy:3128")
    monkeypatch.setenv("NO_PROXY", "other, .intern.example")
    found = proxies(None)
    assert found.of("https", host) == through
    assert found.of("http", host) is None


def test_the_environment_is_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is set after the file was opened changes nothing."""
    with_proxy = Outeract(tmp_path / "a.db", proxy="http://proxy:3128")
    core = Outeract(tmp_path / "b.db")
    monkeypatch.setenv("HTTPS_PROXY", "http://later:1")
    assert core.runtime.http._network.proxies.of("https", "x.example") is None
    assert with_proxy.runtime.http._network.proxies.of("https", "x.example") == "http://proxy:3128"
    core.close()
    with_proxy.close()


def test_an_empty_proxy_is_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """`proxy=""` leaves the environment's proxies aside."""
    monkeypatch.setenv("ALL_PROXY", "http://proxy:3128")
    assert proxies("").of("https", "x.example") is None
    assert proxies(None).of("https", "x.example") == "http://proxy:3128"


@pytest.mark.parametrize("url", ["proxy:3128", "ftp://user:word@proxy", "http://", "/tmp"])
def test_what_is_no_proxys_url_is_refused_without_repeating_it(tmp_path: Path, url: str) -> None:
    """The error says what is wanted, and holds no password."""
    with pytest.raises(BadInput, match=r"http://proxy\.example") as caught:
        Outeract(tmp_path / "bot.db", proxy=url)
    assert "word" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "platform.example"])
def test_a_proxy_that_is_given_is_for_everything(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """For this machine, too: the host has said so, and no variable makes an exception."""
    monkeypatch.setenv("NO_PROXY", "*")
    assert proxies("http://proxy:3128").of("http", host) == "http://proxy:3128"


class _Proxy(socketserver.StreamRequestHandler):
    """Answers whatever it is asked for, and remembers it."""

    asked: list[str] = []  # noqa: RUF012
    says: ClassVar[bytes] = b"200 OK"

    def handle(self) -> None:
        self.asked.append(self.rfile.readline().decode().strip())
        while self.rfile.readline().strip():
            pass
        self.wfile.write(
            b"HTTP/1.1 " + self.says + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
        )


@pytest.fixture
def proxy() -> Iterator[str]:
    """A proxy on a loopback port."""
    _Proxy.asked.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Proxy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.anyio
async def test_a_request_goes_through_the_proxy(proxy: str) -> None:
    """The proxy is asked for the whole URL; the guard of addresses stands before it all the same."""
    network = Network(proxies=Proxies({"all": proxy}), allow_private=True)
    door = Http(network)

    def ask() -> Flow[Reply]:
        return (yield Call("GET", "http://platform.example/path"))

    assert (await door.run(ask())).body == b"ok"
    assert _Proxy.asked == ["GET http://platform.example/path HTTP/1.1"]
    await door.aclose()


def _asked(url: str) -> Flow[Reply]:
    return (yield Call("POST", url, json={}))


@pytest.mark.anyio
@pytest.mark.parametrize("url", ["http://nobody-here.invalid/x", "https://nobody-here.invalid/x"])
@pytest.mark.parametrize("says", [b"407 Who are you", b"502 Bad Gateway", b"403 Not there"])
async def test_what_a_proxy_refuses_has_not_left(
    proxy: str, monkeypatch: pytest.MonkeyPatch, url: str, says: bytes
) -> None:
    """A tunnel that is not opened, and credentials that are asked for, are no answer of the platform."""
    monkeypatch.setattr(_Proxy, "says", says)
    door = Http(Network(proxies=Proxies({"all": proxy}), allow_private=True))
    if url.startswith("http:") and not says.startswith(b"407"):
        assert (await door.run(_asked(url))).status == int(says[:3])
    else:
        with pytest.raises(Unreachable, match=r"407|502|403"):
            await door.run(_asked(url))
    await door.aclose()


@pytest.mark.anyio
async def test_a_name_that_nobody_here_knows_is_the_proxys_to_look_up(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind many a proxy names outside are not resolved; one that is, and leads inside, is refused."""
    asked: list[str] = []

    async def lookup(host: str, port: int, **_more: object) -> list[object]:
        asked.append(host)
        if host == "inside.example":
            return [(2, 1, 6, "", ("10.0.0.1", port))]
        raise OSError("no such name")

    monkeypatch.setattr("outeract_core._io.web.addresses.anyio.getaddrinfo", lookup)
    door = Http(Network(proxies=Proxies({"all": proxy})))
    for _ in range(2):
        assert (await door.run(_asked("http://platform.example/x"))).body == b"ok"
    assert asked == ["platform.example"]
    with pytest.raises(OuteractError) as caught:
        await door.run(_asked("http://inside.example/x"))
    assert isinstance(caught.value.__cause__, PrivateAddress)
    assert _Proxy.asked == ["POST http://platform.example/x HTTP/1.1"] * 2
    await door.aclose()
    direct = Http(Network())
    with pytest.raises(Unreachable, match=r"platform\.example cannot be resolved"):
        await direct.run(_asked("http://platform.example/x"))
    await direct.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("variable", "told"), [("::::", "no proxy's URL"), ("ftp://x:21", "no proxy's URL")]
)
async def test_a_variable_that_names_no_proxy_costs_no_message(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, variable: str, told: str
) -> None:
    """The file opens, what is to be sent waits for the host and is told."""
    monkeypatch.setenv("HTTP_PROXY", variable)
    async with Outeract(tmp_path / "bot.db", clock=clock, allow_private_addresses=True) as core:
        app = core.app("support", profiles="disabled")
        app.connect("telegram", token="1:t", base_url="http://platform.example")
        delivery = await app.send(("telegram", "7"), "hello")
        for _ in range(20):
            done = await core.pump()
            clock.advance(600)
        (trouble,) = done.troubles
        assert (trouble.connection, told in trouble.reason) == ("telegram", True)
        assert (await delivery.state()).status == "queued"


def test_a_socks_proxy_needs_an_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is missing is said when the file is opened."""
    monkeypatch.setattr("outeract_core._io.web.proxies.find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match="httpx"):
        Outeract(tmp_path / "bot.db", proxy="socks5://proxy:1080")
