"""Small ASGI and WSGI callables around `ingest`, for `/webhooks/{webhook_id}/{webhook_secret}`.

Knows: the two server protocols. Does not know: any framework, what a body says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote

from ..adapter import Response

Ingest = Callable[..., Awaitable[Response]]
_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 411: "Length Required", 413: "Content Too Large", 503: "Service Unavailable",
}  # fmt: skip
_NOT_FOUND = Response(404, {"content-type": "text/plain"}, b"not found")
_TOO_LARGE = Response(413, {"content-type": "text/plain"}, b"too large")
_NO_LENGTH = Response(411, {"content-type": "text/plain"}, b"a length is needed")
_NOT_WHOLE = Response(400, {"content-type": "text/plain"}, b"the body is not as long as its length")
_BAD_LENGTH = Response(400, {"content-type": "text/plain"}, b"the length is no number")
_PIECE = 65_536


def address(path: str) -> tuple[str, str] | None:
    """The webhook id and secret in a path that ends in `…/{id}/{secret}`, or None."""
    pieces = [unquote(piece) for piece in path.strip("/").split("/")]
    return (pieces[-2], pieces[-1]) if len(pieces) >= 2 else None


class Asgi:
    """`app.mount("/", core.asgi)` in Starlette or FastAPI, or serve it as it is."""

    def __init__(self, ingest: Ingest, limit: int) -> None:
        self._ingest = ingest
        self._limit = limit

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
        if where is None:
            return _NOT_FOUND
        try:
            body = await self._body(receive)
        except ConnectionError:
            return None
        if body is None:
            return _TOO_LARGE
        headers = {
            k.decode("latin-1"): v.decode("utf-8", "surrogateescape") for k, v in scope["headers"]
        }
        length = headers.get("content-length")
        if length is not None and not (length.isascii() and length.isdigit()):
            return _BAD_LENGTH
        if length is not None and int(length) != len(body):
            return _NOT_WHOLE
        query = _query(scope.get("query_string", b"").decode("latin-1"))
        return await self._ingest(*where, scope["method"], headers, query, body)

    async def _body(self, receive: Any) -> bytes | None:
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError("half a request is none")
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._limit:
                return None
            if not message.get("more_body"):
                return b"".join(chunks)


class Wsgi:
    """A WSGI app; every request is carried over by an event loop of its own."""

    def __init__(self, ingest: Ingest, limit: int) -> None:
        self._ingest = ingest
        self._limit = limit

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = self._answer(environ)
        reason = _REASONS.get(answer.status, "Status")
        headers = {"content-type": "text/plain", **answer.headers}
        headers["content-length"] = str(len(answer.body))
        start_response(f"{answer.status} {reason}", list(headers.items()))
        return [answer.body]

    def _answer(self, environ: dict[str, Any]) -> Response:
        where = address(environ.get("PATH_INFO", ""))
        if where is None:
            return _NOT_FOUND
        body = self._body(environ)
        if isinstance(body, Response):
            return body
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
        length = environ.get("CONTENT_LENGTH") or ""
        ends = bool(environ.get("wsgi.input_terminated"))
        if length and not (length.isascii() and length.isdigit()):
            return _BAD_LENGTH
        if not length and environ.get("HTTP_TRANSFER_ENCODING") and not ends:
            return _NO_LENGTH
        size = int(length) if length else None
        if size is not None and size > self._limit:
            return _TOO_LARGE
        most = self._limit + 1 if size is None else size
        body = b"" if size is None and not ends else _read(environ["wsgi.input"], most)
        if len(body) > self._limit:
            return _TOO_LARGE
        return body if size in (None, len(body)) else _NOT_WHOLE

    def _carry(self, *arguments: Any) -> Response:
        from anyio.from_thread import start_blocking_portal

        with start_blocking_portal() as portal:
            return portal.call(self._ingest, *arguments)


def _read(stream: Any, most: int) -> bytes:
    """At most so many bytes, in as many pieces as the server gives."""
    pieces, left = [], most
    while left:
        piece = stream.read(min(left, _PIECE))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
