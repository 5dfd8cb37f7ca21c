"""A message that has ended is said again: its content is made anew from what the log has of it.

Knows: what an outbound event keeps of its content, how a repetition is marked.
Does not know: how a message is composed, delivered; why it has failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from attrs import evolve

from .._domain.rules.link_code import STRUCK
from .._domain.values.codec import encode
from ..content import (
    Attachment,
    Button,
    Contact,
    Content,
    FileKind,
    Location,
    Menu,
    MenuRow,
    Template,
)
from ..errors import BadInput
from ..model import Event, File

_ASKED = frozenset(get_args(FileKind)) - {"document"}
MARK = "↻ This may be a repetition:"
_REMEDY = {
    "queued": "it is still on its way; `cancel` takes it back",
    "sending": "its request is under way",
    "cancelled": "it was cancelled: send a new one",
}


def content_again(event: Event, files: Sequence[File], mark: str | None) -> Content:
    """What the event said. Raises BadInput when that is gone, or cannot be marked."""
    if event.event_type != "message.outbound":
        raise BadInput(f"only a message that was sent can be sent again, not a {event.event_type}")
    if event.status not in ("failed", "unknown"):
        why = _REMEDY.get(event.status, "it has arrived")
        raise BadInput(
            f"only a failed or unknown message is sent again; this is {event.status}: {why}"
        )
    told = event.payload.get("message")
    if not isinstance(told, Mapping) or not _says(told, files):
        raise BadInput("what this message said was erased or dropped; send a new one")
    if STRUCK in encode(told):
        raise BadInput(
            "a link code stood in this message, and is kept nowhere: make another, and send that"
        )
    return _marked(content_of(told, files), mark)


def _says(told: Mapping[str, Any], files: Sequence[File]) -> bool:
    return bool(told.keys() - {"type", "role", "text"} or told.get("text") or files)


def content_of(told: Mapping[str, Any], files: Sequence[File]) -> Content:
    """The content behind the `message` of a payload. Raises BadInput when it says nothing any more."""
    menu, template, location = told.get("menu"), told.get("template"), told.get("location")
    return Content(
        told.get("text") or "", told.get("format", "plain"),
        tuple(_attachments(told.get("type"), files)),
        [Button(**one) for one in told.get("buttons", ())],
        [Button(**one) for one in told.get("quick_replies", ())],
        None if menu is None else Menu(menu["button"], [MenuRow(**row) for row in menu["rows"]]),
        None if location is None else Location(**location),
        [Contact(**one) for one in told.get("contacts", ())],
        None if template is None else Template(**template),
        told.get("header"), told.get("footer"), told.get("metadata") or {},
    )  # fmt: skip


def _attachments(kind: Any, files: Sequence[File]) -> Iterator[Attachment]:
    """What the first was asked to be shown as is the type of the whole, unless that is left to its MIME
    type: a sticker is no picture, a voice message no piece of audio.
    """
    for number, file in enumerate(files):
        asked = kind if number == 0 and kind in _ASKED else None
        yield Attachment(file, file.filename, file.mime_type, asked)


def _marked(content: Content, mark: str | None) -> Content:
    if mark is None:
        return content
    if content.template is not None:
        raise BadInput("the text of a template cannot be marked; resend it with marked=False")
    return evolve(content, text=f"{mark}\n\n{content.text}" if content.text else mark)
