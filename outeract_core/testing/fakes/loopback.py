"""An HTTP server on a loopback port, a thread for each connection, gone without a trace when closed.

Knows: HTTP requests and answers, chunked bodies, connections that end without an answer.
Does not know: platforms; a function of a request answers.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from .record import Answer, Request

__all__ = ["Loopback"]

Respond: TypeAlias = Callable[[Request], Answer | None]


class Loopback(ThreadingHTTPServer):
    """Serves from the moment it is made. `respond` gives the answer, or None to hang up."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, respond: Respond, clock: Callable[[], datetime]) -> None:
        """`port`: 0 for any free one. Raises OSError when it is taken."""
        self.respond, self.clock = respond, clock
        self._open: dict[Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        """Stop listening, close what is open and wait for its threads."""
        self.shutdown()
        for thread, connection in self._open.items():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            thread.join()
        self.server_close()
        self._thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread per connection, remembered so that `stop` leaves none behind."""
        self._open = {t: s for t, s in self._open.items() if t.is_alive()}
        thread = Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._open[thread] = request
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Loopback

    def _serve(self) -> None:
        try:
            answer = self.server.respond(self._request())
        except Exception as error:
            answer = Answer(500, f"fake platform: {type(error).__name__}: {error}".encode())
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _request(self) -> Request:
        url = urlsplit(self.path)
        return Request(
            method=self.command,
            path=unquote(url.path),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._chunks() if "chunked" in self._coding() else self._whole(),
            at=self.server.clock(),
        )

    def _coding(self) -> str:
        return (self.headers.get("transfer-encoding") or "").lower()

    def _whole(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _chunks(self) -> bytes:
        found = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            found.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(found)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: `FakePlatform.requests` has it all."""
