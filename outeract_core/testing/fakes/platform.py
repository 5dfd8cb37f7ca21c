"""Telegram, WhatsApp and Slack on a loopback port: a real HTTP server, for tests, demos and crashes.

Knows: which path belongs to which platform, planted faults, where webhooks go.
Does not know: what a platform answers (`telegram.py`, `whatsapp.py`, `slack.py` beside this file),
HTTP (`loopback.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from ..signing import Signed, sign_slack, sign_telegram, sign_whatsapp
from . import control
from .courier import Courier, Receiver
from .faults import Fault, Faults, refused, throttled
from .loopback import Loopback
from .record import Answer, Received, Request, World, groups
from .slack import FakeSlack
from .telegram import FakeTelegram
from .whatsapp import FakeWhatsApp

__all__ = ["FakePlatform"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FakePlatform:
    """All three platforms behind one base URL. Use it with `with` or `async with`.

    >>> with FakePlatform() as fake:
    ...     fake.url.startswith("http://127.0.0.1:")
    True

    It serves from threads of its own, so that a test may block while it waits for a bot in the same
    process. Point an adapter at it with `base_url=fake.url`; a client that expects Slack's `/api`
    or Telegram's `/bot` in its base URL finds these too. `telegram`, `whatsapp` and `slack` are the
    players: `say()` on each makes an inbound payload to sign with `sign_*`, or for `deliver`.
    Without tokens any non-empty credential is accepted; with them all others are refused as the
    platform refuses them. Another process steers it by HTTP, see `control.py`.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = _utc_now,
        port: int = 0,
        telegram_token: str | None = None,
        whatsapp_token: str | None = None,
        slack_token: str | None = None,
    ) -> None:
        """`clock`: aware time. `port`: 0 for any free one."""
        self.clock = clock
        self._port = port
        self._world = World(clock, told=self._report)
        self._faults = Faults()
        self._webhooks: dict[str, tuple[Receiver, str, tuple[str, ...]]] = {}
        self.courier = Courier()
        """What brings the webhooks."""
        self.requests: list[Request] = []
        """Every request in order of arrival, also those that were failed or dropped."""
        self.telegram = FakeTelegram(self._world, telegram_token)
        self.whatsapp = FakeWhatsApp(self._world, whatsapp_token)
        self.slack = FakeSlack(self._world, slack_token)
        self.players: Mapping[str, FakeTelegram | FakeWhatsApp | FakeSlack] = {
            "telegram": self.telegram, "whatsapp": self.whatsapp, "slack": self.slack,
        }  # fmt: skip
        """The three by name."""

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return self._world.url

    # ── planted faults ──

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
        answer = Answer(status, wire, dict(headers or {}))
        self._plant(Fault(n, path, lambda _: answer))

    def throttle(self, n: int = 1, path: str = "", after: int = 1) -> None:
        """Refuse the next `n` matching requests as too many, for `after` whole seconds."""
        self._plant(Fault(n, path, lambda platform: throttled(platform, after)))

    def refuse(self, n: int = 1, path: str = "") -> None:
        """Refuse the next `n` matching requests for good, in the platform's own words."""
        self._plant(Fault(n, path, refused))

    def drop(self, n: int = 1, path: str = "", *, done: bool = True) -> None:
        """Close the connection of the next `n` matching requests without an answer.

        With `done` the platform has done what was asked and only the answer is lost; without, it
        has not. The caller cannot tell these apart: that is the ambiguous case.
        """
        self._plant(Fault(n, path, done=done))

    def hang(self, n: int = 1, path: str = "", *, done: bool = True) -> None:
        """Like `drop`, but the connection stays open until the caller's patience ends."""
        self._plant(Fault(n, path, done=done, hang=True))

    def calm(self) -> int:
        """Take back the faults that are left; how many requests they would still have hit."""
        with self._world.changed:
            return self._faults.clear()

    def _plant(self, fault: Fault) -> None:
        with self._world.changed:
            self._faults.plant(fault)

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

    def duplicates(self, platform: str | None = None) -> list[tuple[Received, ...]]:
        """Messages that were carried out more than once, each with all its copies.

        Copies go to the same chat, say the same and carry the same `correlation`. Where a platform
        carries none (Telegram, Slack's uploads), two messages that say the same count as copies.
        """
        return [copies for copies in groups(self.sent(platform)) if len(copies) > 1]

    # ── what goes back ──

    def webhook(
        self,
        platform: str,
        to: Receiver,
        secret: str,
        statuses: tuple[str, ...] = ("sent", "delivered", "read"),
    ) -> None:
        """From now on bring this platform's webhooks to `to`, signed with `secret`.

        WhatsApp tells these `statuses` of every message it accepts (`failed` is one too; it is the
        only one of what does not arrive, and a reaction is not told as delivered or read), Slack shows the bot its own messages, Telegram tells nothing. A refused webhook comes again
        until it is accepted. Raises ValueError for an unknown platform.
        """
        if platform not in _SIGN:
            raise ValueError(f"no platform {platform!r}; there are {', '.join(_SIGN)}")
        self._webhooks[platform] = (to, secret, tuple(statuses))

    def deliver(self, platform: str, payload: Any) -> None:
        """Bring this payload to the platform's webhook. Raises LookupError when it has none."""
        if platform not in self._webhooks:
            raise LookupError(f"no webhook; call webhook({platform!r}, to, secret) first")
        to, secret, _ = self._webhooks[platform]
        self.courier.take(to, _SIGN[platform](payload, secret, self.clock()))

    def connected(self, platform: str) -> bool:
        """Whether this platform has a webhook."""
        return platform in self._webhooks

    def settled(self, timeout: float = 10) -> bool:
        """Wait until every webhook was accepted; whether that came true in `timeout` seconds."""
        return self.courier.idle(timeout)

    def statuses(self, app_secret: str) -> list[Signed]:
        """Signed WhatsApp webhooks (sent, delivered, read; failed) of each message not yet reported."""
        return self.whatsapp.statuses(app_secret)

    def _report(self, message: Received) -> None:
        """What the platform itself has to tell of a message that it has just accepted."""
        if message.platform not in self._webhooks:
            return
        if message.platform == "whatsapp":
            for status in self.whatsapp.told(message, self._webhooks["whatsapp"][2]):
                self.deliver("whatsapp", self.whatsapp.status(message, status))
        elif message.platform == "slack":
            self.deliver("slack", self.slack.echo(message))

    # ── life ──

    def __enter__(self) -> FakePlatform:
        self._server = Loopback(self._port, self.respond, self.clock)
        self._world.url = self._server.url
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
        self.courier.close()
        self._server.stop()

    async def __aenter__(self) -> FakePlatform:
        return self.__enter__()

    async def __aexit__(self, *error: Any) -> None:
        self.__exit__(*error)

    # ── one request ──

    def respond(self, request: Request) -> Answer | None:
        """Record and answer one request; None to hang up. (The server calls this.)"""
        if control.meant(request):
            return control.answer(self, request)
        with self._world.changed:
            self.requests.append(request)
            fault = self._faults.take(request.path)
            if fault is None:
                return self._play(request)
            if fault.answer is not None:
                return fault.answer(self._platform(request.path))
            if fault.done:
                self._play(request)
            if fault.hang:
                self._world.changed.wait_for(lambda: self._world.closed)
            return None

    def _platform(self, path: str) -> str:
        """Whose path it is; Slack's when it is nobody's."""
        return next((name for name, one in self.players.items() if one.speaks(path)), "slack")

    def _play(self, request: Request) -> Answer:
        for player in self.players.values():
            answer = player.answer(request)
            if answer is not None:
                return answer
        return Answer(404, b"no fake platform has this path")


_SIGN: dict[str, Callable[[Any, str, datetime], Signed]] = {
    "telegram": lambda payload, secret, _: sign_telegram(payload, secret),
    "whatsapp": lambda payload, secret, _: sign_whatsapp(payload, secret),
    "slack": sign_slack,
}
