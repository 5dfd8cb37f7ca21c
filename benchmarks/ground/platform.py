"""A platform that lives in this process: what is sent to it is in a list at once.

Knows: the adapter protocol, and in which order messages came to whom.
Does not know: networks, files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from outeract_core.adapter import Flow, Inbound, Manifest, Outgoing, Sent, Settings
from outeract_core.events import Fact, Party, Unparsed, message
from outeract_core.text import Document, to_plain

NAME = "inprocess"


class InProcess:
    """Takes everything, at once. `sent`: (recipient, text), over all connections."""

    manifest: ClassVar[Manifest] = Manifest(
        platform=NAME, text_limit=None, config={}, idempotency="native"
    )
    sent: ClassVar[list[tuple[str, str]]] = []

    def __init__(self, settings: Settings) -> None:
        del settings

    def verify(self, inbound: Inbound) -> None:
        """Accept: nothing comes from outside."""

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """`{"n": number, "from": who, "text": words}`."""
        told: dict[str, Any] = json.loads(inbound.body)
        yield Fact(
            kind="message.inbound",
            key=told["n"],
            payload=message(NAME, str(told["n"]), "text", told["text"]),
            raw=told,
            occurred_at=inbound.received_at,
            sender=Party(told["from"], name=told["from"]),
        )

    def render(self, document: Document) -> str:
        """The document as plain text."""
        return to_plain(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Put it into the list."""
        yield from ()
        self.sent.append((outgoing.to.address, outgoing.text or ""))
        return Sent(f"in:{outgoing.token}")


def out_of_order(sent: Iterable[tuple[str, str]]) -> int:
    """How many messages, whose texts are numbers, came to somebody after a later one."""
    last: dict[str, int] = {}
    wrong = 0
    for to, text in sent:
        wrong += int(text) <= last.get(to, -1)
        last[to] = int(text)
    return wrong
