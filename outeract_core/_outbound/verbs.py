"""The verbs that do something to a message that exists: react, edit, delete, mark read, typing.

Knows: the events that they leave and what the sender is told.
Does not know: platforms, when they are carried out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any
from uuid import UUID

from attrs import evolve

from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .._store.engine.sqlite import Connection
from .._store.reading.states import conn_of
from .._store.records.log import EVENT_CONN
from .._store.records.nodes import key as node_key
from .._store.writing import sending
from .._store.writing.handlers import peer_of
from .._store.writing.sending import Action
from ..adapter import MessageRef
from ..content import Content, ContentLike
from ..errors import BadInput, Unsupported
from ..model import Event
from .editing import edit_of
from .handle import Delivery
from .joining import joins
from .obstacles import recipient, refusal

_TYPING_FOR = 5_000


class Verbs(ABC):
    """The part of `App` that acts on messages; `App` supplies what they need."""

    runtime: Runtime
    tenant: Tenant
    key: int

    @abstractmethod
    def new_id(self) -> UUID:
        """A fresh id."""

    @abstractmethod
    async def commit(self, unit: Any) -> Any:
        """Commit a unit or an action, now or with the turn that this runs in."""

    @property
    @abstractmethod
    def in_turn(self) -> bool:
        """Whether this runs inside a handler's turn."""

    @property
    @abstractmethod
    def cause(self) -> int | None:
        """The event that the turn that this runs in is about."""

    @abstractmethod
    def events_at(self, keys: list[int]) -> list[Event]:
        """The events with these keys."""

    @joins
    async def react(self, event: Event | UUID, emoji: str, *, remove: bool = False) -> Delivery:
        """Put (or remove) the bot's reaction on a message. Raises NotFound, Unsupported."""
        return await _act(self, self.reaction(event, emoji, remove, None))

    @joins
    async def edit(self, event: Event | UUID, content: ContentLike) -> Delivery:
        """Replace the words of a message that the bot sent, and what there is to press below them.

        They take the places that the old ones have: the text, or the caption below its (first) file. Of
        a message in several parts each is changed, and those that are not needed any more are taken
        away; what needs more room than there is is refused. Files and places stay as they are.
        Raises NotFound, BadInput, Unsupported; then nothing was written.
        """
        return await _act(self, self.editing(event, content))

    @joins
    async def delete(self, event: Event | UUID) -> Delivery:
        """Delete a message that the bot sent, with all its parts. Raises NotFound, BadInput, Unsupported."""
        conn, peer, key = _place(self, event)
        if not _is_outbound(self, key):
            raise BadInput("only a message that the bot has sent can be deleted")
        _able(self.runtime.adapter(conn), "delete")
        payload = {"external_message_id": None}
        action = Action(self.new_id(), conn, "delete", "message.deleted", peer, key, payload, {})
        return await _act(self, action)

    @joins
    async def mark_read(self, event: Event | UUID) -> None:
        """Everything in the message's conversation up to it is read; the platform is told if it can be."""
        _conn, _peer, key = _place(self, event)
        await self.commit(lambda tx: self.mark_events(tx, [key]))

    @joins
    async def typing(self, to: Event | UUID) -> Delivery:
        """Show that the bot is writing. Gone when it cannot be shown within seconds; leaves no event.

        Where the platform has no such thing, nothing happens.
        """
        if self.in_turn:
            return self.typing_now(to)
        action, able = _typing(self, to)
        if not able:
            return Delivery(self.runtime, self.tenant, action.id)
        await self.runtime.database.write(lambda tx: sending.act(tx, action))
        self.runtime.wake("outbox")
        return Delivery(self.runtime, self.tenant, action.id)

    # ── for turns and the dispatcher ──────────────────────────────────────────────────────────

    def editing(self, event: Event | UUID, content: ContentLike) -> Action:
        """The action behind `edit`."""
        content, place = Content.of(content), _place(self, event)
        conn, peer, key = place
        if not _is_outbound(self, key):
            raise BadInput("only a message that the bot has sent can be edited")
        _able(self.runtime.adapter(conn), "edit")
        made = edit_of(self.runtime, self.key, place, content)
        return Action(
            self.new_id(), conn, "edit", "message.edited", peer, key, made.payload, made.spec
        )

    def reaction(self, event: Event | UUID, emoji: str, remove: bool, cause: int | None) -> Action:
        """The action behind `react`."""
        if not isinstance(emoji, str) or not emoji:
            raise BadInput("a reaction is one emoji, e.g. '👍'")
        conn, peer, key = _place(self, event)
        adapter = self.runtime.adapter(conn)
        _able(adapter, "react")
        found = _refused_reaction(self, (conn, peer, key), emoji, remove)
        if found is not None:
            raise Unsupported(found)
        payload = {"emoji": emoji, **({"single": True} if adapter.manifest.one_reaction else {})}
        kind = "message.reaction_removed" if remove else "message.reaction_added"
        return Action(
            self.new_id(), conn, "react", kind, peer, key, payload,
            {"emoji": emoji, "remove": remove}, cause,
        )  # fmt: skip

    def typing_now(self, event: Event | UUID) -> Delivery:
        """`typing` inside a turn; it does not wait for the turn's commit."""
        action, able = _typing(self, event)
        if able:
            self.runtime.database.write_now(lambda tx: sending.act(tx, action))
            self.runtime.wake("outbox")
        return Delivery(self.runtime, self.tenant, action.id)

    def mark_events(self, tx: Connection, events: list[int]) -> None:
        """Mark inbound messages read, inside a transaction."""
        for event in events:
            peer = peer_of(tx, event)
            row = tx.one(EVENT_CONN, seq=event)
            if peer and row is not None and row[0] is not None:
                conn = self.runtime.conn(row[0])
                tell = hasattr(self.runtime.adapter(conn), "mark_read")
                sending.read(tx, conn, peer, event, tell=tell)


async def _act(app: Verbs, action: Action) -> Delivery:
    action = evolve(action, cause=action.cause or app.cause)
    await app.commit(lambda tx: sending.act(tx, action))
    return Delivery(app.runtime, app.tenant, action.id, committed=not app.in_turn)


def _typing(app: Verbs, to: Event | UUID) -> tuple[Action, bool]:
    """The courtesy, and whether the platform has such a thing."""
    conn, peer, _key = _place(app, to)
    able = hasattr(app.runtime.adapter(conn), "typing")
    expires = app.runtime.now() + _TYPING_FOR
    return Action(app.new_id(), conn, "typing", None, peer, None, {}, {}, expires=expires), able


def _place(app: Verbs, event: Event | UUID) -> tuple[Any, int, int]:
    """The connection, the conversation and the key of a message."""

    def query(tx: Connection) -> tuple[int, int, int]:
        key = node_key(tx, app.key, event, "event")
        return conn_of(tx, key), peer_of(tx, key), key

    number, peer, key = app.runtime.database.read(query)
    return app.runtime.conn(number), peer, key


def _is_outbound(app: Verbs, key: int) -> bool:
    return app.events_at([key])[0].event_type == "message.outbound"


def _refused_reaction(
    app: Verbs, where: tuple[Any, int, int], emoji: str, remove: bool
) -> str | None:
    """What the platform is known to say of this emoji; None when that is not known."""
    conn, peer, key = where
    event = app.events_at([key])[0]
    adapter: Any = app.runtime.adapter(conn)
    told = event.payload.get("external_message_id")
    ref = MessageRef(str(told), recipient(app.runtime, peer), payload=event.payload)
    return refusal(lambda: adapter.react(ref, emoji, remove)) if told else None


def _able(adapter: Any, verb: str) -> None:
    if not hasattr(adapter, verb):
        raise Unsupported(f"{adapter.manifest.platform} has no {verb}")
