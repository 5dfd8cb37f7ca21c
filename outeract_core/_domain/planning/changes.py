"""What an edit does to each part of a message that is there: its words are changed, or it is taken away.

Knows: where the words of a message stand in its parts, how many new ones there is room for.
Does not know: receipts, platforms, which earlier edits there were (it is told what they took away).

Files, places and cards stay as they are; only words and what there is to press can be edited. Nothing
can be put between two messages, so new words have the places of the old ones and no more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import evolve

from ...adapter import Manifest
from ...content import Content
from ...errors import Unsupported
from ...exchange import Slot
from ..values.classes import frozen
from .layout import Render
from .parts import Part
from .plan import Plan, plan

__all__ = ["Change", "Place", "changes", "places"]


@frozen
class Place:
    """Where words stand: the number of a part, and whether it is its text or below its file.

    `slot` None: that is not known. `together`: how many files share the part.
    """

    part: int
    slot: Slot | None
    together: int = 1


@frozen
class Change:
    """What becomes of a place: `to` stands there, or its part is taken away (None)."""

    place: Place
    to: Part | None


def places(was: Plan, manifest: Manifest) -> tuple[Place, ...]:
    """Where the words of a message stand, in their order; none where there is no room for any.

    They are the texts at its end, or stand below its first file.
    """
    parts = was.parts
    first = len(parts)
    while first and _is_text(parts[first - 1]):
        first -= 1
    texts = tuple(Place(number, "text") for number in range(first, len(parts)))
    if texts or not was.kinds or was.kinds[0] not in manifest.caption_kinds:
        return texts
    number = next(number for number, part in enumerate(parts) if part.files)
    return (Place(number, "caption", len(parts[number].files)),)


def changes(
    content: Content, manifest: Manifest, render: Render, room: Sequence[Place],
    gone: Collection[Place] = (),
) -> tuple[tuple[Change, ...], tuple[str, ...]]:  # fmt: skip
    """What is done so that the places `room` say `content`; and what is shown otherwise than asked for.

    `gone`: what earlier edits took away; it is taken away again, in case that has failed. Raises
    Unsupported where the new words need more room than there is, and what `plan` raises.
    """
    if not room:
        raise Unsupported(
            "there are no words in this message to be changed: delete it, send it anew"
        )
    below = room[0].slot == "caption"
    planned = plan(content, _below(manifest) if below else manifest, render)
    _check(planned, room, below)
    kept = zip(room, planned.parts, strict=False)
    left = (*room[len(planned.parts) :], *gone)
    done = (
        *(Change(place, _said(part)) for place, part in kept),
        *(Change(one, None) for one in left),
    )
    return done, planned.degraded


def _is_text(part: Part) -> bool:
    return bool(part.text) and not (
        part.files or part.location or part.contacts or part.template
    )  # fmt: skip


def _below(manifest: Manifest) -> Manifest:
    """The platform, as far as words below a file are concerned."""
    limits = (manifest.caption_limit, manifest.interactive_limit)
    least = min((one for one in limits if one is not None), default=None)
    text = manifest.text_limit if manifest.caption_limit is None else manifest.caption_limit
    return evolve(manifest, text_limit=text, interactive_limit=least)


def _check(planned: Plan, room: Sequence[Place], below: bool) -> None:
    needed = len(planned.parts)
    if needed > len(room):
        where = "below its file there is" if below else "there is"
        raise Unsupported(
            f"the new words need {needed} messages, and {where} room for {len(room)}: shorten them, or "
            "delete the message and send it anew"
        )
    last = planned.parts[-1]
    if room[0].together > 1 and (last.buttons or last.quick_replies or last.menu):
        raise Unsupported(
            "files that share a message cannot carry anything to press: delete it and send it anew"
        )


def _said(part: Part) -> Part:
    """The part as an edit: what is answered stays as it is."""
    return evolve(part, reply=False)
