"""Carrier pigeons as a platform of outeract_core: a complete adapter in one module.

Knows: the pigeon post's signature, its letters, its answers.
Does not know: sockets, retries, clocks; core has these.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

from outeract_core.adapter import Call, Flow, Health, Inbound, Manifest, Outgoing, Sent, Settings
from outeract_core.errors import (
    Ambiguous,
    ParseError,
    Rejected,
    SendError,
    SignatureError,
    Throttled,
    Transient,
    Unauthorised,
)
from outeract_core.events import Fact, Party, Unparsed, message
from outeract_core.text import Document, to_plain

MANIFEST = Manifest(
    platform="pigeon",
    text_limit=280,
    capabilities=frozenset({"text"}),
    config={
        "token": "the loft's key, from its owner",
        "webhook_secret": "what the loft signs letters with",
        "base_url": "where the loft is, https://loft.example unless given",
    },
    secrets=frozenset({"token", "webhook_secret"}),
    required=("token", "webhook_secret"),
    idempotency="native",
    pace_chat=1.0,
)


def signature(body: bytes, secret: str) -> bytes:
    """What the loft puts into `X-Pigeon-Signature`: hex HMAC-SHA256 of the raw body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def fact(letter: dict[str, Any]) -> Fact:
    """One letter. Raises KeyError, TypeError or ValueError for what is none."""
    number, sender, text = letter["id"], letter["from"], letter["text"]
    if not all(isinstance(value, str) and value for value in (number, sender, text)):
        raise ValueError("id, from and text must be texts")
    return Fact(
        kind="message.inbound",
        key=number,
        payload=message("pigeon", number, "text", text),
        raw=letter,
        occurred_at=datetime.fromtimestamp(letter["at"], UTC),
        sender=Party(sender, name=sender),
    )


def refusal(status: int, body: Any) -> SendError:
    """The loft's refusals: 401 for a bad key, 429 with `{"wait": seconds}`, other 4xx for good."""
    reason = f"the loft answered {status}"
    if status == 401:
        return Unauthorised(reason, code=status)
    if status == 429:
        wait = body.get("wait") if isinstance(body, dict) else None
        after = float(wait) if isinstance(wait, int | float) and 0 <= wait < 86_400 else None
        return Throttled(reason, after=after, code=status)
    return Rejected(reason, code=status) if 400 <= status < 500 else Ambiguous(reason, code=status)


class Pigeon:
    """One loft: letters come in by webhook and go out by HTTP."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def verify(self, inbound: Inbound) -> None:
        """Check `X-Pigeon-Signature`. Raises SignatureError."""
        expected = signature(inbound.body, self._settings.secret("webhook_secret"))
        given = inbound.headers.get("x-pigeon-signature", "").encode("utf-8", "replace")
        if not hmac.compare_digest(expected, given):
            raise SignatureError("X-Pigeon-Signature does not fit the body")

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """The letters of a delivery. Raises ParseError when it is none."""
        body = inbound.json()
        letters = body.get("letters") if isinstance(body, dict) else None
        if not isinstance(letters, list) or not letters:
            raise ParseError("no letters")
        for letter in letters:
            try:
                yield fact(letter)
            except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
                yield Unparsed(letter, f"not a letter: {error!r}")

    def render(self, document: Document) -> str:
        """The document as pigeons carry it: plain."""
        return to_plain(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Give one letter to a pigeon. Raises a SendError."""
        letter = {"to": outgoing.to.address, "text": outgoing.text}
        reply = yield self._call("POST", "/letters", letter, {"idempotency-key": outgoing.token})
        body = reply.json()
        if not 200 <= reply.status < 300:
            raise refusal(reply.status, body)
        if not isinstance(body, dict) or not isinstance(body.get("id"), str) or not body["id"]:
            raise Ambiguous("the loft took the letter, but gave no id")
        return Sent(body["id"])

    def check(self) -> Flow[Health]:
        """Whether the key fits the loft. Raises Transient when the loft does not tell."""
        reply = yield self._call("GET", "/loft")
        body = reply.json()
        if reply.status == 401:
            return Health(ok=False, remarks=("the token is not the loft's",))
        if reply.status != 200 or not isinstance(body, dict) or not isinstance(body.get("name"), str):
            raise Transient(f"the loft answered {reply.status}", code=reply.status)
        return Health(ok=True, name=body["name"])

    def _call(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None
    ) -> Call:
        base = str(self._settings.get("base_url") or "https://loft.example")
        key = {"authorization": f"Bearer {self._settings.secret('token')}"}
        return Call(method, f"{base}{path}", headers={**key, **(headers or {})}, json=json)
