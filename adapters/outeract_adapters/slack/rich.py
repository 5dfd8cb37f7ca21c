"""Rich text in, as mrkdwn: what a person's composer makes, and what cells of a table hold.

Knows: every element of `rich_text`, its styles, lists, quotes, code.
Does not know: other blocks (`readable.py`), messages.

Slack docs, "rich_text block": an element of a later kind says what its `text` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .fields import Object, many, obj, text
from .markup import escape

__all__ = ["rich_text"]

_MARKS = (("code", "`"), ("strike", "~"), ("italic", "_"), ("bold", "*"))
_INDENT = "    "
_MOST = 20
"""Levels of a list that are shown as such."""


def rich_text(block: Object) -> str:
    """The words of a `rich_text` block, one line for each of its stretches and list items."""
    said = (
        _STRETCHES.get(text(one, "type") or "", _section)(one) for one in many(block, "elements")
    )
    return "\n".join(line for line in said if line)


# ── stretches ─────────────────────────────────────────────────────────────────────────────────


def _section(stretch: Object) -> str:
    said = "".join(_inline(one) for one in many(stretch, "elements"))
    return said.removesuffix("\n") or _words(stretch)


def _list(stretch: Object) -> str:
    return "\n".join(_items(stretch))


def _items(stretch: Object) -> Iterator[str]:
    level, first = stretch.get("indent"), stretch.get("offset")
    before = _INDENT * level if type(level) is int and 0 < level < _MOST else ""
    number = first + 1 if type(first) is int else 1
    ordered = stretch.get("style") == "ordered"
    for place, item in enumerate(many(stretch, "elements")):
        yield f"{before}{f'{number + place}.' if ordered else '•'} {_section(item)}"


def _preformatted(stretch: Object) -> str:
    return f"```{_section(stretch)}```"


def _quote(stretch: Object) -> str:
    return "\n".join(f"&gt; {line}" for line in _section(stretch).split("\n"))


_STRETCHES: dict[str, Callable[[Object], str]] = {
    "rich_text_list": _list,
    "rich_text_preformatted": _preformatted,
    "rich_text_quote": _quote,
}


# ── within a line ─────────────────────────────────────────────────────────────────────────────


def _inline(element: Object) -> str:
    said = _INLINES.get(text(element, "type") or "", _words)(element)
    return _styled(said, obj(element, "style"))


def _words(element: Object) -> str:
    return escape(text(element, "text") or "")


def _link(element: Object) -> str:
    url, label = text(element, "url"), _words(element)
    if url is None:
        return label
    target = escape(url).replace("|", "%7C")
    return f"<{target}|{label}>" if label and label != target else f"<{target}>"


def _emoji(element: Object) -> str:
    name, tone = text(element, "name"), element.get("skin_tone")
    if name is None:
        return ""
    return f":{name}::skin-tone-{tone}:" if type(tone) is int else f":{name}:"


def _date(element: Object) -> str:
    at, shown = element.get("timestamp"), text(element, "format") or "{date_num} {time}"
    fallback = text(element, "fallback")
    if type(at) is not int:
        return escape(fallback or "")
    return f"<!date^{at}^{escape(shown)}|{escape(fallback or str(at))}>"


def _named(member: str, opening: str) -> Callable[[Object], str]:
    def name(element: Object) -> str:
        known = text(element, member)
        return "" if known is None else f"<{opening}{escape(known)}>"

    return name


def _color(element: Object) -> str:
    return escape(text(element, "value") or "")


_INLINES: dict[str, Callable[[Object], str]] = {
    "link": _link,
    "emoji": _emoji,
    "date": _date,
    "color": _color,
    "user": _named("user_id", "@"),
    "channel": _named("channel_id", "#"),
    "usergroup": _named("usergroup_id", "!subteam^"),
    "broadcast": _named("range", "!"),
}


def _styled(said: str, style: Object) -> str:
    """The marks of a style around its words; spaces stay outside, where mrkdwn wants them."""
    core = said.strip()
    if not core or "\n" in core:
        return said
    for name, mark in _MARKS:
        if style.get(name) is True:
            core = f"{mark}{core}{mark}"
    before = said[: len(said) - len(said.lstrip())]
    return f"{before}{core}{said[len(said.rstrip()) :]}"
