"""Proxies: which request goes through which, and that a real request does."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from outeract_core import Outeract
from outeract_core._io.web.http import Http, Network
from outeract_core._io.web.proxies import Proxies, proxies
from outeract_core.adapter import Call, Flow, Reply
from outeract_core.errors import BadInput


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


class _Proxy(socketserver.StreamRequestHandler):
    """Answers whatever it is asked for, and remembers it."""

    asked: list[str] = []  # noqa: RUF012

    def handle(self) -> None:
        self.asked.append(self.rfile.readline().decode().strip())
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


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
