"""Who plays in the demo: three connections, the fake platforms behind them, what they have done.

Knows: how a platform's webhook reaches `ingest`, and what was answered.
Does not know: the order of the play (`demo.py`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal
from attrs import field

from .._api.app import App
from .._api.outeract import Outeract
from .._domain.values.classes import define
from .._store.reading import health
from ..model import PlatformConnection
from ..query import status_is, type_is
from ..testing import FakePlatform, sign_slack, sign_telegram, sign_whatsapp

PHONE_NUMBER_ID = "100000000000001"
_SECRETS = {"telegram": "demo-secret-token", "whatsapp": "demo-app-secret", "slack": "demo-signing"}


@define
class Cast:
    """`webhooks` counts requests handed to `ingest`, the platforms' repetitions included."""

    core: Outeract
    app: App
    fake: FakePlatform
    portal: BlockingPortal
    webhooks: int = 0
    connections: dict[str, PlatformConnection] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        base, connect = {"base_url": self.fake.url}, self.app.connect
        self.connections = {
            "telegram": connect(
                "telegram", token="42:demo", webhook_secret_token=_SECRETS["telegram"], **base
            ),
            "whatsapp": connect(
                "whatsapp", access_token="demo-token", app_secret=_SECRETS["whatsapp"],
                verify_token="demo-verify", phone_number_id=PHONE_NUMBER_ID, **base,
            ),
            "slack": connect("slack", bot_token="xoxb-demo", signing_secret=_SECRETS["slack"], **base),
        }  # fmt: skip
        for platform, secret in _SECRETS.items():
            self.fake.webhook(platform, self._receiver(platform), secret)

    def _receiver(self, platform: str) -> Any:
        """How the fake platform's thread brings a webhook: into the loop, and back with the status."""

        def receive(headers: Mapping[str, str], body: bytes) -> int:
            return self.portal.call(self._ingest, platform, headers, body)

        return receive

    async def _ingest(self, platform: str, headers: Mapping[str, str], body: bytes) -> int:
        self.webhooks += 1
        where = self.connections[platform]
        answer = await self.core.ingest(
            where.webhook_id, where.webhook_secret, "POST", headers, {}, body
        )
        return answer.status

    async def says(self, platform: str, who: str, text: str, times: int = 1) -> None:
        """Somebody writes; the platform delivers it `times` times."""
        fake = self.fake
        payload = {
            "telegram": lambda: fake.telegram.say(int(who), text),
            "whatsapp": lambda: fake.whatsapp.say(who, text, phone_number_id=PHONE_NUMBER_ID),
            "slack": lambda: fake.slack.say(who, text),
        }[platform]()
        for _ in range(times):
            await self.delivers(platform, payload)

    async def delivers(self, platform: str, payload: Any) -> None:
        """The platform signs a payload and sends it."""
        secret = _SECRETS[platform]
        if platform == "slack":
            headers, body = sign_slack(payload, secret, self.fake.clock())
        else:
            sign = sign_telegram if platform == "telegram" else sign_whatsapp
            headers, body = sign(payload, secret)
        await self._ingest(platform, headers, body)

    async def answered(self) -> int:
        """How many different inbound messages have a reply that the platform has accepted."""
        causes = set()
        async for event in self.app.events.all(
            type_is("message.outbound") & status_is("sent", "delivered", "read")
        ):
            found = await self.app.graph.walk(event, types=["triggered_by"], depth=1)
            causes |= {e.id for e in found.events if e.event_type == "message.inbound"}
        return len(causes)

    async def doubled(self) -> int:
        """Inbound messages that have more than one reply in the store."""
        replies: Counter[Any] = Counter()
        async for event in self.app.events.all(type_is("message.outbound")):
            found = await self.app.graph.walk(event, types=["triggered_by"], depth=1)
            replies.update(e.id for e in found.events if e.event_type == "message.inbound")
        return sum(count - 1 for count in replies.values() if count > 1)

    async def settled(self) -> bool:
        """Whether every message has its reply, and WhatsApp has told of each that it was read."""
        inbound = await self.app.events.count(type_is("message.inbound"))
        waiting = await self.app.events.count(type_is("message.outbound") & status_is("queued"))
        sent = len(self.fake.sent("whatsapp"))
        read = await self.app.events.count(type_is("message.outbound") & status_is("read"))
        return not waiting and await self.answered() == inbound and read >= sent

    def counts(self) -> dict[str, int]:
        """What is in the file."""
        return self.core.runtime.database.read(lambda tx: health.counts(tx, self.app.key))


_TOLD_BY = {"telegram": "update_id", "whatsapp": "entry", "slack": "event"}


def recorded(folder: str | None, team: str, now: float) -> Iterator[tuple[str, Any]]:
    """Payloads that real platforms have sent, if there are any: (platform, payload).

    As if they came today, and from the workspace that the demo is in: what is old may not be answered,
    and what is another workspace's is not ours.
    """
    for file in sorted(Path(folder).glob("*.json")) if folder else []:
        platform = file.stem.partition("_")[0]
        told = _TOLD_BY.get(platform)
        for payload in json.loads(file.read_text("utf-8")).values() if told else []:
            if isinstance(payload, dict) and told in payload:
                yield platform, _today({**payload, **_here(platform, team)}, str(int(now)))


def _here(platform: str, team: str) -> dict[str, str]:
    return {"team_id": team} if platform == "slack" else {}


def _today(told: Any, now: str) -> Any:
    """The same with `timestamp`, which WhatsApp writes as text, of now."""
    if isinstance(told, list):
        return [_today(one, now) for one in told]
    if not isinstance(told, dict):
        return told
    return {
        k: now if k == "timestamp" and isinstance(v, str) else _today(v, now)
        for k, v in told.items()
    }
