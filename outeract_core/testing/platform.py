"""Telegram, WhatsApp and Slack on a loopback port: a real HTTP server, for tests, demos and crashes.

Knows: HTTP, which path belongs to which platform, scripted failures.
Does not know: what a platform answers (`telegram.py`, `whatsapp.py`, `slack.py` beside this file).
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .record import Answer, Received, Request, World
from .signing import Signed
from .slack import FakeSlack
from .telegram import FakeTelegram
from .whatsapp import FakeWhatsApp

__all__ = ["FakePlatform"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class _Script:
    left: int
    path: str
    answer: Answer | None
    done: bool = False


class FakePlatform:
    """All three platforms behind one base URL. Use it as a context manager.

    >>> with FakePlatform() as fake:
    ...     fake.url.startswith("http://127.0.0.1:")
    True

    Point an adapter at it with `base_url=fake.url`; a client that expects Slack's `/api` or
    Telegram's `/bot` in its base URL finds these too. `telegram`, `whatsapp` and `slack` are the
    players: `say()` on each makes an inbound payload to sign with `sign_*`. Without tokens any
    non-empty credential is accepted; with them all others are refused as the platform refuses them.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = _utc_now,
        telegram_token: str | None = None,
        whatsapp_token: str | None = None,
        slack_token: str | None = None,
    ) -> None:
        self.clock = clock
        self._world = World(clock)
        self._scripts: list[_Script] = []
        self.requests: list[Request] = []
        """Every request in order of arrival, also those that were failed or dropped."""
        self.telegram = FakeTelegram(self._world, telegram_token)
        self.whatsapp = FakeWhatsApp(self._world, whatsapp_token)
        self.slack = FakeSlack(self._world, slack_token)

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return self._world.url

    # ── scripted failures ──

    def fail(
        self,
        n: int = 1,
        path: str = "",
        status: int = 500,
        body: Any = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next `n` requests whose path contains `path` with this instead of doing them.

        `body`: bytes or text as they are, anything else as JSON.
        """
        data = body.encode() if isinstance(body, str) else body
        wire = data if isinstance(data, bytes) else json.dumps(data).encode()
        self._script(_Script(n, path, Answer(status, wire, dict(headers or {}))))

    def drop(self, n: int = 1, path: str = "", *, done: bool = True) -> None:
        """Close the connection of the next `n` matching requests without an answer.

        With `done` the platform has done what was asked and only the answer is lost; without, it
        has not. The caller cannot tell these apart: that is the ambiguous case.
        """
        self._script(_Script(n, path, None, done))

    def _script(self, script: _Script) -> None:
        with self._world.changed:
            self._scripts.append(script)

    # ── what came ──

    def sent(self, platform: str | None = None) -> list[Received]:
        """The messages that were accepted, oldest first; of one platform, or of all."""
        with self._world.changed:
            return [m for m in self._world.received if platform in (None, m.platform)]

    def wait(self, count: int, platform: str | None = None, timeout: float = 10) -> list[Received]:
        """`sent()` as soon as it holds `count` messages. Raises TimeoutError after `timeout` seconds."""
        if not self._world.wait(lambda: len(self.sent(platform)) >= count, timeout):
            found = len(self.sent(platform))
            raise TimeoutError(f"{found} of {count} messages after {timeout} s")
        return self.sent(platform)

    def statuses(self, app_secret: str) -> list[Signed]:
        """Signed WhatsApp webhooks (sent, delivered, read) of each message not yet reported."""
        return self.whatsapp.statuses(app_secret)

    # ── life ──

    def __enter__(self) -> FakePlatform:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self._world.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._world.changed:
            self._world.closed = True
            self._world.changed.notify_all()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    # ── one request ──

    def respond(self, request: Request) -> Answer | None:
        """Record and answer one request; None to hang up. (The server calls this.)"""
        with self._world.changed:
            self.requests.append(request)
            script = self._scripted(request.path)
            if script is not None and script.answer is not None:
                return script.answer
            if script is not None and not script.done:
                return None
            answer = self._play(request)
            return None if script is not None else answer

    def _scripted(self, path: str) -> _Script | None:
        for script in self._scripts:
            if script.left > 0 and script.path in path:
                script.left -= 1
                return script
        return None

    def _play(self, request: Request) -> Answer:
        for player in (self.telegram, self.whatsapp, self.slack):
            answer = player.answer(request)
            if answer is not None:
                return answer
        return Answer(404, b"no fake platform has this path")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    fake: FakePlatform

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: dict[Thread, socket.socket] = {}
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread per connection, remembered so that `hang_up` leaves none behind."""
        self._open = {t: s for t, s in self._open.items() if t.is_alive()}
        thread = Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._open[thread] = request
        thread.start()

    def hang_up(self) -> None:
        """Close what is still open and wait for its threads."""
        for thread, connection in self._open.items():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        fake = self.server.fake
        try:
            answer = fake.respond(self._request())
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
            at=self.server.fake.clock(),
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
