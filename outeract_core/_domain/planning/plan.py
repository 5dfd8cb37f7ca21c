"""Fits what is to be said to what a platform can show: one message becomes one or more parts.

Knows: the way of a message, from what is said to what can be shown to the parts that are sent.
Does not know: platforms, markup (the adapter's `render` is given), how parts are sent.

    Content ─▶ said (with or without its template) ─▶ Shown (`showing.py`) ─▶ parts (`layout.py`)

Each step takes a value and gives a value. What a platform has no place for is said in words where
words can say it, and named in `Plan.degraded`; what cannot be said at all is refused. Nothing is
dropped without a word.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from ...adapter import Manifest
from ...content import Content
from ...errors import BadInput, Unsupported
from ...text.commonmark import plain, unpaired
from ..values.classes import frozen
from .layout import Render, Room, lay_out
from .losses import losses
from .parts import Part
from .showing import show

__all__ = ["Plan", "plan"]


@frozen
class Plan:
    """What `send` does with a content on one platform.

    parts     in the order in which they are sent.
    degraded  what is shown otherwise than asked for, in a few words each.
    kinds     for each file the kind that it is sent as.
    """

    parts: tuple[Part, ...]
    degraded: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


def plan(content: Content, manifest: Manifest, render: Render, sizes: Sequence[int] = ()) -> Plan:
    """Fit `content` to the platform. `sizes`: of its files in bytes, where they are known.

    Raises Unsupported for what the platform has no place and no words for, FileTooLarge, BadInput
    when nothing would be seen.
    """
    return (content.only_text and in_one(content, manifest, render)) or whole(
        content, manifest, render, sizes
    )


def in_one(content: Content, manifest: Manifest, render: Render) -> Plan | None:
    """What `whole` would come to for a text that fits into one message, in fewer steps; None where it
    does not.
    """
    text = unpaired(content.text)
    document, room = plain(text), Room(manifest, render)
    if not text.strip() or room.size(document) > room.text:
        return None
    notes = () if manifest.literal else tuple(losses(document, manifest))
    return Plan((room.said(document, reply=True),), notes)


def whole(content: Content, manifest: Manifest, render: Render, sizes: Sequence[int] = ()) -> Plan:
    """Fit any content to the platform. Raises as `plan` does."""
    said, notes = _said(content, manifest)
    shown = show(said, manifest, sizes)
    parts, shown_notes = lay_out(shown, manifest, render)
    if not parts:
        raise BadInput("nothing to see in this message: the text is blank")
    degraded = tuple(dict.fromkeys((*notes, *shown_notes)))
    return Plan(_answering(parts, manifest), degraded, shown.kinds)


def _answering(parts: tuple[Part, ...], manifest: Manifest) -> tuple[Part, ...]:
    """A quote stands on the first part; where an answer is a place, every part goes there."""
    everywhere = manifest.reply == "place"
    return tuple(
        evolve(part, reply=True) if everywhere or not n else part for n, part in enumerate(parts)
    )


def _said(content: Content, manifest: Manifest) -> tuple[Content, tuple[str, ...]]:
    """The content with its template alone, or without it.

    Text beside a template is what platforms without templates get instead.
    """
    if content.template is None:
        return content, ()
    if "template" in manifest.capabilities:
        note = "text and buttons left out beside the template"
        return _template_alone(content), (note,) if _words_beside(content) else ()
    if not (content.text or content.files or content.location or content.contacts):
        raise Unsupported(
            f"{manifest.platform} has no templates; give text beside the template, "
            "which is sent where there are none"
        )
    return evolve(content, template=None), ("template left out",)


def _words_beside(content: Content) -> bool:
    words = (content.text, content.header, content.footer)
    return any((*words, content.buttons, content.quick_replies, content.menu))


def _template_alone(content: Content) -> Content:
    return evolve(
        content, text="", buttons=(), quick_replies=(), menu=None, header=None, footer=None
    )
