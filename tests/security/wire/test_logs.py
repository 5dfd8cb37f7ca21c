"""Whoever reads the log at DEBUG, or a stored traceback, finds no secret there, in whatever form it travelled.

Knows: the forms in which requests write secrets, what servers repeat. Does not know: platforms' methods.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import logging
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._io.secrets.striking import struck
from outeract_core._io.web import loggers
from outeract_core.adapter import Call, Download, Flow, OutgoingFile, Reply
from outeract_core.errors import Rejected, SendError, Unreachable
from outeract_core.testing import FakePlatform
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.anyio
SECRET = "123456789:AA/s3cret+wörd"


def forms(secret: str, user: str = "user") -> dict[str, str]:
    """How requests, JSON and Python write it."""
    raw, pair = secret.encode(), f"{user}:{secret}".encode()
    return {
        "plain": secret, "quoted": quote(secret, safe=""), "lower": quote(secret, safe="").lower()
        if secret.isascii() and secret.islower() else quote(secret),
        "plus": quote_plus(secret), "form": urlencode({"token": secret}),
        "json": json.dumps({"token": secret}), "repr": repr(secret), "bytes": repr(raw),
        "basic": b64encode(pair).decode(), "basic in a repr": repr([(b"Authorization", b64encode(pair))]),
        "urlsafe": urlsafe_b64encode(pair).decode(), "basic quoted": quote(b64encode(pair).decode(), safe=""),
    }  # fmt: skip


def readable(text: str, secret: str) -> list[str]:
    """The forms of the secret that are still in the text; its first half counts as well."""
    half = secret[: (len(secret) + 1) // 2]
    found = [name for name, form in forms(secret).items() if form in text]
    return found + ([half] if len(half) > 5 and half in text else [])


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=40),
    st.text(st.characters(min_codepoint=97, max_codepoint=122), max_size=5),
)
@example(SECRET, "user")
@example("xoxb-1234-abcd", "")
@example('quo"te\\slash', "a")
def test_no_form_of_a_secret_is_told(secret: str, user: str) -> None:
    """As it stands, in a URL, JSON, Python's repr, base64 behind any user name: struck, and the rest stays."""
    for name, form in forms(secret, user).items():
        told = struck(f"before {form} after", [secret])
        assert form not in told, name
        assert told.startswith("before ")
        assert told.endswith(" after")
        assert "•••" in told


@given(st.text(max_size=200), st.text(st.characters(codec="ascii"), min_size=20, max_size=30))
def test_what_holds_no_secret_is_told_as_it_is(text: str, secret: str) -> None:
    """Nothing else is struck out."""
    if not any(form in text for form in forms(secret).values()):
        assert struck(text, [secret]) == text


# ── on the wire ───────────────────────────────────────────────────────────────────────────────


class Echo(BaseHTTPRequestHandler):
    """Repeats in the headers of its answer all that it was told."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """The address, the credentials and the body come back, where a log writes them down."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(302 if self.path.startswith("/away") else 200)
        self.send_header("X-Path", self.path)
        self.send_header("Location", f"{self.path}&signature=a-signature-of-theirs")
        self.send_header("Set-Cookie", 'session="a-session-of-theirs"')
        self.send_header("X-Told", repr(self.headers.get("authorization")))
        self.send_header("X-Body", quote(body))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST  # noqa: N815 - the name that the server looks for

    def log_message(self, *_: Any) -> None:
        """Nothing of its own."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of an echo."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


BASIC = b64encode(f"account:{SECRET}".encode()).decode()
CALLS: dict[str, dict[str, Any]] = {
    "path": {"url": f"/bot{quote(SECRET, safe='')}/getMe"},
    "path, half quoted": {"url": f"/bot{quote(SECRET)}/getMe"},
    "query": {"url": "/", "params": {"access_token": SECRET}},
    "bearer": {"url": "/", "headers": {"Authorization": f"Bearer {quote(SECRET)}"}},
    "basic": {"url": "/", "headers": {"Authorization": f"Basic {BASIC}"}},
    "json": {"url": "/", "json": {"token": SECRET}},
    "form": {"url": "/", "form": {"token": SECRET}},
    "multipart": {"url": "/", "form": {"token": SECRET},
                  "files": (("f", OutgoingFile("a.txt", "text/plain", "document", 2, data=b"ab")),)},
    "nobody there": {"url": f"http://127.0.0.1:1/bot{quote(SECRET, safe='')}"},
}  # fmt: skip


def ask(call: Call) -> Flow[Reply]:
    """A flow of one request."""
    return (yield call)


@pytest.mark.parametrize("where", CALLS)
async def test_no_line_of_the_libraries_below_has_a_secret(
    core: Outeract, server: str, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A real request at DEBUG to a server that repeats everything: httpcore writes it down, struck."""
    caplog.set_level(logging.DEBUG)
    core.runtime.secrets.hide(SECRET)
    given = dict(CALLS[where])
    url = given.pop("url")
    http = core.runtime.http
    http.trust(1, server if url.startswith("/") else "http://127.0.0.1:1")
    call = Call("POST", f"{server}{url}" if url.startswith("/") else url, **given)
    if where == "nobody there":
        with pytest.raises(Unreachable) as caught:
            await http.run(ask(call), by=1)
        assert readable(f"{caught.value!r} {caught.value}", SECRET) == []
    else:
        await http.run(ask(call), by=1)
    lines = [record for record in caplog.records if record.name.startswith("httpcore")]
    assert lines
    assert readable(caplog.text, SECRET) == []
    assert BASIC not in caplog.text
    if where != "nobody there":
        assert "•••" in caplog.text
        for theirs in ("a-signature-of-theirs", "a-session-of-theirs"):
            assert theirs not in caplog.text


async def test_a_download_leaves_no_signature_in_the_log(
    core: Outeract, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a redirect leads is signed by the platform: not ours, and a credential all the same."""
    caplog.set_level(logging.DEBUG)
    core.runtime.secrets.hide(SECRET)
    core.runtime.http.trust(1, server)
    call = Call("GET", f"{server}/file/bot{quote(SECRET, safe='')}?x=1")
    async with core.runtime.http.download(Download(call), 1000, by=1) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"{}"
    assert readable(caplog.text, SECRET) == []
    assert "a-signature-of-theirs" not in caplog.text
    assert any(record.name == "httpcore.http11" for record in caplog.records)


PLATFORMS: dict[str, tuple[str, dict[str, str]]] = {
    "telegram": ("15550100", {"token": "777000111:AAtest-bot-token", "webhook_secret_token": "tg-secret-1"}),
    "whatsapp": ("+14155550100", {"access_token": "EAAG-access-token", "app_secret": "an-app-secret",
                                  "verify_token": "a-verify-token", "phone_number_id": "100000000000001"}),
    "slack": ("U0ANNA0001", {"bot_token": "xoxb-123-bot-token", "signing_secret": "a-signing-secret"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", [Rejected, Unreachable, ValueError])
async def test_what_an_adapter_says_of_an_attempt_has_no_secret(
    core: Outeract, kind: type[Exception]
) -> None:
    """Platforms quote requests: reason, code and text of whatever a flow raises are struck at the door."""

    def broken() -> Flow[None]:
        yield Call("POST", "console:", json={"text": "", "id": 1})
        if issubclass(kind, SendError):
            raise kind(f"refused {quote(SECRET, safe='')}", code=f"bad {SECRET}")
        raise kind(f"no number: {SECRET}")

    core.runtime.secrets.hide(SECRET)
    with pytest.raises(kind) as caught:
        await core.runtime.http.run(broken())
    error = caught.value
    assert readable(f"{error!r} {error} {vars(error)}", SECRET) == []
    assert "•••" in str(error)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_no_platform_leaves_its_credentials_in_the_log(
    core: Outeract, app: App, platform: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Sending, checking, failing, at DEBUG: no credential of the connection, nor its webhook's address."""
    caplog.set_level(logging.DEBUG)
    peer, config = PLATFORMS[platform]
    with FakePlatform(clock=core.runtime.database.options.clock) as fake:
        where = app.connect(platform, base_url=fake.url, **config)
        await app.send((platform, peer), "hello")
        said = " ".join(config.values())
        told = said if platform == "slack" else {"message": said, "code": 100}
        path = {"slack": "postMessage", "telegram": "sendMessage", "whatsapp": "messages"}[platform]
        fake.fail(
            1,
            path,
            status=400,
            body={"ok": False, "error_code": 400, "description": said, "error": told},
        )
        await core.pump()
        await core.check(timeout=PATIENCE)
    secrets = [value for name, value in config.items() if name != "phone_number_id"]
    assert any(record.name == "httpcore.http11" for record in caplog.records)
    stored = [str(event.payload) async for event in app.events.all()]
    assert any("•••" in one or "…" in one for one in stored)
    for secret in (*secrets, where.webhook_secret):
        assert readable(" ".join([caplog.text, *stored]), secret) == []


async def test_a_host_that_asks_by_itself_is_covered(
    core: Outeract, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A whole URL is told by httpx at INFO: who uses it beside us with the same token is not betrayed either."""
    caplog.set_level(logging.INFO)
    core.runtime.secrets.hide(SECRET)
    assert core.runtime.http is not None
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"{server}/bot{quote(SECRET, safe='')}/getMe")
    assert "HTTP Request" in caplog.text
    assert readable(caplog.text, SECRET) == []


async def test_every_open_file_is_covered(
    core: Outeract, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two files in one program: neither's secrets are told, and what is closed is let go."""
    caplog.set_level(logging.DEBUG)
    async with Outeract(tmp_path / "other.db") as other:
        for n, one in enumerate((core, other)):
            one.runtime.secrets.hide(f"secret-of-number-{n}")
            assert one.runtime.http is not None
        logging.getLogger("httpcore.http11").debug("secret-of-number-0 %s", "secret-of-number-1")
    assert "secret-of" not in caplog.text
    assert len(logging.getLogger("httpcore.http11").filters) == 1


async def test_a_proxys_password_is_told_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It stands in the URL that the host has given, and httpcore writes it down for SOCKS."""
    caplog.set_level(logging.DEBUG)
    url = "http://me:pass%2Fword-of-proxy@127.0.0.1:1"
    async with Outeract(tmp_path / "x.db", proxy=url, allow_private_addresses=True) as core:
        with pytest.raises(Exception, match="no connection") as caught:
            await core.runtime.http.run(ask(Call("GET", "http://api.example/x")))
        for name in ("httpcore.socks", "httpcore.proxy"):
            logging.getLogger(name).debug("setup.started auth=(b'me', b'pass/word-of-proxy') x=1")
            logging.getLogger(name).debug("connect to pass%2Fword-of-proxy")
    assert "word-of-proxy" not in f"{caplog.text} {caught.value!r}"


def test_every_logger_below_is_known() -> None:
    """Read from what is installed: a new version with a logger more is found here."""
    names = set()
    for package in ("httpx", "httpcore", "h11"):
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        for path in Path(spec.origin).parent.rglob("*.py"):
            names |= _loggers(ast.parse(path.read_text("utf-8")), path.stem)
    assert names == set(loggers.NAMES)


def _loggers(tree: ast.AST, module: str) -> set[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    asked = [call for call in calls if getattr(call.func, "attr", "") == "getLogger"]
    return {one.args[0].value if isinstance(one.args[0], ast.Constant) else module for one in asked}  # type: ignore[misc]
