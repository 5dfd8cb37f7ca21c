"""What is done to a message that exists, made ready: the actions behind `react`, `edit`, `delete`, `typing`, read marks.

Knows: the events that they leave and what the sender is told, what is known beforehand to fail.
Does not know: the verbs (`verbs.py`), platforms, when an action is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from attrs import evolve

from .._domain.values.ids import to_ms
from .._io.runtime import Runtime
from .._store.reading.standing import of_keys
from .._store.reading.states import conn_of, message_names
from .._store.records.conn import Conn
from .._store.records.log import EVENT_CONN
from .._store.records.nodes import key as node_key
from .._store.writing import sending
from .._store.writing.handlers import peer_of
from .._store.writing.sending import Action
from ..adapter import Flow, MessageRef
from ..content import Content, ContentLike
from ..driver import Tx
from ..errors import BadInput, NotFound, Unsupported
from ..model import Event
from ..standing import Standing
from .compose import beside
from .editing import edit_of
from .handle import Delivery
from .joining import Committing
from .obstacles import Verdict, recipient, refusal

_TYPING_FOR = 5_000


class Acting(Committing, Protocol):
    """The application that acts."""

    def events_at(self, keys: list[int]) -> list[Event]:
        """The events with these keys."""
        ...


class Actions:
    """What the verbs of an application have done; each has the name of its verb."""

    def __init__(self, app: Acting) -> None:
        self._app = app

    async def react(self, event: Event | UUID, emoji: str, remove: bool) -> Delivery:
        """Put a reaction on a message, or take it off."""
        return await self._act(self.reaction(event, emoji, remove, None))

    async def edit(self, event: Event | UUID, content: ContentLike) -> Delivery:
        """Replace the words of a message, beside the event loop when they are many."""
        if self._app.in_turn:
            return await self._act(self.editing(event, content))
        return await self._act(await beside(content, lambda: self.editing(event, content)))

    async def delete(self, event: Event | UUID) -> Delivery:
        """Delete a message."""
        return await self._act(self.deleting(event))

    async def mark_read(self, event: Event | UUID) -> None:
        """Everything up to it is read."""
        _conn, _peer, key = _place(self._app, event)
        await self._app.commit(lambda tx: self.mark_events(tx, [key]))

    async def typing(self, to: Event | UUID) -> Delivery:
        """Show that the bot is writing."""
        if self._app.in_turn:
            return self.typing_now(to)
        action, able = _typing(self._app, to)
        if able:
            await self._app.runtime.database.write(
                lambda tx: sending.act(tx, action), app=self._app.key
            )
            self._app.runtime.wake("outbox")
        return Delivery(self._app.runtime, self._app.tenant, action.id)

    async def _act(self, action: Action) -> Delivery:
        app = self._app
        action = evolve(action, cause=action.cause or app.cause)
        await app.commit(lambda tx: sending.act(tx, action))
        return Delivery(app.runtime, app.tenant, action.id, committed=not app.in_turn)

    # ── asked beforehand ──────────────────────────────────────────────────────────────────────

    def can_react(self, event: Event | UUID, emoji: str, remove: bool) -> Verdict:
        """Whether `react` would take it."""
        return _verdict(lambda: self.reaction(event, emoji, remove, None))

    async def can_edit(self, event: Event | UUID, content: ContentLike) -> Verdict:
        """Whether `edit` would take it."""
        return await beside(content, lambda: _verdict(lambda: self.editing(event, content)))

    def can_delete(self, event: Event | UUID) -> Verdict:
        """Whether `delete` would take it."""
        return _verdict(lambda: self.deleting(event))

    # ── for turns and the dispatcher ──────────────────────────────────────────────────────────

    def editing(self, event: Event | UUID, content: ContentLike) -> Action:
        """The action behind `edit`."""
        content, place = Content.of(content), _place(self._app, event)
        conn, peer, key = place
        if not _is_outbound(self._app, key):
            raise BadInput("only a message that the bot has sent can be edited")
        _able(self._app.runtime.adapter(conn), "edit")
        _still_there(self._app, key)
        made = edit_of(self._app.runtime, self._app.key, place, content)
        return Action(
            self._app.new_id(), conn, "edit", "message.edited", peer, key, made.payload, made.spec
        )

    def deleting(self, event: Event | UUID) -> Action:
        """The action behind `delete`."""
        conn, peer, key = _place(self._app, event)
        if not _is_outbound(self._app, key):
            raise BadInput("only a message that the bot has sent can be deleted")
        adapter: Any = self._app.runtime.adapter(conn)
        _able(adapter, "delete")
        _was_sent(_now(self._app, key))
        _in_time(self._app, conn, key)
        _known_to_pass(self._app, (conn, peer, key), adapter.delete)
        payload = {"external_message_id": None}
        return Action(self._app.new_id(), conn, "delete", "message.deleted", peer, key, payload, {})

    def reaction(self, event: Event | UUID, emoji: str, remove: bool, cause: int | None) -> Action:
        """The action behind `react`."""
        if not isinstance(emoji, str) or not emoji:
            raise BadInput("a reaction is one emoji, e.g. '👍'")
        conn, peer, key = _place(self._app, event)
        adapter: Any = self._app.runtime.adapter(conn)
        _able(adapter, "react")
        _still_there(self._app, key)
        _known_to_pass(self._app, (conn, peer, key), lambda ref: adapter.react(ref, emoji, remove))
        payload = {"emoji": emoji, **({"single": True} if adapter.manifest.one_reaction else {})}
        kind = "message.reaction_removed" if remove else "message.reaction_added"
        return Action(
            self._app.new_id(), conn, "react", kind, peer, key, payload,
            {"emoji": emoji, "remove": remove}, cause,
        )  # fmt: skip

    def typing_now(self, event: Event | UUID) -> Delivery:
        """`typing` inside a turn; it does not wait for the turn's commit."""
        action, able = _typing(self._app, event)
        if able:
            self._app.runtime.begin(lambda tx: sending.act(tx, action), "typing", app=self._app.key)
        return Delivery(self._app.runtime, self._app.tenant, action.id)

    def mark_events(self, tx: Tx, events: list[int]) -> None:
        """Mark inbound messages read, inside a transaction."""
        for event in events:
            peer = peer_of(tx, event)
            row = tx.one(EVENT_CONN, seq=event)
            if peer and row is not None and row[0] is not None:
                conn = self._app.runtime.conn(row[0])
                sending.read(tx, conn, peer, event, tell=_tells(self._app.runtime, conn))


def _tells(runtime: Runtime, conn: Conn) -> bool:
    """Whether the platform has read marks. Where there is no adapter now (its secret is missing, say)
    that is not known: then the sender waits for it, and a turn does not fail of it.
    """
    try:
        return hasattr(runtime.adapter(conn), "mark_read")
    except Exception:
        return True


def _typing(app: Acting, to: Event | UUID) -> tuple[Action, bool]:
    """The courtesy, and whether the platform has such a thing."""
    conn, peer, _key = _place(app, to)
    able = hasattr(app.runtime.adapter(conn), "typing")
    expires = app.runtime.now() + _TYPING_FOR
    return Action(app.new_id(), conn, "typing", None, peer, None, {}, {}, expires=expires), able


def _place(app: Acting, event: Event | UUID) -> tuple[Any, int, int]:
    """The connection, the conversation and the key of a message."""

    def query(tx: Tx) -> tuple[int, int, int]:
        key = node_key(tx, app.key, event, "event")
        return conn_of(tx, key), peer_of(tx, key), key

    number, peer, key = app.runtime.database.read(query)
    return app.runtime.conn(number), peer, key


def _is_outbound(app: Acting, key: int) -> bool:
    return app.events_at([key])[0].event_type == "message.outbound"


def _refused(
    app: Acting, where: tuple[Any, int, int], begin: Callable[[MessageRef], Flow[Any]]
) -> str | None:
    """What the platform is known to say of it; None when that is not known, or it is not sent yet."""
    _conn, peer, key = where
    event = app.events_at([key])[0]
    told = event.payload.get("external_message_id")
    names = [str(told)] if told else app.runtime.database.read(lambda tx: message_names(tx, key))
    to = recipient(app.runtime, peer)
    refs = [MessageRef(name, to, not told, payload=event.payload) for name in names]
    found = (refusal(lambda ref=ref: begin(ref)) for ref in refs)  # type: ignore[misc]
    return next((reason for reason in found if reason is not None), None)


def _known_to_pass(
    app: Acting, where: tuple[Any, int, int], begin: Callable[[MessageRef], Flow[Any]]
) -> None:
    """Raises Unsupported for what the adapter refuses before it asks anybody."""
    found = _refused(app, where, begin)
    if found is not None:
        raise Unsupported(found)


def _now(app: Acting, key: int) -> Standing:
    """The message as it stands."""
    (now,) = app.runtime.database.read(lambda tx: of_keys(tx, app.key, [key], quotes=False))
    return now


def _still_there(app: Acting, key: int) -> None:
    """Raises BadInput for a message that was deleted, or that nobody has seen or will see."""
    now = _now(app, key)
    if now.deleted:
        raise BadInput("this message was deleted; send a new one")
    _was_sent(now)


def _was_sent(now: Standing) -> None:
    """Raises BadInput for what the platform has not, and has not just been asked to take."""
    if now.due_at is not None:
        raise BadInput(
            f"this message is not sent before {now.due_at:%Y-%m-%d %H:%M} UTC: cancel it, and send it anew"
        )
    if not (now.said or now.deleted):
        raise BadInput(f"this message was never sent ({now.status}); send a new one")


def _in_time(app: Acting, conn: Conn, key: int) -> None:
    """Raises Unsupported for what the platform does not delete any more."""
    until = app.runtime.adapter(conn).manifest.deletes
    age = app.runtime.now() - to_ms(app.events_at([key])[0].occurred_at)
    if until is not None and age > until * 1000:
        raise Unsupported(
            f"{conn.platform} deletes messages for {until / 3600:g} hours, and this one is older"
        )


def _verdict(begin: Callable[[], Action]) -> Verdict:
    """What the verb would say: it is prepared, and left."""
    try:
        begin()
    except NotFound:
        raise
    except (BadInput, Unsupported) as error:
        return Verdict((str(error),))
    return Verdict()


def _able(adapter: Any, verb: str) -> None:
    if not hasattr(adapter, verb):
        raise Unsupported(f"{adapter.manifest.platform} has no {verb}")
