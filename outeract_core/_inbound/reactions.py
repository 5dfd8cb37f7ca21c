"""What the library itself does in the commit of a new event: answer a press, mark as read, link, believe
what a platform tells of a connection.

Knows: the application's config, what the adapter can do.
Does not know: handlers, the rules of link codes.
"""

from __future__ import annotations

from .._domain.planning.parts import told_parts
from .._domain.planning.plan import plan
from .._domain.rules.guard import guarded
from .._domain.rules.link_code import find_code
from .._domain.values.codec import encode
from .._io.runtime import Runtime
from .._outbound.compose import Options, payload_of
from .._store.records.conn import DISABLED, Conn
from .._store.records.log import target_of
from .._store.writing import delivery, identity, link_codes, sending, tenants
from .._store.writing.bulk import Item
from .._store.writing.ingest import Act, Reaction
from .._store.writing.link_codes import Confirm, Try
from .._store.writing.sending import Intent
from ..content import Content
from ..driver import Tx
from ..events import NAME, Fact

_ANSWER_WITHIN = 600_000
_CONFIRMATION = (
    "Somebody has used your link code in a group. If that was you, send this code here: {code}"
    " – otherwise do nothing."
)


def reactions_of(runtime: Runtime, conn: Conn) -> tuple[Reaction, ...]:
    """The reactions that this connection's config and adapter ask for."""
    adapter = runtime.adapter(conn)
    found = [Reaction(frozenset({"system.connection_changed"}), _standing(runtime))]
    if hasattr(adapter, "answer"):
        found.append(Reaction(frozenset({"message.action"}), _answer))
    if conn.app_config["auto_mark_read"] == "on_received":
        found.append(
            Reaction(frozenset({"message.inbound"}), _reader(hasattr(adapter, "mark_read")))
        )
    if conn.finds_codes and runtime.key.fault is None:
        found.append(Reaction(frozenset({"message.inbound"}), _linker(runtime)))
    return tuple(found)


def _answer(tx: Tx, conn: Conn, _event: int, item: Item, peer: int) -> None:
    """A button spins until the platform is told that the press has arrived."""
    job = delivery.Job(
        "answer", peer or conn.system_puser, encode({"action": item.fact.payload}),
        expires=tx.now + _ANSWER_WITHIN,
    )  # fmt: skip
    delivery.queue(tx, conn, job)


def _standing(runtime: Runtime) -> Act:
    """The platform says that the connection stands otherwise now: its app was removed, say."""

    def stands(tx: Tx, conn: Conn, _event: int, item: Item, _peer: int) -> None:
        status = item.fact.payload.get("status")
        if isinstance(status, str) and NAME.fullmatch(status) and status != DISABLED:
            tenants.stands(tx, conn, status)
            tx.after_commit(runtime.reload)

    return stands


def _reader(tell: bool) -> Act:
    def read(tx: Tx, conn: Conn, event: int, item: Item, peer: int) -> None:
        if peer and not item.fact.echo:
            sending.read(tx, conn, peer, event, tell=tell)

    return read


def _linker(runtime: Runtime) -> Act:
    """Codes are found inside inbound text; what comes of one is told by `link_code.*` events."""
    confirm, key = confirmation(runtime), runtime.key.codes()

    def link(tx: Tx, conn: Conn, event: int, item: Item, _peer: int) -> None:
        seen, sender = item.codes, item.fact.sender
        code = seen[0] if seen else find_code(_text(item.fact))
        if code is None or sender is None or sender.kind != "person" or item.fact.echo:
            return
        chat = item.fact.chat
        public = chat is not None and chat.kind in ("group", "channel")
        puser = target_of(tx, event, "sent_by")
        if puser is not None:
            attempt = Try(puser, code, key, event, public, seen)
            tell(runtime, tx, conn.app, link_codes.activate(tx, conn.app, attempt, confirm))

    return link


def tell(runtime: Runtime, tx: Tx, app: int, attempt: link_codes.Attempt) -> None:
    """Somebody guesses: said once, when the application takes no more codes for a while."""

    def limited() -> None:
        text = "too many link codes that nobody was given: none is taken for a while"
        runtime.log.warning("inbound", f"{runtime.called(app)}: {text}")

    if attempt.limited:
        tx.after_commit(limited)


def _text(fact: Fact) -> str:
    message = fact.payload.get("message")
    text = message.get("text") if isinstance(message, dict) else None
    return text if isinstance(text, str) else ""


def confirmation(runtime: Runtime) -> Confirm:
    """How a confirmation code reaches a platform user: as a message in private."""

    def confirm(tx: Tx, puser: int, code: str, cause: int) -> None:
        row = tx.one(identity.PUSER, id=puser)
        assert row is not None  # noqa: S101 - it has generated a code
        conn, content = runtime.conn(row[3]), Content(_CONFIRMATION.format(code=code))
        adapter = runtime.adapter(conn)
        with guarded:
            planned = plan(content, adapter.manifest, adapter.render)
        payload = payload_of(conn, content, planned, Options())
        parts = told_parts(planned.parts)
        intent = Intent(tx.new_id(), conn, puser, payload, parts, cause=cause)
        sending.send(tx, intent)
        tx.after_commit(lambda: runtime.wake("outbox"))

    return confirm
