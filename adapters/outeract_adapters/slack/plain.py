"""Slack's mrkdwn, in: the text of a message as a person would read it.

Knows: the `<…>` sequences and the three entities of inbound text.
Does not know: messages, formatting marks (`*`, `_`, `~` stay as they are).

Slack docs, "Formatting text": a literal `<` always arrives as `&lt;`, so every raw `<…>` is one of
`<@U…>`, `<#C…|name>`, `<!here>`, `<!subteam^S…|@team>`, `<!date^…|fallback>`, `<url|label>`.
"""

from __future__ import annotations

import re

__all__ = ["plain"]

_SEQUENCE = re.compile(r"<([^<>]*)>")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_CHARACTER = {"amp": "&", "lt": "<", "gt": ">"}
_SCHEME = re.compile(r"[a-z]+:(//)?")


def plain(mrkdwn: str) -> str:
    """`mrkdwn` with mentions, links and entities made readable; one pass, each entity once."""
    if "<" not in mrkdwn and "&" not in mrkdwn:
        return mrkdwn
    parts = _SEQUENCE.split(mrkdwn)
    return "".join(
        _sequence(part) if index % 2 else _unescape(part) for index, part in enumerate(parts)
    )


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda match: _CHARACTER[match[1]], text)


def _sequence(inside: str) -> str:
    target, _, label = inside.partition("|")
    target, label = _unescape(target), _unescape(label)
    match target[:1]:
        case "@" | "#":
            return target[0] + (label.removeprefix(target[0]) or target[1:])
        case "!":
            return _special(target[1:], label)
    return _link(target, label)


def _special(command: str, label: str) -> str:
    """`<!here>` is "@here", a team its name, a date its fallback text."""
    word, *arguments = command.split("^")
    if word == "date":
        return label or (arguments[0] if arguments else "")
    shown = label or (arguments[0] if arguments else word)
    return shown if shown.startswith("@") else f"@{shown}"


def _link(url: str, label: str) -> str:
    """The label, and the address too where the label does not already say it."""
    if not label or label == url:
        return url
    bare = _SCHEME.sub("", url, count=1)
    if label == bare:
        return label if url.startswith(("mailto:", "tel:")) else url
    return f"{label} ({url})"
