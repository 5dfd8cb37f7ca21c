"""Turns a claimed outbox row into what an adapter's flow is given.

Knows: the shape of a row's parts, of each verb's arguments, of a receipt.
Does not know: when it is sent, what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from attrs import evolve

from .._domain.planning.kinds import kind_of_mime
from .._domain.planning.parts import Part, load_parts
from .._domain.values import stored
from .._io.disk.file_store import Folder
from .._store.writing.claims import Row, named_messages
from .._store.writing.delivery import token
from ..adapter import Flow, MessageRef, Outgoing, OutgoingFile, Recipient, Sent
from ..errors import FileError, Rejected, Unsupported

IDEMPOTENT = frozenset({"react", "edit", "delete", "mark_read", "typing", "answer"})
"""Verbs that may be repeated without harm, so that an unknown outcome is simply tried again."""


def recipient(row: Row) -> Recipient:
    """Where the row goes: the newest address of its platform user."""
    return Recipient(row.external_id, row.address, row.kind, dict(row.aliases))


def outgoing(row: Row, part: int, folder: Folder) -> Outgoing:
    """One part of a message, with its token, its references and its files."""
    parts = load_parts(row.parts["parts"])
    piece: Part = parts[part]
    return Outgoing(
        token=token(row.event_id, part), event_id=row.event_id, part=part, parts=len(parts),
        to=recipient(row), text=piece.text, plain=piece.plain,
        files=tuple(_file(row, index, folder) for index in piece.files),
        buttons=piece.buttons, quick_replies=piece.quick_replies, menu=piece.menu,
        location=piece.location, contacts=piece.contacts, template=piece.template,
        header=piece.header, footer=piece.footer,
        reply_to=row.reply_to if piece.reply else None, thread=row.thread,
        answers=row.answers, attempt=row.attempt + 1, literal=piece.literal,
        metadata=row.parts.get("metadata") or {},
    )  # fmt: skip


def receipt(told: Any) -> Sent:
    """What an adapter says it was answered. Raises TypeError for what is no receipt."""
    if isinstance(told, Sent):
        aliases = told.aliases if isinstance(told.aliases, tuple) else (None,)
        perhaps = [one for one in (told.external_id, told.address) if one is not None]
        if all(isinstance(name, str | int) for name in (*perhaps, *aliases)):
            return told
    raise TypeError(f"the adapter gave no receipt, but {told!r:.200}")


def _file(row: Row, index: int, folder: Folder) -> OutgoingFile:
    filename, mime, size, sha256 = row.files[index]
    path = _place(sha256, folder)
    if path is None:
        raise Rejected(
            f"the file {filename or index} of this message is not in the folder any more"
        )
    kinds = row.parts.get("kinds") or []
    mime = mime or "application/octet-stream"
    return OutgoingFile(
        filename=filename or "file", mime_type=mime,
        kind=kinds[index] if index < len(kinds) else kind_of_mime(mime),
        size=size or 0, path=str(path), sha256=sha256,
        source=partial(folder.read, sha256 or ""),
    )  # fmt: skip


def _place(sha256: str | None, folder: Folder) -> Path | None:
    """Where a file's bytes are; None when they are not, or when that is no name of bytes."""
    if sha256 is None:
        return None
    try:
        path = folder.path(sha256)
    except FileError:
        return None
    return path if path.exists() else None


def flow(adapter: Any, row: Row, folder: Folder) -> Flow[Any]:
    """The flow of a verb other than `send`. Raises Unsupported, Rejected."""
    if not hasattr(adapter, row.verb):
        raise Unsupported(f"{adapter.manifest.platform} has no {row.verb}")
    if row.verb == "answer":
        made: Flow[Any] = adapter.answer(row.parts["action"])
    elif row.verb == "typing":
        message = None if row.target is None else _message(row)
        made = adapter.typing(recipient(row), message)
    elif row.target is None:
        raise Rejected("the message that this is about has no id at the platform")
    elif row.verb == "react":
        made = adapter.react(_message(row), row.parts["emoji"], row.parts["remove"])
    elif row.verb == "edit":
        made = _edit(adapter, row, folder)
    elif row.verb == "delete":
        names = [name for mine in named_messages(row.targets).values() for name in mine]
        made = _each(adapter.delete, [_message(row, name) for name in names])
    else:
        made = getattr(adapter, row.verb)(_message(row))
    return made


def _edit(adapter: Any, row: Row, folder: Folder) -> Flow[Any]:
    """The change that is next: new words in one part of the message, or the part is taken away."""
    step = (row.parts.get("steps") or [{"part": 0}])[row.done]
    names = named_messages(row.targets).get(step["part"])
    if not names:
        raise Rejected(f"part {step['part'] + 1} of the message has no id at the platform")
    if step.get("remove"):
        return _each(adapter.delete, [_message(row, name) for name in names])
    message = evolve(_message(row, names[0]), slot=step.get("slot"))
    made: Flow[Any] = adapter.edit(message, outgoing(row, row.done, folder))
    return made


def _each(begin: Callable[[MessageRef], Flow[Any]], messages: list[MessageRef]) -> Flow[None]:
    """One flow after the other: a message of several parts is gone when all of them are."""
    for message in messages:
        yield from begin(message)


def _message(row: Row, target: str | None = None) -> MessageRef:
    return MessageRef(
        target or row.target or "", recipient(row), row.target_outbound,
        stored.value(row.target_payload, "event", row.id),
    )  # fmt: skip
