"""A platform that exists only here, and short ways to make things happen on it.

Knows: the adapter protocol, how a fact is written down, how messages arrive and are sent.
Does not know: what is tested.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx

from outeract_core import App, Outeract
from outeract_core._store.records.conn import Conn
from outeract_core._store.writing import ingest, raw_deliveries
from outeract_core.adapter import (
    Call,
    Flow,
    Inbound,
    Manifest,
    MessageRef,
    Outgoing,
    Polled,
    Recipient,
    Response,
    Sent,
    Settings,
)
from outeract_core.errors import SignatureError
from outeract_core.events import Fact, Party, Unparsed, message
from outeract_core.model import Event, PlatformConnection, PlatformUser, PlatformUserKind
from outeract_core.text import Document, to_plain

START = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = {"x-pigeon": "coo"}
BASE = "http://pigeon.test"


class Pigeon:
    """A platform that can do everything; its webhooks are `{"items": [...]}` with a shared header."""

    manifest: ClassVar[Manifest] = Manifest(
        "pigeon", 4000,
        capabilities=frozenset({"text", "reply", "thread", "react", "edit", "delete", "typing",
                                "mark_read", "groups", "media"}),
        media={"document": (10**6, ())},
        config={"token": "a secret", "polled": "what a poll gives"}, idempotency="native",
    )  # fmt: skip
    knows: ClassVar[frozenset[str]] = frozenset({"text"})
    """The item types that this version understands."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def verify(self, inbound: Inbound) -> None:
        if inbound.header("x-pigeon") != b"coo":
            raise SignatureError("no coo")

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        for item in inbound.json()["items"]:
            if item.get("type", "text") in self.knows:
                yield said(item["id"], item.get("text", ""), item["from"], group=item.get("group"))
            else:
                yield Unparsed(item, f"unknown type {item.get('type')}")

    def render(self, document: Document) -> str:
        return to_plain(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        reply = yield Call("POST", f"{BASE}/send", json={"text": outgoing.text})
        return Sent(reply.json()["id"])

    def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
        reply = yield Call("POST", f"{BASE}/poll", json={"cursor": cursor})
        body = reply.json()
        facts = [said(item["id"], item["text"], item["from"]) for item in body["items"]]
        return Polled(facts, body["cursor"])

    def react(self, message: MessageRef, emoji: str, remove: bool) -> Flow[None]:
        yield Call("POST", f"{BASE}/react")

    def edit(self, message: MessageRef, outgoing: Outgoing) -> Flow[None]:
        yield Call("POST", f"{BASE}/edit")

    def delete(self, message: MessageRef) -> Flow[None]:
        yield Call("POST", f"{BASE}/delete")

    def mark_read(self, message: MessageRef) -> Flow[None]:
        yield Call("POST", f"{BASE}/read")

    def typing(self, to: Recipient, message: MessageRef | None) -> Flow[None]:
        yield Call("POST", f"{BASE}/typing")


class Loft:
    """The far end of Pigeon: numbers what is sent, answers polls from `items`."""

    def __init__(self) -> None:
        self.sent = 0
        self.items: list[dict[str, Any]] = []
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        if request.url.path == "/send":
            self.sent += 1
            return httpx.Response(200, json={"id": f"out-{self.sent}"})
        if request.url.path == "/poll":
            after = json.loads(request.content)["cursor"] or 0
            return httpx.Response(
                200, json={"items": self.items[after:], "cursor": len(self.items)}
            )
        return httpx.Response(200, json={})


def said(
    key: str, text: str, who: str, *, group: str | None = None, at: float | None = None,
    name: str | None = None, type: str = "text", **more: Any,
) -> Fact:  # fmt: skip
    """A message of `who`; `at`: seconds after START; a `group` that begins with c is a channel."""
    kind: PlatformUserKind = "channel" if group and group.startswith("c") else "group"
    chat = None if group is None else Party(group, kind, f"Group {group}")
    return Fact(
        "message.inbound", key, message("pigeon", key, type, text), sender=Party(who, name=name),
        chat=chat, occurred_at=None if at is None else START + timedelta(seconds=at), **more,
    )  # fmt: skip


def about(kind: str, key: str, target: str, payload: Mapping[str, Any], who: str = "ann") -> Fact:
    """An edit, deletion, reaction … of the message `target`."""
    return Fact(kind, key, payload, sender=Party(who), target=target)


def raw_conn(core: Outeract, connection: PlatformConnection) -> Conn:
    """A connection as units of work need it."""
    return next(c for c in core.runtime.conns() if c.entity.id == connection.id)


async def arrive(core: Outeract, connection: PlatformConnection, *facts: Fact) -> list[int]:
    """Facts are committed as if a webhook had brought them; the keys of new events."""
    conn = raw_conn(core, connection)
    items = [ingest.prepare(fact, fact.raw) for fact in facts]
    fates = await core.runtime.database.write(lambda tx: ingest.ingest(tx, conn, items))
    return [fate for fate in fates if fate > 0]


async def event(app: App, connection: PlatformConnection, external_id: str) -> Event:
    """The message with this external id."""
    return await app.events.by_external_id(connection, external_id)


async def person(app: App, connection: PlatformConnection, external_id: str) -> PlatformUser:
    """The platform user with this external id."""
    return await app.people.by_external_id(connection, external_id)


def connect(core: Outeract, app: App, platform: str = "pigeon", **more: Any) -> PlatformConnection:
    """A connection to Pigeon, under any platform's name."""
    core.register(platform, Pigeon)
    return app.connect(platform, **more)


async def everything(app: App, **options: Any) -> list[Event]:
    """All events, oldest first unless told otherwise."""
    return [one async for one in app.events.all(**options)]


def body_of(*items: Any) -> bytes:
    """A webhook of Pigeon."""
    return json.dumps({"items": items}).encode()


def item(key: str, text: str = "hi", **more: Any) -> dict[str, Any]:
    """One message in a webhook of Pigeon."""
    return {"id": key, "text": text, "from": "ann", **more}


async def post(core: Outeract, conn: Any, body: bytes, headers: Any = None) -> Response:
    """A webhook as it should be, unless `headers` says otherwise."""
    return await core.ingest(
        conn.webhook_id, conn.webhook_secret, "POST", GOOD if headers is None else headers, {}, body
    )


async def texts(app: App) -> list[str]:
    """What has arrived."""
    return [e.text for e in await everything(app) if e.event_type == "message.inbound"]


async def types(app: App) -> list[str]:
    """The types of all events."""
    return [e.event_type for e in await everything(app)]


def poll_cursor(core: Outeract, conn: Any) -> Any:
    """The cursor in the file."""
    number = raw_conn(core, conn).id
    return core.runtime.database.read(lambda tx: raw_deliveries.poll_cursor(tx, number))
