"""What full-text search finds: hits, each with a piece of the text and where the words stand in it.

Knows: how a long text is cut to a snippet.
Does not know: how texts are found (`_api/queries/search.py`), any markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from attrs import field

from ._domain.values.classes import frozen
from .model import Event
from .standing import Standing
from .text.graphemes import boundary

__all__ = ["Hit"]

_WIDTH = 160
_BEFORE = 40
"""Characters of a snippet, and how many of them stand before the first word found."""
_SPACE = re.compile(r"\s")


@frozen
class Hit:
    """Something found.

    event     the event whose text matched: a message, an edit of one, a transcript.
    message   the message that it belongs to, as it stands now (for an edit or a transcript of a
              message that is not known here: that event).
    """

    event: Event
    message: Event
    _places: Callable[[bytes], Sequence[tuple[int, int]]] = field(repr=False, eq=False)

    @property
    def current(self) -> bool:
        """Whether what was found is still to be read: neither edited away nor deleted since."""
        message = self.message
        if not isinstance(message, Standing) or message.deleted:
            return not isinstance(message, Standing)
        if self.event.event_type == "message.transcribed":
            return True
        shown = message.now.edit
        return self.event.position == (message.position if shown is None else shown)

    @property
    def snippet(self) -> str:
        """At most about 160 characters of the text as it stands, in one line, with … where it was cut.

        Of what was edited away the text that took its place, without marks where the words are not in
        it; empty for what was deleted.
        """
        return self._shown[0]

    @property
    def marks(self) -> tuple[tuple[int, int], ...]:
        """(start, end) of what was looked for, within `snippet`."""
        return self._shown[1]

    @property
    def _text(self) -> str:
        """What is still to be read; what was edited away or deleted is shown to nobody again."""
        if self.current:
            return said(self.event)
        message = self.message
        if not isinstance(message, Standing) or message.deleted:
            return ""
        return said_in(message.message)

    @cached_property
    def _shown(self) -> tuple[str, tuple[tuple[int, int], ...]]:
        text = self._text
        data = text.encode("utf-8", "replace")
        return snippet(text, [_letters(data, place) for place in self._places(data)])

    def marked(
        self, before: str = "**", after: str = "**", escape: Callable[[str], str] = str
    ) -> str:
        """The snippet with every mark between `before` and `after`.

        `escape` is applied to the text but not to the marks: `hit.marked("<b>", "</b>", html.escape)`.
        """
        pieces, at = [], 0
        for start, end in self.marks:
            pieces += [
                escape(self.snippet[at:start]),
                before,
                escape(self.snippet[start:end]),
                after,
            ]
            at = end
        return "".join([*pieces, escape(self.snippet[at:])])


def said(event: Event) -> str:
    """Everything in an event that search looks at, as the index reads it (the view `search_text`)."""
    whole = event.payload if isinstance(event.payload, dict) else {}
    message = whole.get("message")
    texts = [said_in(message if isinstance(message, dict) else {})]
    if event.event_type == "message.transcribed" and isinstance(whole.get("text"), str):
        texts.append(whole["text"])
    return "\n".join(text for text in texts if text)


def said_in(message: Mapping[str, Any]) -> str:
    """The same of a message's content."""
    place = message.get("location")
    place = place if isinstance(place, Mapping) else {}
    texts = [message.get("header"), message.get("text"), message.get("footer")]
    texts += [place.get("name"), place.get("address")]
    return "\n".join(text for text in texts if isinstance(text, str))


def _letters(text: bytes, place: tuple[int, int]) -> tuple[int, int]:
    """From places in bytes to places in characters."""
    start = len(text[: place[0]].decode())
    return start, start + len(text[place[0] : place[1]].decode())


def snippet(text: str, marks: Sequence[tuple[int, int]]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The piece of `text` with the most marks in it, the first of several; and the marks there."""
    start = _start(text, marks)
    end = _edge(text, min(len(text), start + _WIDTH), -1, start + _WIDTH // 2)
    head, tail = "…" if start else "", "…" if end < len(text) else ""
    piece = _SPACE.sub(" ", text[start:end])
    shift = len(head) - start
    inside = tuple((a + shift, min(b, end) + shift) for a, b in marks if start <= a < end)
    return f"{head}{piece}{tail}", inside


def _start(text: str, marks: Sequence[tuple[int, int]]) -> int:
    """Shortly before the mark that has the most others behind it within the width."""
    if len(text) <= _WIDTH or not marks:
        return 0
    room = _WIDTH - _BEFORE
    first = max(marks, key=lambda m: (sum(m[0] <= a < m[0] + room for a, _ in marks), -m[0]))[0]
    wanted = min(max(0, first - _BEFORE), len(text) - _WIDTH)
    return _edge(text, wanted, 1, first)


def _edge(text: str, at: int, step: int, limit: int) -> int:
    """The next place between words from `at` towards `limit`; without spaces, between characters."""
    if at in (0, len(text)):
        return at
    places = range(at, limit, step)
    for place in places:
        if text[place - (step > 0)].isspace():
            return place
    return next((place for place in places if boundary(text, place)), at)
