"""Small ASGI and WSGI callables around `ingest`, for `/webhooks/{webhook_id}/{webhook_secret}`.

Knows: the two server protocols, what a request may cost before it is known whose it is.
Does not know: any framework, what a body says, which addresses there are.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

import anyio

from ..adapter import Response

Ingest = Callable[..., Awaitable[Response]]
_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 408: "Request Timeout", 411: "Length Required", 413: "Content Too Large", 503: "Service Unavailable",
}  # fmt: skip
_NOT_FOUND = Response(404, {"content-type": "text/plain"}, b"not found")
_TOO_LARGE = Response(413, {"content-type": "text/plain"}, b"too large")
_NO_LENGTH = Response(411, {"content-type": "text/plain"}, b"a length is needed")
_NOT_WHOLE = Response(400, {"content-type": "text/plain"}, b"the body is not as long as its length")
_BAD_LENGTH = Response(400, {"content-type": "text/plain"}, b"the length is no number")
_IN_PIECES = Response(400, {"content-type": "text/plain"}, b"the body comes in too many pieces")
_TOO_SLOW = Response(408, {"content-type": "text/plain"}, b"the body did not come in time")
_LENGTH = re.compile(r"[0-9]{1,18}")
_PIECE = 65_536
PIECES = 65_536
"""Pieces of one body: a server that hands them over byte by byte is not waited for."""
WITHIN = 60.0
"""Seconds for a whole body, however slowly it drips."""


def address(path: str) -> tuple[str, str] | None:
    """The webhook id and secret in a path that ends in `…/{id}/{secret}`, or None."""
    pieces = [unquote(piece) for piece in path.strip("/").split("/")]
    return (pieces[-2], pieces[-1]) if len(pieces) >= 2 else None


class Gate(Protocol):
    """What may come in. `limit`: the bytes of a body."""

    limit: int

    def refusal(self, webhook_id: str, secret: str) -> Response | None:
        """What is answered to an address before its body is read; None: it may come in."""

    def unread(self, webhook_id: str, answer: Response) -> Response:
        """Told what is answered to an address whose request could not be read whole; the same answer."""


class Asgi:
    """`app.mount("/", core.asgi)` in Starlette or FastAPI, or serve it as it is."""

    def __init__(self, ingest: Ingest, gate: Gate) -> None:
        self._ingest = ingest
        self._gate = gate

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        answer = await self._answer(scope, receive)
        if answer is None:
            return
        headers = [
            (k.lower().encode(), v.encode("latin-1", "replace")) for k, v in answer.headers.items()
        ]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Any, receive: Any) -> Response | None:
        """The answer, or None when the client went away before its request was whole."""
        where = address(scope["path"])
        refused = _NOT_FOUND if where is None else self._gate.refusal(*where)
        if where is None or refused is not None:
            return refused
        lengths = {
            v.decode("latin-1") for k, v in scope["headers"] if k.lower() == b"content-length"
        }
        length = _announced(lengths, self._gate.limit)
        if isinstance(length, Response):
            return self._gate.unread(where[0], length)
        try:
            body = await self._body(receive)
        except ConnectionError:
            return None
        if isinstance(body, Response):
            return self._gate.unread(where[0], body)
        if length is not None and length != len(body):
            return self._gate.unread(where[0], _NOT_WHOLE)
        headers = {
            k.decode("latin-1"): v.decode("utf-8", "surrogateescape") for k, v in scope["headers"]
        }
        query = _query(scope.get("query_string", b"").decode("latin-1"))
        return await self._ingest(*where, scope["method"], headers, query, body)

    async def _body(self, receive: Any) -> bytes | Response:
        """The whole body, or why it is refused; never more of it than the limit."""
        body = bytearray()
        with anyio.move_on_after(WITHIN):
            for _ in range(PIECES):
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ConnectionError("half a request is none")
                body += message.get("body", b"")
                if len(body) > self._gate.limit:
                    return _TOO_LARGE
                if not message.get("more_body"):
                    return bytes(body)
            return _IN_PIECES
        return _TOO_SLOW


def _announced(lengths: set[str], limit: int) -> int | Response | None:
    """The one length that is announced, None for none, or why it is refused."""
    if not lengths:
        return None
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length):
        return _BAD_LENGTH
    return int(length) if int(length) <= limit else _TOO_LARGE


class Wsgi:
    """A WSGI app; every request is carried over by an event loop of its own."""

    def __init__(self, ingest: Ingest, gate: Gate) -> None:
        self._ingest = ingest
        self._gate = gate

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = self._answer(environ)
        reason = _REASONS.get(answer.status, "Status")
        headers = {"content-type": "text/plain", **answer.headers}
        headers["content-length"] = str(len(answer.body))
        start_response(f"{answer.status} {reason}", list(headers.items()))
        return [answer.body]

    def _answer(self, environ: dict[str, Any]) -> Response:
        where = address(environ.get("PATH_INFO", ""))
        refused = _NOT_FOUND if where is None else self._gate.refusal(*where)
        if where is None or refused is not None:
            return refused or _NOT_FOUND
        body = self._body(environ)
        if isinstance(body, Response):
            return self._gate.unread(where[0], body)
        headers = {
            key[5:].replace("_", "-").lower(): value
            for key, value in environ.items()
            if key.startswith("HTTP_")
        }
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        query = _query(environ.get("QUERY_STRING", ""))
        return self._carry(*where, environ["REQUEST_METHOD"], headers, query, body)

    def _body(self, environ: dict[str, Any]) -> bytes | Response:
        """The whole body, or why it is refused: what is acknowledged must have been read."""
        length = str(environ.get("CONTENT_LENGTH") or "")
        ends = bool(environ.get("wsgi.input_terminated"))
        size = _announced({length} if length else set(), self._gate.limit)
        if isinstance(size, Response):
            return size
        if not length and not ends and _brings(environ):
            return _NO_LENGTH
        most = self._gate.limit + 1 if size is None else size
        body = b"" if size is None and not ends else _read(environ["wsgi.input"], most)
        if isinstance(body, Response):
            return body
        if len(body) > self._gate.limit:
            return _TOO_LARGE
        return body if size in (None, len(body)) else _NOT_WHOLE

    def _carry(self, *arguments: Any) -> Response:
        from anyio.from_thread import start_blocking_portal

        with start_blocking_portal() as portal:
            return portal.call(self._ingest, *arguments)


def _read(stream: Any, most: int) -> bytes | Response:
    """At most so many bytes, or why they are refused. How long one read may take is the server's to say."""
    body, ends = bytearray(), time.monotonic() + WITHIN
    for _ in range(PIECES):
        piece = stream.read(min(most - len(body), _PIECE))
        body += piece
        if not piece or len(body) >= most:
            return bytes(body)
        if time.monotonic() > ends:
            return _TOO_SLOW
    return _IN_PIECES


def _brings(environ: Mapping[str, Any]) -> bool:
    """Whether there may be a body: behind HTTP/2, or another gateway, nothing else says so."""
    return environ["REQUEST_METHOD"] == "POST" or bool(environ.get("HTTP_TRANSFER_ENCODING"))


def _query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
