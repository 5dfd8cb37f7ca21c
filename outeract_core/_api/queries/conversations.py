"""Conversations of one application, for the host: views over the log, nothing stored.

Knows: the ways to read one. Does not know: SQL, platforms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ..._domain.values.ids import from_ms, maybe_ms
from ..._io.runtime import Runtime
from ..._io.tenant import Tenant
from ..._outbound.compose import connection
from ..._store.engine.sqlite import Connection
from ..._store.reading import views
from ..._store.reading.queries import Order
from ..._store.reading.views import View
from ..._store.records import rows
from ..._store.records.log import target_of
from ..._store.writing import conversations
from ...conversation import (
    Analytics,
    ConversationSummary,
    Session,
    Turn,
    analytics,
    fit,
    sessions,
    turns,
)
from ...errors import BadInput
from ...model import Event, PlatformUser, User
from ...pages import Page, checked, from_cursor, paged

_SHOWN = 8
_CHUNK = 200


class Conversations:
    """The conversations of one application."""

    def __init__(self, tenant: Tenant, runtime: Runtime) -> None:
        self._tenant = tenant
        self._runtime = runtime

    async def recent(
        self, *, first: int = 50, after: str | None = None, connection_of: Any = None,
        total: bool = False,
    ) -> Page[ConversationSummary]:  # fmt: skip
        """The conversations with the newest messages first: O(page).

        `connection_of`: only those on one connection. `total`: count all. Raises BadInput, NotFound.
        """
        limit, behind = checked(first), None if after is None else from_cursor(after)
        conn = None
        if connection_of is not None:
            conn = connection(self._runtime, self._tenant.key, connection_of).id

        def query(tx: Connection, app: int) -> Page[ConversationSummary]:
            found = views.recent(tx, app, conn, behind, limit + 1)
            count = views.total(tx, app, conn) if total else None
            summaries = _summaries(tx, app, found[:limit])
            return paged([row[1] for row in found], limit, lambda _kept: summaries, count)

        return await self._tenant.read(query)

    async def of(self, who: Any) -> Conversation:
        """The conversation with a platform user, a group or a channel, or the one of an event.

        A user's is that of all their platforms. Raises NotFound, BadInput.
        """
        view = await self._tenant.read(lambda tx, app: views.of(tx, app, who))
        return Conversation(self._tenant, view)

    async def with_user(self, user: User | UUID) -> Conversation:
        """Everything said with one person, across all platforms. Raises NotFound."""
        return await self.of(user)

    async def thread(self, root: Event | UUID) -> Conversation:
        """A message and what was answered in its thread. Raises NotFound."""
        view = await self._tenant.read(lambda tx, app: views.thread(tx, app, root))
        return Conversation(self._tenant, view)


class Conversation:
    """One conversation. It holds no messages: each call reads what is in the log now."""

    def __init__(self, tenant: Tenant, view: View) -> None:
        self._tenant = tenant
        self._view = view

    def __repr__(self) -> str:
        return f"<Conversation of a {self._view.label}>"

    @property
    def peer(self) -> Any:
        """Where a message to this conversation goes; `App.send` takes the conversation itself."""
        if len(self._view.peers) != 1:
            raise BadInput("this view spans several platform users; name the one to write to")
        key = self._view.peers[0]
        return self._tenant.database.read(lambda tx: rows.platform_user(tx, self._tenant.key, key))

    def between(self, since: datetime | None = None, until: datetime | None = None) -> Conversation:
        """The same conversation within a time window (by `occurred_at`; aware times)."""
        bounds = maybe_ms(since), maybe_ms(until)
        return Conversation(self._tenant, views.window(self._view, *bounds))

    async def page(
        self, *, first: int = 50, after: str | None = None, order: Order = "newest"
    ) -> Page[Event]:
        """Messages, the newest first (or `oldest`): O(page). Raises BadInput."""
        if order not in ("newest", "oldest"):
            raise BadInput(f"order is 'newest' or 'oldest', not {order!r}")
        limit, behind = checked(first), None if after is None else from_cursor(after)

        def query(tx: Connection, app: int) -> list[Event]:
            return views.messages(tx, app, self._view, order == "newest", behind, limit + 1)

        found = await self._tenant.read(query)
        kept = found[:limit]
        return Page(tuple(kept), tuple(event.position for event in kept), len(found) > limit)

    async def all(self, *, order: Order = "oldest") -> AsyncIterator[Event]:
        """Every message, a page at a time."""
        after: str | None = None
        while True:
            page = await self.page(first=_CHUNK, after=after, order=order)
            for event in page:
                yield event
            if not page.has_next:
                return
            after = page.end_cursor

    async def summary(self) -> ConversationSummary | None:
        """Last message, counts, participants; None before the first message."""

        def query(tx: Connection, app: int) -> ConversationSummary | None:
            row = conversations.counts(tx, self._peer())
            return None if row is None else _summaries(tx, app, [row])[0]

        return await self._tenant.read(query)

    async def unread(self) -> int:
        """How many inbound messages came after the read mark, over all peers of the view."""

        def query(tx: Connection, _app: int) -> int:
            found = [conversations.counts(tx, peer) for peer in self._view.peers]
            return sum(row.unread for row in found if row is not None)

        return await self._tenant.read(query)

    async def participants(self, *, first: int = 1000) -> list[PlatformUser]:
        """Who takes part besides the bot: the person, or who has spoken in the group or thread."""

        def query(tx: Connection, app: int) -> list[PlatformUser]:
            found: list[int] = []
            if self._view.thread is not None:
                found = views.speakers(tx, self._view.thread, checked(first))
            for peer in self._view.peers:
                found += views.participants(tx, peer, checked(first)) or _person(tx, app, peer)
            return rows.platform_users(tx, app, found)

        return await self._tenant.read(query)

    async def sessions(
        self, *, gap: timedelta = timedelta(minutes=30), first: int = 10, after: str | None = None
    ) -> Page[Session]:
        """The newest sessions first: messages with no pause longer than `gap` between them.

        Reads the messages of the sessions that it returns, and no more. Raises BadInput.
        """
        if gap <= timedelta():
            raise BadInput("the gap is a positive time")
        found: list[Event] = []
        while True:
            page = await self.page(first=_CHUNK, after=after)
            found += page.nodes
            cut = sessions(reversed(found), gap)
            if len(cut) > checked(first) or not page.has_next:
                break
            after = page.end_cursor
        newest = cut[::-1][:first]
        positions = tuple(each.messages[0].position for each in newest)
        return Page(tuple(newest), positions, len(cut) > first or page.has_next)

    async def analytics(self) -> Analytics:
        """Counts, response times, active days; looks at every message of the view."""

        def query(tx: Connection, app: int) -> Analytics:
            found = views.times(tx, app, self._view)
            return analytics([(kind, from_ms(at)) for kind, at in found])

        return await self._tenant.traverse(query)

    async def context(self, *, first: int = 50, characters: int | None = None) -> list[Turn]:
        """The last messages for a language model, oldest first: role and content.

        Edits are applied, deleted messages are left out, voice carries its transcription; in groups
        each text begins with its speaker. `characters`: at most so much text in all.
        """
        limit = checked(first)

        def query(tx: Connection, app: int) -> list[Turn]:
            keys = views.keys(tx, app, self._view, True, None, limit)[::-1]
            messages = rows.events(tx, app, keys)
            return turns(
                messages, views.changes(tx, keys), _speakers(tx, app, self._view, messages)
            )

        return fit(await self._tenant.read(query), characters)

    def _peer(self) -> int:
        if len(self._view.peers) != 1:
            raise BadInput("this view spans several conversations; ask for one of them")
        return self._view.peers[0]


def _summaries(
    tx: Connection, app: int, found: list[conversations.CountsRow]
) -> list[ConversationSummary]:
    peers = rows.platform_users(tx, app, [row[0] for row in found])
    last = rows.events(tx, app, [row[1] for row in found])
    groups = [row[0] for row, peer in zip(found, peers, strict=True) if peer.kind != "person"]
    speakers = _first_speakers(tx, app, groups) if groups else {}
    return [
        ConversationSummary(peer, event, speakers.get(key, (peer,)), inbound, outbound, unread)
        for (key, _, inbound, outbound, unread, _), peer, event in zip(
            found, peers, last, strict=True
        )
    ]


def _first_speakers(
    tx: Connection, app: int, groups: list[int]
) -> dict[int, tuple[PlatformUser, ...]]:
    """The first who have spoken in each of these groups."""
    spoken = {peer: views.participants(tx, peer, _SHOWN) for peer in groups}
    keys = sorted({key for some in spoken.values() for key in some})
    known = dict(zip(keys, rows.platform_users(tx, app, keys), strict=True))
    return {peer: tuple(known[key] for key in some) for peer, some in spoken.items()}


def _person(tx: Connection, app: int, peer: int) -> list[int]:
    return [peer] if rows.platform_user(tx, app, peer).kind == "person" else []


def _speakers(
    tx: Connection, app: int, view: View, messages: list[Event]
) -> dict[int, str]:  # fmt: skip
    """Names by position, when more than one person speaks in the view."""
    place = views.place(tx, view)
    if place is None or _person(tx, app, place):
        return {}
    inbound = [event for event in messages if event.event_type == "message.inbound"]
    senders = {event.position: target_of(tx, event.position, "sent_by") for event in inbound}
    keys = sorted({key for key in senders.values() if key is not None})
    names = {
        key: who.name or who.external_id
        for key, who in zip(keys, rows.platform_users(tx, app, keys), strict=True)
    }
    return {position: names[key] for position, key in senders.items() if key is not None}
