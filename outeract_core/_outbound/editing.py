"""New words for a message that was sent: what is done to each of its parts, or why it cannot be done.

Knows: the message as it was sent and as it stands, its receipts, what earlier edits took away.
Does not know: how words are laid out (`_domain/planning/changes.py`), how a change is delivered.

The places of the words follow from planning the message again as it was first sent: what a plan comes
to is never kept, and the same content on the same platform gives the same parts. Where it does not any
more (the adapter has changed since), only a message of one part can be edited.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from .._domain.planning.changes import Change, Place, changes, places
from .._domain.planning.layout import Render
from .._domain.planning.parts import Part, told_parts
from .._domain.planning.plan import Plan, plan
from .._domain.values.classes import frozen
from .._domain.values.ids import to_ms
from .._io.runtime import Runtime
from .._store.reading import standing, states
from .._store.records import rows
from .._store.records.conn import Conn
from .._store.writing.claims import named_messages
from .._store.writing.files import attached
from ..adapter import Manifest, MessageRef
from ..content import Content
from ..driver import Tx
from ..errors import BadInput, OuteractError, Unsupported
from ..model import File
from ..standing import Standing
from .again import content_of
from .obstacles import as_sent, recipient, refusal


@frozen
class Sent:
    """A message of ours as it stands, its names by part, what edits have taken away."""

    now: Standing
    files: tuple[File, ...]
    names: dict[int, list[str]]
    gone: frozenset[int]


@frozen
class Edit:
    """What an edit writes down: its payload, and what the sender is told."""

    payload: dict[str, Any]
    spec: dict[str, Any]


def edit_of(
    runtime: Runtime, app: int, where: tuple[Conn, int, int], content: Content
) -> Edit:  # fmt: skip
    """The edit that gives a message these words. Raises BadInput, Unsupported; nothing is written."""
    conn, peer, key = where
    _only_words(content)
    sent = runtime.database.read(lambda tx: _sent(tx, app, key))
    adapter = runtime.adapter(conn)
    manifest = adapter.manifest.towards(recipient(runtime, peer).kind)
    room, gone = _room(sent, manifest, adapter.render)
    shown = _whole(content, sent.now, manifest.capabilities)
    made, degraded = changes(shown, manifest, adapter.render, room, gone)
    for one in made:
        _possible(runtime, adapter, (peer, sent), one)
    return Edit(_payload(content, made, degraded), _spec(made))


def _sent(tx: Tx, app: int, key: int) -> Sent:
    (now,) = standing.of_keys(tx, app, [key])
    names = named_messages(states.names_of(tx, key))
    return Sent(
        now,
        tuple(rows.files(tx, app, attached(tx, key))), names, states.taken_away(tx, key),
    )  # fmt: skip


def _only_words(content: Content) -> None:
    others = ("files", "location", "contacts", "template")
    given = [name for name in others if getattr(content, name)]
    if given:
        raise BadInput(
            f"an edit changes words and what there is to press, not {' or '.join(given)}: "
            "delete the message and send it anew"
        )


def _whole(content: Content, now: Standing, capabilities: frozenset[str]) -> Content:
    """The new words, with the place and the cards that the platform shows as words."""
    try:
        old = content_of(now.message, ())
    except OuteractError:
        return content
    kept = {
        name: getattr(old, member)
        for name, member in (("location", "location"), ("contacts", "contacts"))
        if name not in capabilities
    }
    return evolve(content, **kept)


# ── where the words are ───────────────────────────────────────────────────────────────────────


def _room(sent: Sent, manifest: Manifest, render: Render) -> tuple[list[Place], list[Place]]:
    """The places of its words, and those that edits have taken away. Raises Unsupported."""
    told = sent.now.payload.get("parts", 1)
    count = told if isinstance(told, int) else 1
    was = _as_planned(sent, manifest, render)
    if was is None or len(was.parts) != count:
        if count == 1:
            return [Place(0, None)], []
        raise Unsupported(
            f"it is not known any more which of its {count} parts says what: delete the message and "
            "send it anew"
        )
    found = places(was, manifest)
    left = [one for one in found if one.part not in sent.gone]
    return left, [one for one in found if one.part in sent.gone]


def _as_planned(sent: Sent, manifest: Manifest, render: Render) -> Plan | None:
    """The plan by which it was sent; None when its content is gone, or is not sent like that any more."""
    told = sent.now.payload.get("message")
    try:
        content = content_of(told if isinstance(told, dict) else {}, sent.files)
        sizes = [file.size or 1 for file in sent.files]
        return plan(content, manifest, render, sizes)
    except OuteractError:
        return None


# ── what is known to fail ─────────────────────────────────────────────────────────────────────


def _possible(runtime: Runtime, adapter: Any, where: tuple[int, Sent], change: Change) -> None:
    """Raises Unsupported for what the platform cannot do, or is known to refuse."""
    peer, sent = where
    if change.to is None and not hasattr(adapter, "delete"):
        raise Unsupported(
            f"the new words need fewer messages, and {adapter.manifest.platform} cannot take one away"
        )
    until = adapter.manifest.deletes
    age = runtime.now() - to_ms(sent.now.occurred_at)
    if change.to is None and until is not None and age > until * 1000:
        raise Unsupported(
            f"the new words need fewer messages, and {adapter.manifest.platform} takes none away that is "
            f"older than {until / 3600:g} hours"
        )
    names = sent.names.get(change.place.part)
    if not names:
        return
    to = recipient(runtime, peer)
    ref = MessageRef(names[0], to, True, sent.now.payload, change.place.slot)
    if change.to is None:
        found = refusal(lambda: adapter.delete(ref))
    else:
        part = as_sent(change.to, change.place.part, to)
        found = refusal(lambda: adapter.edit(ref, part))
    if found is not None:
        raise Unsupported(found)


# ── what is written ───────────────────────────────────────────────────────────────────────────


def _payload(
    content: Content, made: tuple[Change, ...], degraded: tuple[str, ...]
) -> dict[str, Any]:
    payload: dict[str, Any] = {"message": content.message(), "external_message_id": None}
    removed = [one.place.part for one in made if one.to is None]
    if removed:
        payload["removed"] = removed
    if degraded:
        payload["degraded"] = list(degraded)
    return payload


def _spec(made: tuple[Change, ...]) -> dict[str, Any]:
    parts = [change.to or Part() for change in made]
    return {"parts": told_parts(parts), "steps": list(map(_step, made))}


def _step(change: Change) -> dict[str, Any]:
    told = {"part": change.place.part, "slot": change.place.slot, "remove": change.to is None}
    return {
        name: value for name, value in told.items() if value not in (None, False) or name == "part"
    }
