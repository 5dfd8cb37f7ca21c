"""Entities of a text: cut out, rendered as HTML, commands and mentions found.

Knows: that offsets count UTF-16 units, which entities format, nesting and overlaps.
Does not know: messages, people. What we render ourselves is in `outbound/markup.py`.
"""

from __future__ import annotations

from html import escape
from typing import Any

from attrs import frozen

from ..fields import Object, many, number, obj, text

__all__ = ["Entity", "command", "html", "mentions", "read"]

_TAGS = {
    "bold": "b", "italic": "i", "underline": "u", "strikethrough": "s", "spoiler": "tg-spoiler",
    "code": "code", "blockquote": "blockquote",
}  # fmt: skip
_MOST = 1000


@frozen
class Entity:
    """A stretch of text with a meaning. `start` and `end` in UTF-16 units; `text` is what it covers."""

    type: str
    start: int
    end: int
    text: str
    item: Object


def read(said: str, item: Object, member: str) -> list[Entity]:
    """The entities in `member` that lie within `said`, in order, the longest first."""
    units = said.encode("utf-16-le", "surrogatepass")
    found = []
    for one in many(item, member)[:_MOST]:
        kind, start, length = text(one, "type"), number(one, "offset"), number(one, "length")
        if kind is None or start is None or length is None or start < 0 or length <= 0:
            continue
        end = start + length
        if end * 2 <= len(units):
            covered = units[start * 2 : end * 2].decode("utf-16-le", "surrogatepass")
            found.append(Entity(kind, start, end, covered, one))
    return sorted(found, key=lambda entity: (entity.start, -entity.end))


# ── as HTML ───────────────────────────────────────────────────────────────────────────────────


def html(said: str, entities: list[Entity]) -> str | None:
    """The text in Telegram's HTML, or None when nothing in it is formatted."""
    spans = [(entity, tags) for entity in entities if (tags := _tags(entity))]
    if not spans:
        return None
    units = said.encode("utf-16-le", "surrogatepass")
    edges = sorted({0, len(units) // 2, *(e.start for e, _ in spans), *(e.end for e, _ in spans)})
    out: list[str] = []
    open_: list[tuple[Entity, tuple[str, str]]] = []
    waiting = spans[::-1]
    for at, after in zip(edges, [*edges[1:], None], strict=True):
        out += _close(open_, at)
        while waiting and waiting[-1][0].start == at:
            open_.append(waiting.pop())
            out.append(open_[-1][1][0])
        if after is not None:
            out.append(_escaped(units[at * 2 : after * 2]))
    return "".join(out)


def _close(open_: list[tuple[Entity, tuple[str, str]]], at: int) -> list[str]:
    """Close what ends here; what only overlaps it is closed too and opened again."""
    ending = next((n for n, (entity, _) in enumerate(open_) if entity.end <= at), None)
    if ending is None:
        return []
    again = [one for one in open_[ending:] if one[0].end > at]
    out = [tags[1] for _, tags in reversed(open_[ending:])] + [tags[0] for _, tags in again]
    open_[ending:] = again
    return out


def _tags(entity: Entity) -> tuple[str, str] | None:
    tag, item = _TAGS.get(entity.type), entity.item
    if tag is not None:
        return f"<{tag}>", f"</{tag}>"
    if entity.type == "expandable_blockquote":
        return "<blockquote expandable>", "</blockquote>"
    if entity.type == "pre":
        language = text(item, "language")
        inner = f'<code class="language-{escape(language)}">' if language else ""
        return f"<pre>{inner}", "</code></pre>" if inner else "</pre>"
    link = text(item, "url") if entity.type == "text_link" else None
    if entity.type == "text_mention" and (user := number(obj(item, "user"), "id")) is not None:
        link = f"tg://user?id={user}"
    if link is not None:
        return f'<a href="{escape(link)}">', "</a>"
    emoji = text(item, "custom_emoji_id") if entity.type == "custom_emoji" else None
    return None if emoji is None else (f'<tg-emoji emoji-id="{escape(emoji)}">', "</tg-emoji>")


def _escaped(units: bytes) -> str:
    return escape(units.decode("utf-16-le", "surrogatepass"), quote=False)


# ── commands and mentions ─────────────────────────────────────────────────────────────────────


def command(said: str, entities: list[Entity]) -> Object | None:
    """`{"name", "args", "bot"?}` when the text begins with a command, e.g. `/start@our_bot abc`.

    Bot API: `/start` may carry the parameter of a deep link as its argument.
    """
    first = next((one for one in entities if one.type == "bot_command" and one.start == 0), None)
    if first is None or not first.text.startswith("/") or len(first.text) < 2:
        return None
    name, _, bot = first.text[1:].partition("@")
    told: Object = {"name": name, "args": said[len(first.text) :].strip()}
    return {**told, "bot": bot} if bot else told


def mentions(entities: list[Entity], id: int | None, username: str | None) -> bool:
    """Whether the text names us, by `@username` or by a link to our account."""
    called: Any = username and f"@{username}"
    return any(
        (one.type == "mention" and called is not None and one.text.lower() == called)
        or (one.type == "text_mention" and id is not None and obj(one.item, "user").get("id") == id)
        for one in entities
    )
