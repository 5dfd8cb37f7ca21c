"""The Telegram samples of this repository and what a fact is compared by.

Knows: where the samples are, how an update is delivered to a test's webhook.
Does not know: pytest, what a sample should mean.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from outeract_adapters.telegram import Telegram
from outeract_core.adapter import Inbound, Settings
from outeract_core.events import Fact, Party, Unparsed
from outeract_core.testing import post, sign_telegram
from tests.support.places import SAMPLES

OWN = SAMPLES / "telegram"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CONFIG = {
    "token": "777000111:AAtest-bot-token",
    "webhook_secret_token": "test-webhook-secret",
    "bot_id": "777000111",
    "username": "@fake_bot",
}


def telegram(webhook_path: str | None = None, **config: Any) -> Telegram:
    """An adapter with the test's secrets and `config`."""
    settings = Settings("telegram", None, {**CONFIG, **config}, webhook_path=webhook_path)
    return Telegram(settings)


def samples() -> dict[str, dict[str, Any]]:
    """Every sample by name."""
    return {
        path.stem: json.loads(path.read_text())
        for path in sorted(OWN.rglob("*.json"), key=lambda path: path.stem)
    }


def request(body: Any, secret: str | None = None) -> Inbound:
    """The update as Telegram delivers it."""
    return post(
        sign_telegram(body, CONFIG["webhook_secret_token"] if secret is None else secret), NOW
    )


def read(body: Any, **config: Any) -> list[Fact | Unparsed]:
    """What a webhook with this update says, after its secret was checked."""
    adapter, inbound = telegram(**config), request(body)
    adapter.verify(inbound)
    return list(adapter.parse(inbound))


def one(body: Any, **config: Any) -> Fact:
    """The one fact of an update."""
    (fact,) = read(body, **config)
    assert isinstance(fact, Fact)
    return fact


def told(fact: Fact | Unparsed) -> dict[str, Any]:
    """A fact as a sample describes it."""
    if isinstance(fact, Unparsed):
        return {"kind": "unparsed"}
    return {
        "kind": fact.kind,
        "key": fact.key,
        "payload": dict(fact.payload),
        "occurred_at": fact.occurred_at and fact.occurred_at.isoformat(),
        "sender": _party(fact.sender),
        "chat": _party(fact.chat),
        "reply_to": fact.reply_to,
        "thread": fact.thread,
        "target": fact.target,
        "echo": fact.echo,
        "relinks": [[one.previous, one.current, one.alias_type] for one in fact.relinks],
        "files": [
            [ref.handle.get("file_id"), ref.filename, ref.mime_type, ref.size] for ref in fact.files
        ],
    }


def _party(party: Party | None) -> list[str | None] | None:
    return None if party is None else [party.external_id, party.kind, party.name]


def within(expected: Any, fact: Any) -> Any:
    """`fact` cut down to what `expected` names, payload and message included, so that the two compare."""
    if not isinstance(expected, dict) or not isinstance(fact, dict):
        return fact
    return {name: within(value, fact.get(name)) for name, value in expected.items()}
