"""Conversations of one application, for the host: views over the log, nothing stored.

Knows: the ways to read one. Does not know: SQL, platforms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from ..._domain.transcript.budget import Budget, fit
from ..._domain.transcript.turns import turns
from ..._domain.values.ids import from_ms, window
from ..._io.connections import connection
from ..._io.runtime import Runtime
from ..._io.tenant import FEW, Tenant
from ..._io.threads.aside import aside
from ..._store.reading import views
from ..._store.reading.history import History, history
from ..._store.reading.queries import Order
from ..._store.reading.standing import shown
from ..._store.reading.views import View
from ..._store.records import nodes, rows
from ..._store.records.log import id_of, target_of
from ..._store.writing import conversations
from ...conversation import (
    INBOUND,
    Analytics,
    ConversationSummary,
    Session,
    Sessions,
    Turn,
    analytics,
)  # fmt: skip
from ...driver import Tx
from ...errors import BadInput
from ...model import Event, PlatformUser, User
from ...pages import Page, asked, checked
from ...standing import Standing

_CHUNK = 200
_LARGE = 65_536
"""Characters of messages from which on they are put into words beside the event loop."""
_position = attrgetter("position")


class Conversations:
    """The conversations of one application."""

    def __init__(self, tenant: Tenant, runtime: Runtime) -> None:
        self._tenant = tenant
        self._runtime = runtime

    async def recent(
        self, *, first: int = 50, after: str | None = None, before: str | None = None,
        connection_of: Any = None, total: bool = False,
    ) -> Page[ConversationSummary]:  # fmt: skip
        """The conversations with the newest messages first, each with what was last said in it: O(page).

        What failed, was cancelled or is not yet due was not said; in its place stands what was said before it.

        `after`, `before`: a cursor of an earlier page, to read on or back. `connection_of`: only those
        on one connection. `total`: count all. Raises BadInput, NotFound.
        """
        wanted = asked(first, after, before)
        conn = None
        if connection_of is not None:
            conn = connection(self._runtime, self._tenant.key, connection_of).id

        def query(tx: Tx, app: int) -> Page[ConversationSummary]:
            found = views.recent(tx, app, conn, wanted.behind, wanted.limit, not wanted.back)
            count = views.total(tx, app, conn) if total else None
            return wanted.page(found, itemgetter(1), lambda kept: _summaries(tx, app, kept), count)

        return await self._tenant.fetch(query, first)

    async def of(self, who: Any) -> Conversation:
        """The conversation with a platform user, a group or a channel, or the one of an event.

        A user's is that of all their platforms. Raises NotFound, BadInput.
        """
        view = await self._tenant.read(lambda tx, app: views.of(tx, app, who))
        return Conversation(self._tenant, view)

    async def with_user(self, user: User | UUID) -> Conversation:
        """Everything said with one person, across all platforms. Raises NotFound."""
        view = await self._tenant.read(lambda tx, app: views.of_person(tx, app, user))
        return Conversation(self._tenant, view)

    async def thread(self, message: Event | UUID) -> Conversation:
        """The thread that a message is in, else the one that it opens: its root and what was answered.

        Threads are flat on Slack (an answer to an answer stands below the root) and on Telegram (topics).
        Where a platform nests them, this is that of the message's own root, and what was answered to the message
        is the thread of any of those answers. Raises NotFound.
        """

        def query(tx: Tx, app: int) -> View:
            key = nodes.key(tx, app, message, "event")
            root = target_of(tx, key, "in_thread")
            return views.thread(tx, app, id_of(tx, key if root is None else root))

        return Conversation(self._tenant, await self._tenant.read(query))


class Conversation:
    """One conversation. It holds no messages: each call reads what is in the log now."""

    def __init__(self, tenant: Tenant, view: View) -> None:
        self._tenant = tenant
        self._view = view

    def __repr__(self) -> str:
        return f"<Conversation of a {self._view.label}>"

    @property
    def peer(self) -> Any:
        """Where a message to this conversation goes; `App.send` takes the conversation itself. A thread's
        is that of its root.
        """

        def query(tx: Tx) -> PlatformUser | None:
            place = views.place(tx, self._view)
            return None if place is None else rows.platform_user(tx, self._tenant.key, place)

        found = self._tenant.database.read(query)
        if found is None:
            raise BadInput("this view spans several platform users; name the one to write to")
        return found

    @property
    def root(self) -> UUID | None:
        """The id of the message that opens this thread; None for what is no thread."""
        root = self._view.thread
        return None if root is None else self._tenant.database.read(lambda tx: id_of(tx, root))

    def between(self, since: datetime | None = None, until: datetime | None = None) -> Conversation:
        """The same conversation within a time window (by `occurred_at`; aware times). Raises BadInput."""
        return Conversation(self._tenant, views.window(self._view, *window(since, until)))

    async def page(
        self, *, first: int = 50, after: str | None = None, before: str | None = None,
        order: Order = "newest", total: bool = False,
    ) -> Page[Standing]:  # fmt: skip
        """Messages as they stand now, the newest first (or `oldest`): O(page).

        `after`, `before`: a cursor of an earlier page, to read on or back. `total`: count all, which
        looks at every one. The events themselves are in `app.events`. Raises BadInput.
        """
        if order not in ("newest", "oldest"):
            raise BadInput(f"order is 'newest' or 'oldest', not {order!r}")
        wanted = asked(first, after, before)
        newest = (order == "newest") is not wanted.back

        def query(tx: Tx, app: int) -> Page[Standing]:
            found = views.messages(tx, app, self._view, newest, wanted.behind, wanted.limit)
            count = views.count(tx, app, self._view) if total else None
            return wanted.page(found, _position, list, count)

        return await (self._tenant.traverse(query) if total else self._tenant.fetch(query, first))

    async def all(self, *, order: Order = "oldest") -> AsyncIterator[Standing]:
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
        """What was last said, counts, participants; None before the first message."""

        def query(tx: Tx, app: int) -> ConversationSummary | None:
            row = conversations.counts(tx, self._peer())
            return None if row is None else _summaries(tx, app, [row])[0]

        return await self._tenant.read(query)

    async def unread(self) -> int:
        """How many inbound messages came after the read mark, over all peers of the view."""

        def query(tx: Tx, _app: int) -> int:
            found = [conversations.counts(tx, peer) for peer in self._view.peers]
            return sum(row.unread for row in found if row is not None)

        return await self._tenant.read(query)

    async def participants(self, *, first: int = 1000) -> list[PlatformUser]:
        """Who takes part besides the bot: the person, and who has spoken in the group or thread."""

        def query(tx: Tx, app: int) -> list[PlatformUser]:
            found: list[int] = []
            if self._view.thread is not None:
                found = views.speakers(tx, self._view.thread, checked(first))
            for peer in self._view.peers:
                found += [*_person(tx, app, peer), *views.participants(tx, peer, checked(first))]
            return rows.platform_users(tx, app, found)

        return await self._tenant.fetch(query, checked(first))

    async def sessions(
        self, *, gap: timedelta = timedelta(minutes=30), first: int = 10, after: str | None = None
    ) -> Page[Session]:
        """The newest sessions first: messages with no pause longer than `gap` between them.

        Reads the messages of the sessions that it returns, and no more. Raises BadInput.
        """
        if gap <= timedelta():
            raise BadInput("the gap is a positive time")
        cut = Sessions(gap)
        while True:
            page = await self.page(first=_CHUNK, after=after)
            cut.add(page.nodes)
            if len(cut.found) > checked(first) or not page.has_next:
                break
            after = page.end_cursor
        newest = cut.newest(first)
        positions = tuple(each.messages[0].position for each in newest)
        return Page(newest, positions, len(cut.found) > first or page.has_next)

    async def analytics(self) -> Analytics:
        """Counts, response times, active days; looks at every message of the view.

        Of what was said: what has failed with every part, was cancelled or is not yet due is left out
        (`Standing.said`), what was deleted is not. A message counts at the time when it was written.
        """

        def query(tx: Tx, app: int) -> Analytics:
            found = views.times(tx, app, self._view)
            return analytics([(kind, from_ms(at)) for kind, at in found])

        return await self._tenant.traverse(query)

    async def context(
        self, *, first: int = 50, characters: int | None = None,
        tokens: Callable[[str], int] | None = None, max_tokens: int | None = None,
        parts: bool = False,
    ) -> list[Turn]:  # fmt: skip
        """What people saw and did, for a language model, oldest first: role and content.

        first       messages at most; presses, reactions upon what the bot said, and the host's own
                    events (`emit(…, context_role=…)`) between them come on top.
        characters  at most so much text in all; the newest turns are kept, at least one.
        tokens      counts the tokens of a text; `max_tokens`: at most so many in all.
        parts       each turn also in pieces (`Turn.parts`), for models that take images and files.

        What was deleted, cancelled, failed or is not yet due is left out; how the rest is written, and
        why nobody can forge it, stands in docs/how-to/ai-agent.md. Raises BadInput.
        """
        limit, budget = checked(first), Budget(characters, tokens, max_tokens)

        def query(tx: Tx, app: int) -> tuple[History, bool]:
            found = history(tx, app, self._view, limit)
            return found, _several(tx, app, self._view, found)

        found, named = await self._tenant.fetch(query, limit)
        drawn = partial(turns, found.messages, found.happened, named=named, parts=parts)
        large = limit > FEW or sum(len(one.payload_json) for one in found.messages) > _LARGE
        return fit(await aside(drawn) if large else drawn(), budget)

    def _peer(self) -> int:
        if len(self._view.peers) != 1:
            raise BadInput("this view spans several conversations; ask for one of them")
        return self._view.peers[0]


def _summaries(tx: Tx, app: int, found: list[conversations.CountsRow]) -> list[ConversationSummary]:
    last = {row[0]: row[1] for row in found}
    read = shown(tx, app, [*last.values()], [*last])
    messages = dict(zip(last, read.of([*last.values()]), strict=True))
    unsaid = [peer for peer, one in messages.items() if not (one.said or one.deleted)]
    before = views.last_said(tx, unsaid)
    messages |= zip(before, shown(tx, app, [*before.values()]).of([*before.values()]), strict=True)
    peers = [read.people[peer] for peer in last]
    return [
        ConversationSummary(
            peer,
            messages[key],
            (peer,) if peer.kind == "person" else read.spoken.get(key, ()),
            inbound,
            outbound,
            unread,
        )
        for (key, _, inbound, outbound, unread, _), peer in zip(found, peers, strict=True)
    ]


def _person(tx: Tx, app: int, peer: int) -> list[int]:
    return [peer] if rows.platform_user(tx, app, peer).kind == "person" else []


def _several(tx: Tx, app: int, view: View, found: History) -> bool:
    """Whether more people than one may speak in the view: a group, a channel, a thread in one; or do, since
    somebody else writes into a direct conversation (Slackbot).
    """
    place = views.place(tx, view)
    peer = None if place is None else rows.platform_user(tx, app, place)
    if peer is not None and peer.kind != "person":
        return True
    said = [one.sender for one in found.messages if one.event_type == INBOUND]
    done = [one.sender for one in found.happened if one.role == "user"]
    speaking = (one for one in (peer, *said, *done) if one is not None and one.kind != "system")
    return len({one.user_id for one in speaking}) > 1
