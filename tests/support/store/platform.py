"""A platform that exists only in tests: facts go in as they are, sends get their receipt at once.

Knows: the adapter protocol, facts. Does not know: HTTP, any real platform.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from outeract_core import App, Outeract
from outeract_core.adapter import Flow, Inbound, Manifest, Outgoing, Response, Sent, Settings
from outeract_core.events import Fact, Party, Unparsed, message
from outeract_core.model import Event, PlatformConnection
from outeract_core.text import Document, to_plain


class Plain:
    """Its wire format is pickled facts; a sent part is called `out-` and its token."""

    manifest: ClassVar[Manifest] = Manifest(
        platform="plain",
        text_limit=100,
        capabilities=frozenset({"text", "reply", "groups", "delivered", "read"}),
        media={"document": (10**6, ()), "image": (10**6, ())},
        idempotency="native",
    )

    def __init__(self, settings: Settings) -> None:
        """Nothing is needed."""

    def verify(self, inbound: Inbound) -> None:
        """Everybody is trusted."""

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """The facts."""
        facts: list[Fact | Unparsed] = pickle.loads(inbound.body)
        return facts

    def render(self, document: Document) -> str:
        """The text."""
        return to_plain(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Accepted without a request."""
        yield from ()
        return Sent(external_name(outgoing.token))


def external_name(token: str) -> str:
    """How the platform will call the part that was sent under `token`."""
    return f"out-{token}"


def connect(core: Outeract, app: App, name: str = "plain", **config: Any) -> PlatformConnection:
    """A connection of this platform."""
    core.register("plain", Plain)
    return app.connect("plain", name=name, **config)


async def take(core: Outeract, connection: PlatformConnection, *facts: Fact | Unparsed) -> Response:
    """Bring facts as one delivery."""
    return await core.ingest(
        connection.webhook_id, connection.webhook_secret, body=pickle.dumps(list(facts))
    )


def said(
    key: str, sender: str | Party = "alice", text: str = "hello", *, group: str | None = None,
    at: datetime | None = None, **more: Any,
) -> Fact:  # fmt: skip
    """Somebody has written, alone or in a group."""
    return Fact(
        "message.inbound", key, message("plain", key, "text", text), raw={"text": text, "id": key},
        occurred_at=at, sender=party(sender),
        chat=None if group is None else Party(group, "group"), **more,
    )  # fmt: skip


def party(who: str | Party) -> Party:
    """A person by id, or as given."""
    return Party(who, "person", who.title()) if isinstance(who, str) else who


def status(
    kind: str, target: str, *, key: str | None = None, at: datetime | None = None, **more: Any
) -> Fact:
    """The platform tells what became of a message: `kind` is sent, delivered, read or failed."""
    payload = {"external_message_id": target, **({"reason": more.pop("reason")} if "reason" in more else {})}  # fmt: skip
    return Fact(
        f"message.{kind}", key or f"{target}:{kind}", payload, occurred_at=at, target=target, **more
    )


async def events(app: App) -> list[Event]:
    """The whole log, oldest first."""
    return [event async for event in app.events.all()]


async def kinds(app: App) -> list[str]:
    """The types of the whole log, oldest first."""
    return [event.event_type for event in await events(app)]


async def readable(app: App) -> list[Any]:
    """The texts of all messages, oldest first; None where the content has gone."""
    return [
        None if event.erased else event.text
        for event in await events(app)
        if event.event_type in ("message.inbound", "message.outbound")
    ]
