"""The small ASGI and WSGI callables: what servers may send, how frameworks mount them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import anyio
import flask
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from outeract_core import App, Outeract
from outeract_core.adapter import Inbound, Response
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.patience import PATIENCE
from tests.support.reading.world import GOOD, Pigeon, connect, everything

LIMIT = 1000


@pytest.fixture
def clock() -> ManualClock:
    """Time as the test decides."""
    return ManualClock()


@pytest.fixture
def open_core(tmp_path: Path, clock: ManualClock) -> Iterator[Outeract]:
    """A store that takes bodies of 1000 bytes."""
    core = Outeract(tmp_path / "bot.db", clock=clock, ids=SequentialIds(), body_limit=LIMIT)
    yield core
    core.close()


@pytest.fixture
def core(open_core: Outeract) -> Outeract:
    """The same under the name that `app` asks for."""
    return open_core


def body_of(key: str, text: str = "hi") -> bytes:
    """A webhook of Pigeon."""
    return json.dumps({"items": [{"id": key, "text": text, "from": "ann"}]}).encode()


def texts(app: App) -> list[str]:
    """What has arrived."""

    async def read() -> list[str]:
        return [e.text for e in await everything(app) if e.event_type == "message.inbound"]

    return anyio.run(read)


async def texts_of(app: App) -> list[str]:
    """What has arrived, for tests with a loop."""
    return [e.text for e in await everything(app) if e.event_type == "message.inbound"]


# ── ASGI, as a server would call it ───────────────────────────────────────────────────────────


class Call:
    """One request as a server makes it, and everything that was sent in answer."""

    def __init__(self, core: Outeract, path: str, method: str = "POST", **scope: Any) -> None:
        self.core, self.read = core, 0
        self.sent: list[dict[str, Any]] = []
        self.scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "path": path, "raw_path": path.encode("utf-8", "surrogateescape"), "query_string": b"",
            "headers": [(b"x-pigeon", b"coo")], **scope,
        }  # fmt: skip

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def with_body(self, *chunks: bytes, gone: bool = False) -> tuple[int, bytes]:
        """Status and body of the answer; `gone`: the client hangs up after the chunks."""
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": one, "more_body": True} for one in chunks
        ]
        if not gone:
            messages[-1]["more_body"] = False
        stream: Iterator[dict[str, Any]] = iter([*messages, {"type": "http.disconnect"}])

        async def receive() -> dict[str, Any]:
            self.read += 1
            return next(stream)

        await self.core.asgi(self.scope, receive, self.send)
        if not self.sent:
            return 0, b""
        start, rest = self.sent
        assert (start["type"], rest["type"]) == ("http.response.start", "http.response.body")
        headers = dict(start["headers"])
        assert all(isinstance(k, bytes) and isinstance(v, bytes) for k, v in headers.items())
        assert all(k == k.lower() for k in headers)
        assert headers[b"content-length"] == str(len(rest["body"])).encode()
        return start["status"], rest["body"]


@pytest.mark.anyio
async def test_a_request_in_pieces_is_one_body(core: Outeract, app: App) -> None:
    """However a server cuts the body, empty pieces included, the message is stored once."""
    conn, body = connect(core, app), body_of("m1")
    pieces = [body[:1], b"", body[1:7], body[7:], b""]
    assert await Call(core, conn.webhook_path).with_body(*pieces) == (200, b"")
    assert await texts_of(app) == ["hi"]


@pytest.mark.anyio
async def test_the_limit_holds_while_the_body_streams(core: Outeract, app: App) -> None:
    """At the limit the body is taken; beyond it reading stops at once, whatever is still to come."""
    conn = connect(core, app)
    body = body_of("m1")
    exact = body + b" " * (LIMIT - len(body))
    call = Call(core, conn.webhook_path)
    assert (await call.with_body(*([b"x" * 100] * 1000)))[0] == 413
    assert call.read == 11
    assert await texts_of(app) == []
    assert (await Call(core, conn.webhook_path).with_body(exact + b" "))[0] == 413
    assert (await Call(core, conn.webhook_path).with_body(exact))[0] == 200
    assert await texts_of(app) == ["hi"]


@pytest.mark.anyio
async def test_half_a_request_is_none(core: Outeract, app: App) -> None:
    """When the client goes away in the middle nothing is answered, stored or kept."""
    conn = connect(core, app)
    for chunks in ((body_of("m1"),), (body_of("m1")[:9],), (b"",)):
        assert await Call(core, conn.webhook_path).with_body(*chunks, gone=True) == (0, b"")
    assert await everything(app) == []
    assert await core.replay(app) == (0, 0)


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
async def test_other_methods_are_answered(core: Outeract, app: App, method: str) -> None:
    """GET and the like are 405 where no handshake is due."""
    conn = connect(core, app)
    call = Call(core, conn.webhook_path, method)
    assert (await call.with_body(b""))[0] == 405
    assert (b"allow", b"POST") in call.sent[0]["headers"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path",
    ["", "/", "/x", "//", "/webhooks", "/webhooks/x/y", "/webhooks/%2e%2e/%00", "/webhooks/é/\udcff",
     "/webhooks/" + "x" * 10_000 + "/y", "/webhooks/a/b/c/d"],
)  # fmt: skip
async def test_unknown_paths_are_not_found(core: Outeract, app: App, path: str) -> None:
    """Whatever the path, the answer is a plain 404."""
    connect(core, app)
    assert (await Call(core, path).with_body(b"{}"))[0] == 404


@pytest.mark.anyio
async def test_the_path_may_have_a_prefix(core: Outeract, app: App) -> None:
    """Only the last two pieces of the path count, so that it can be mounted anywhere."""
    conn = connect(core, app)
    for number, prefix in enumerate(("/bots", "/a/b/c", "//")):
        path = prefix + conn.webhook_path
        assert (await Call(core, path).with_body(body_of(f"m{number}")))[0] == 200
    assert await texts_of(app) == ["hi"] * 3


@pytest.mark.anyio
@pytest.mark.parametrize("value", [b"\xff\xfe", b"", "ü".encode(), b"\xed\xa0\x80", b"coo\xff"])
async def test_headers_of_any_bytes_are_compared(core: Outeract, app: App, value: bytes) -> None:
    """Header bytes that are no text are a wrong signature and no crash."""
    conn = connect(core, app)
    headers = [(b"x-pigeon", value), (b"\xff", b"\xff"), (b"X-Other", value)]
    call = Call(core, conn.webhook_path, headers=headers, query_string=b"a=%ff&b=\xff&&=")
    assert await call.with_body(body_of("m1")) == (401, b"")
    headers = [(b"x-odd", value), (b"X-Pigeon", b"coo")]
    call = Call(core, conn.webhook_path, headers=headers, query_string=b"a=%ff&b=\xff&&=")
    assert (await call.with_body(b"not JSON"))[0] == 200
    assert await core.replay(app) == (0, 1)


@pytest.mark.anyio
async def test_the_query_arrives_decoded(core: Outeract, app: App) -> None:
    """Percent signs, plus signs and empty values are read as a form would be."""
    seen: list[Any] = []

    class Curious(Pigeon):
        def handshake(self, inbound: Inbound) -> Response | None:
            seen.append((inbound.method, dict(inbound.query), inbound.header("X-One")))
            return Response(201, {"X-Told": "ünïcode"}, b"hello")

    core.register("curious", Curious)
    conn = app.connect("curious")
    call = Call(
        core, conn.webhook_path, "GET", query_string=b"hub.mode=subscribe&t=a%20b+c&e=&u=%C3%BC",
        headers=[(b"X-One", b"1")],
    )  # fmt: skip
    assert await call.with_body(b"") == (201, b"hello")
    assert seen == [("GET", {"hub.mode": "subscribe", "t": "a b c", "e": "", "u": "ü"}, b"1")]
    assert (b"x-told", "ünïcode".encode("latin-1")) in call.sent[0]["headers"]


@pytest.mark.anyio
async def test_the_life_of_a_server_is_acknowledged(core: Outeract) -> None:
    """`lifespan` start and end are answered, so that a server may run the callable alone."""
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await core.asgi({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning")
@pytest.mark.parametrize("prefix", ["", "/bots"])
async def test_starlette_mounts_it(core: Outeract, app: App, prefix: str) -> None:
    """Mounted in Starlette, at the root or below, requests get through and are answered."""
    conn = connect(core, app)
    site = Starlette(routes=[Mount(prefix or "/", app=core.asgi)])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=site), base_url="http://bot.test"
    ) as client:
        where = prefix + conn.webhook_path
        for status, headers in ((200, GOOD), (200, GOOD), (401, {})):
            answer = await client.post(where, content=body_of("m1"), headers=headers)
            assert answer.status_code == status
        assert (await client.get(where)).status_code == 405
        assert (await client.head(where)).status_code == 405
        assert (await client.post(where + "x", content=b"")).status_code == 404
        assert (await client.post(where, content=b"x" * 1001, headers=GOOD)).status_code == 413
    assert await texts_of(app) == ["hi"]


# ── WSGI ──────────────────────────────────────────────────────────────────────────────────────


def wsgi(
    core: Outeract, path: str, body: bytes = b"", method: str = "POST", **environ: Any
) -> tuple[str, dict[str, str], bytes]:
    """One request through a checker of the WSGI rules: status line, headers, body."""
    asked: dict[str, Any] = {
        "PATH_INFO": path, "REQUEST_METHOD": method, "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json", "wsgi.input": io.BytesIO(body),
        "HTTP_X_PIGEON": "coo", "QUERY_STRING": "", "SCRIPT_NAME": "", **environ,
    }  # fmt: skip
    setup_testing_defaults(asked)
    told: list[Any] = []

    def start(status: str, headers: Any, _error: Any = None) -> Any:
        told.extend((status, dict(headers)))
        return lambda _data: None

    answer = validator(core.wsgi)(asked, start)
    try:
        data = b"".join(answer)
    finally:
        answer.close()  # type: ignore[attr-defined]
    return told[0], told[1], data


def test_wsgi_keeps_the_rules_of_wsgi(open_core: Outeract) -> None:
    """Every kind of answer passes the standard library's checker, and what it says is right."""
    app = open_core.app("support")
    conn = connect(open_core, app)
    path = conn.webhook_path
    assert wsgi(open_core, path, body_of("m1"))[0] == "200 OK"
    assert wsgi(open_core, path, body_of("m1"), HTTP_X_PIGEON="bark")[0] == "401 Unauthorized"
    assert wsgi(open_core, path + "x", body_of("m1"))[0] == "404 Not Found"
    assert wsgi(open_core, "/", b"")[0] == "404 Not Found"
    status, headers, _ = wsgi(open_core, path, method="GET")
    assert (status, headers["allow"]) == ("405 Method Not Allowed", "POST")
    assert wsgi(open_core, path, b"x" * 1001)[0] == "413 Content Too Large"
    assert wsgi(open_core, path, b"not JSON")[0] == "200 OK"
    assert texts(app) == ["hi"]
    open_core.close()
    assert wsgi(open_core, path, body_of("m2"))[0] == "503 Service Unavailable"


BODY = body_of("m1")
BAD = "400 Bad Request"


@pytest.mark.parametrize(
    ("told", "status", "kept"),
    [
        *(({"CONTENT_LENGTH": odd}, BAD, []) for odd in ["x", "-5", "1e3", "²", "٣", " 5", "5.0"]),
        ({"CONTENT_LENGTH": str(len(BODY))}, "200 OK", ["hi"]),
        ({"CONTENT_LENGTH": str(len(BODY) + 1)}, BAD, []),
        ({}, "411 Length Required", []),
        ({"CONTENT_LENGTH": ""}, "411 Length Required", []),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, "411 Length Required", []),
        ({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}, "200 OK", ["hi"]),
        ({"wsgi.input_terminated": True}, "200 OK", ["hi"]),
    ],
    ids=str,
)
def test_wsgi_acknowledges_only_what_it_has_read(
    open_core: Outeract, told: dict[str, Any], status: str, kept: list[str]
) -> None:
    """200 only with the whole body in the file; a length that is wrong or missing is refused."""
    app = open_core.app("support")
    conn = connect(open_core, app)
    asked = {
        "PATH_INFO": conn.webhook_path, "REQUEST_METHOD": "POST", "HTTP_X_PIGEON": "coo",
        "wsgi.input": io.BytesIO(BODY), **told,
    }  # fmt: skip
    said: list[str] = []
    open_core.wsgi(asked, lambda status, _headers: said.append(status))
    assert (said, texts(app)) == ([status], kept)


@pytest.mark.anyio
@pytest.mark.parametrize("length", [len(BODY) + 1, len(BODY) - 1])
async def test_asgi_acknowledges_only_what_is_as_long_as_it_says(
    core: Outeract, app: App, length: int
) -> None:
    """A server that hands over another length than it announces has not handed over the request."""
    conn = connect(core, app)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"x-pigeon", b"coo"), (b"content-length", str(length).encode())]
    scope = {"type": "http", "method": "POST", "path": conn.webhook_path, "headers": headers}
    await core.asgi(scope, receive, send)
    assert sent[0]["status"] == 400
    assert await texts_of(app) == []


class _InPieces(io.BytesIO):
    """A stream that gives seven bytes at a time, as servers may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(7, size or 0))


def test_wsgi_reads_a_body_that_comes_in_pieces(open_core: Outeract) -> None:
    """A read that gives less than it was asked for is not the end."""
    app = open_core.app("support")
    conn = connect(open_core, app)
    asked = {
        "PATH_INFO": conn.webhook_path, "REQUEST_METHOD": "POST", "HTTP_X_PIGEON": "coo",
        "wsgi.input": _InPieces(BODY), "CONTENT_LENGTH": str(len(BODY)),
    }  # fmt: skip
    said: list[str] = []
    open_core.wsgi(asked, lambda status, _headers: said.append(status))
    assert (said, texts(app)) == (["200 OK"], ["hi"])


def test_wsgi_never_reads_beyond_the_limit(open_core: Outeract) -> None:
    """A body that announces too much is refused unread."""

    class Unread(io.BytesIO):
        def read(self, *_size: Any) -> bytes:
            raise AssertionError("nobody should read this")

    conn = connect(open_core, open_core.app("support"))
    told: list[str] = []
    asked = {
        "PATH_INFO": conn.webhook_path, "REQUEST_METHOD": "POST", "CONTENT_LENGTH": "999999999999",
        "wsgi.input": Unread(), "HTTP_X_PIGEON": "coo",
    }  # fmt: skip
    assert b"".join(open_core.wsgi(asked, lambda status, _headers: told.append(status)))
    assert told == ["413 Content Too Large"]


def test_flask_mounts_it(open_core: Outeract) -> None:
    """Beside a Flask site, below a prefix, requests get through and the site goes on."""
    app = open_core.app("support")
    conn = connect(open_core, app)
    site = flask.Flask("site")
    site.add_url_rule("/", view_func=lambda: "the site")
    site.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
        site.wsgi_app, {"/bots": open_core.wsgi}
    )
    client = site.test_client()
    where = "/bots" + conn.webhook_path
    assert client.get("/").data == b"the site"
    assert client.post(where, data=body_of("m1"), headers=GOOD).status_code == 200
    assert client.post(where, data=body_of("m1")).status_code == 401
    assert client.get(where).status_code == 405
    assert client.head(where).status_code == 405
    assert client.post("/bots/webhooks/x/y", data=b"").status_code == 404
    assert client.post(where, data=b"x" * 1001, headers=GOOD).status_code == 413
    assert texts(app) == ["hi"]


def test_wsgi_serves_threads(open_core: Outeract) -> None:
    """Requests from several threads at once are each answered, and each message is there once."""
    import threading

    app = open_core.app("support")
    conn = connect(open_core, app)
    statuses: list[str] = []

    def ask(number: int) -> None:
        statuses.append(wsgi(open_core, conn.webhook_path, body_of(f"m{number % 8}"))[0])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert statuses == ["200 OK"] * 16
    assert len(texts(app)) == 8
