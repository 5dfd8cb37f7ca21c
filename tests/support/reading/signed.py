"""The platforms whose webhooks are signed, each with a connection and a way to sign for it.

Knows: the config that each needs, whom its samples come from.
Does not know: what is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from outeract_core import App, Outeract
from outeract_core.adapter import Response
from outeract_core.model import PlatformConnection
from outeract_core.testing import (
    FakePlatform,
    ManualClock,
    sign_slack,
    sign_telegram,
    sign_whatsapp,
)
from outeract_core.testing.signing import Signed

__all__ = ["PLATFORMS", "SIGNATURES", "Line", "line"]

_CONFIG: dict[str, dict[str, str]] = {
    "telegram": {"token": "123456789:AAbot-token", "webhook_secret_token": "the-right-secret"},
    "whatsapp": {
        "access_token": "EAAtoken-token", "app_secret": "the-right-secret",
        "verify_token": "verify-me-please", "phone_number_id": "111",
    },
    "slack": {"bot_token": "xoxb-bot-token", "signing_secret": "the-right-secret"},
}  # fmt: skip
PLATFORMS = tuple(_CONFIG)
SIGNATURES = {
    "telegram": "x-telegram-bot-api-secret-token",
    "whatsapp": "x-hub-signature-256",
    "slack": "x-slack-signature",
}
"""Which header carries the signature."""


@frozen
class Line:
    """A connection, and how a message for it is made and signed."""

    core: Outeract
    app: App
    conn: PlatformConnection
    say: Callable[[str], Any]
    sign: Callable[[Any], Signed]

    async def post(self, signed: Signed, query: Mapping[str, str] | None = None) -> Response:
        """Hand a request over as a host would."""
        headers, body = signed
        return await self.ask("POST", headers, query or {}, body)

    async def ask(
        self, method: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> Response:
        """Any request to the connection's own address."""
        conn = self.conn
        return await self.core.ingest(
            conn.webhook_id, conn.webhook_secret, method, headers, query, body
        )


def line(core: Outeract, app: App, clock: ManualClock, platform: str, **more: str) -> Line:
    """A connection of `platform`, whose far end is a fake that only writes."""
    fake = FakePlatform(clock=clock)
    conn = app.connect(platform, **{**_CONFIG[platform], **more})
    says: dict[str, Callable[[str], Any]] = {
        "telegram": lambda text: fake.telegram.say(7, text),
        "whatsapp": lambda text: fake.whatsapp.say("15550007", text, phone_number_id="111"),
        "slack": lambda text: fake.slack.say("U0007", text),
    }
    signs: dict[str, Callable[[Any], Signed]] = {
        "telegram": lambda payload: sign_telegram(payload, "the-right-secret"),
        "whatsapp": lambda payload: sign_whatsapp(payload, "the-right-secret"),
        "slack": lambda payload: sign_slack(payload, "the-right-secret", clock()),
    }
    return Line(core, app, conn, says[platform], signs[platform])
