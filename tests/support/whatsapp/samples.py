"""The WhatsApp samples of this repository and what a fact is compared by.

Knows: where the samples are, how a webhook is signed for a test.
Does not know: pytest, what a sample should mean.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from outeract_adapters.whatsapp import WhatsApp
from outeract_core.adapter import Inbound, Settings
from outeract_core.events import Fact, Party, Unparsed
from outeract_core.testing import post, sign_whatsapp
from tests.support.places import SAMPLES

OWN = SAMPLES / "whatsapp"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NUMBER = "100200300400500"
CONFIG = {
    "phone_number_id": NUMBER,
    "access_token": "EAAG-test-access-token",
    "app_secret": "test-app-secret",
    "verify_token": "test-verify-token",
}


def whatsapp(**config: Any) -> WhatsApp:
    """An adapter with the test's secrets and `config`."""
    return WhatsApp(Settings("whatsapp", NUMBER, {**CONFIG, **config}))


def samples() -> dict[str, dict[str, Any]]:
    """Every sample by name."""
    return {
        path.stem: json.loads(path.read_text())
        for path in sorted(OWN.rglob("*.json"), key=lambda path: path.stem)
    }


def request(body: Any, secret: str | None = None) -> Inbound:
    """The body as a signed request."""
    return post(sign_whatsapp(body, CONFIG["app_secret"] if secret is None else secret), NOW)


def read(body: Any) -> list[Fact | Unparsed]:
    """What a webhook with this body says, after its signature was checked."""
    adapter, inbound = whatsapp(), request(body)
    adapter.verify(inbound)
    return list(adapter.parse(inbound))


def told(fact: Fact | Unparsed) -> dict[str, Any]:
    """A fact as a sample describes it."""
    if isinstance(fact, Unparsed):
        return {"kind": "unparsed"}
    return {
        "kind": fact.kind,
        "key": fact.key,
        "payload": dict(fact.payload),
        "occurred_at": fact.occurred_at and fact.occurred_at.isoformat(),
        "sender": fact.sender and (fact.sender.external_id or "?"),
        "sender_aliases": _aliases(fact.sender),
        "sender_name": fact.sender and fact.sender.name,
        "chat": fact.chat and [fact.chat.external_id or "?", fact.chat.kind],
        "chat_aliases": _aliases(fact.chat),
        "reply_to": fact.reply_to,
        "target": fact.target,
        "echo": fact.echo,
        "correlation": fact.correlation,
        "account": fact.account,
        "relinks": [[one.previous, one.current, one.alias_type] for one in fact.relinks],
        "files": [
            {
                "handle": dict(ref.handle),
                "filename": ref.filename,
                "mime_type": ref.mime_type,
                "size": ref.size,
                "sha256": ref.sha256,
            }
            for ref in fact.files
        ],
    }


def within(expected: Any, fact: dict[str, Any]) -> dict[str, Any]:
    """`fact` cut down to what `expected` names, in its payload too, so that the two compare."""
    cut = {member: fact[member] for member in expected}
    if "payload" in expected:
        cut["payload"] = {name: fact["payload"].get(name) for name in expected["payload"]}
    return cut


def _aliases(party: Party | None) -> list[list[str]]:
    return [[alias.type, alias.value] for alias in party.aliases] if party else []
