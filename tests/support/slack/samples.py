"""The Slack samples of this repository and what a fact is compared by.

Knows: where the samples are, how a request is signed for a test.
Does not know: pytest, what a sample should mean.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from outeract_adapters.slack import Slack
from outeract_core.adapter import Inbound, Settings
from outeract_core.events import Fact, Party, Unparsed
from outeract_core.testing import post, sign_slack
from tests.support.places import SAMPLES

OWN = SAMPLES / "slack"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CONFIG = {"bot_token": "xoxb-test-bot-token", "signing_secret": "test-signing-secret"}


def slack(**config: Any) -> Slack:
    """An adapter with the test's secrets and `config`."""
    return Slack(Settings("slack", None, {**CONFIG, **config}))


def samples() -> dict[str, dict[str, Any]]:
    """Every sample by name."""
    return {
        path.stem: json.loads(path.read_text())
        for path in sorted(OWN.rglob("*.json"), key=lambda path: path.stem)
    }


def body_of(sample: dict[str, Any]) -> bytes | Any:
    """The sample's body as it would be posted."""
    return urlencode(sample["body"]).encode() if sample["kind"] == "form" else sample["body"]


def request(sample: dict[str, Any], at: datetime = NOW, secret: str = "") -> Inbound:
    """The sample as a signed request."""
    secret = secret or CONFIG["signing_secret"]
    form = sample["kind"] != "event"
    return post(sign_slack(body_of(sample), secret, at, form=form), at)


def event(body: Any) -> Inbound:
    """A signed Events API request."""
    return request({"kind": "event", "body": body})


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
        "chat": fact.chat and [fact.chat.external_id, fact.chat.kind],
        "chat_aliases": _aliases(fact.chat),
        "chat_name": fact.chat and fact.chat.name,
        "reply_to": fact.reply_to,
        "thread": fact.thread,
        "target": fact.target,
        "echo": fact.echo,
        "correlation": fact.correlation,
        "files": [
            {
                "handle": dict(ref.handle),
                "filename": ref.filename,
                "mime_type": ref.mime_type,
                "size": ref.size,
            }
            for ref in fact.files
        ],
    }


def within(expected: Any, found: Any) -> Any:
    """`found` cut down to the members that `expected` names, so that the two compare."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: within(value, found.get(key)) for key, value in expected.items()}
    return found


def _aliases(party: Party | None) -> list[list[str]]:
    return [[alias.type, alias.value] for alias in party.aliases] if party else []
