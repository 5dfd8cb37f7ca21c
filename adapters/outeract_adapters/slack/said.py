"""What a message says: its text, its blocks, what is attached to it, added up.

Knows: legacy attachments, forwarded messages, previews of links, tables in attachments.
Does not know: events, who said it; how a block is read (`readable.py`).

Slack docs, "message event", and what its clients send: a forwarded message, a pasted table and most
of what older apps post stand in `attachments`, never in `text`. A forward has `is_share`; Slack's own preview
of a message whose link somebody has pasted has `is_msg_unfurl` alone, a forward may have both.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from .fields import Object, external_id, many, name, obj, text, time_of
from .markup import escape
from .once import added, told
from .plain import plain
from .readable import readable

__all__ = ["Said", "said"]

_MESSAGE = ("is_msg_unfurl", "is_reply_unfurl", "is_thread_root_unfurl")
_PREVIEWED = ("from_url", "original_url", "app_unfurl_url")
_DEEPEST = 3
"""Forwards of forwards that are read."""


@frozen
class Said:
    """`own`: the author's words; `whole`: with what is forwarded. Both in mrkdwn.

    `forwards`: whose the forwarded messages are; `previews`: what was shown of links, which nobody has said;
    `files`: all file objects but those of previews, each once.
    """

    own: str
    whole: str
    forwards: tuple[Object, ...] = ()
    previews: tuple[Object, ...] = ()
    files: tuple[Object, ...] = field(default=(), repr=False)


def said(item: Object) -> Said:
    """The sum of a message. Where nothing but previews is in it, they are what it says."""
    attached = many(item, "attachments")
    forwarded = [one for one in attached if _is_forward(one)]
    previews = [one for one in attached if _is_preview(one)]
    posted = [one for one in attached if not _is_forward(one) and not _is_preview(one)]
    own = _joined([_body(item), *(_attached(one) for one in posted)])
    if not (own or forwarded):
        forwarded, previews = [one for one in previews if _of_message(one)], []
        own = _joined([_attached(one) for one in attached if one not in forwarded])
    others = [_forwarded(one, 0) for one in forwarded]
    origins = [_origin(one, words) for one, words in zip(forwarded, others, strict=True)]
    shown = [_preview(one) for one in previews]
    seen = {**item, "attachments": [one for one in attached if one not in previews]}
    return Said(own, _joined([own, *others]), tuple(origins), tuple(shown), tuple(_files(seen)))


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part for part in parts if part.strip())


def _body(item: Object) -> str:
    return added(told(text(item, "text")), readable(many(item, "blocks")))


# ── attachments ───────────────────────────────────────────────────────────────────────────────


def _is_forward(attachment: Object) -> bool:
    return attachment.get("is_share") is True


def _is_preview(attachment: Object) -> bool:
    """Whether Slack or an app made it of a link: nobody said it."""
    made = _of_message(attachment) or attachment.get("is_app_unfurl") is True
    made = made or any(text(attachment, sign) is not None for sign in _PREVIEWED)
    return made and not _is_forward(attachment)


def _of_message(attachment: Object) -> bool:
    return any(attachment.get(sign) is True for sign in _MESSAGE)


def _attached(attachment: Object) -> str:
    """The words of an attachment, its `fallback` where there are no others."""
    title, link = text(attachment, "title"), text(attachment, "title_link")
    if title and link:
        title = f"<{escape(link).replace('|', '%7C')}|{title}>"
    lines = [text(attachment, "pretext"), title, told(text(attachment, "text"))]
    lines += [_field(one) for one in many(attachment, "fields")]
    shown = "\n".join(line for line in lines if line)
    return added(shown, readable(many(attachment, "blocks"))) or told(text(attachment, "fallback"))


def _field(one: Object) -> str:
    parts = (text(one, "title"), text(one, "value"))
    return ": ".join(part for part in parts if part)


# ── forwards ──────────────────────────────────────────────────────────────────────────────────


def _forwarded(attachment: Object, depth: int) -> str:
    """The words of a forwarded message, and of what it had forwarded itself."""
    inner = [obj(one, "message") for one in many(attachment, "message_blocks")]
    blocks = [block for one in inner for block in many(one, "blocks")]
    shown = added(_attached({**attachment, "fallback": None}), readable(blocks))
    deeper = many(attachment, "attachments") if depth < _DEEPEST else []
    deeper = [one for one in deeper if not _is_preview(one)]
    parts = [shown, *(_forwarded(one, depth + 1) for one in deeper)]
    return _joined(parts) or told(text(attachment, "fallback"))


def _origin(attachment: Object, words: str) -> Object:
    """Whose it was and where: what a host needs to find it again."""
    channel, ts = name(attachment, "channel_id"), text(attachment, "ts")
    known = channel is not None and time_of(ts) is not None
    told: dict[str, Any] = {
        "from": name(attachment, "author_id"),
        "name": text(attachment, "author_name") or text(attachment, "author_subname"),
        "chat": channel,
        "message_id": external_id(str(ts), str(channel)) if known else None,
        "url": text(attachment, "from_url"),
        "text": plain(words) or None,
    }
    return {member: value for member, value in told.items() if value is not None}


def _preview(attachment: Object) -> Object:
    """What was shown of a link: the title of a page, whose message it is and where."""
    title = plain(text(attachment, "title") or "")
    rest = {**attachment, "title": None, "fallback": None if title else attachment.get("fallback")}
    where = [text(attachment, sign) for sign in _PREVIEWED]
    names = [text(file, "name") for file in _files(attachment)]
    told: dict[str, Any] = {
        **_origin(attachment, _forwarded(rest, 0)),
        "url": next((one for one in where if one), None),
        "title": title or None,
        "files": [one for one in names if one] or None,
    }
    return {member: value for member, value in told.items() if value is not None}


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def _files(item: Object, depth: int = 0) -> list[Object]:
    """The file objects of a message and of what it forwards; the same file once."""
    found = many(item, "files")
    if depth < _DEEPEST:
        holders = [*many(item, "attachments"), *_within(item)]
        found = found + [file for one in holders for file in _files(one, depth + 1)]
    named = {text(file, "id") or id(file): file for file in reversed(found)}
    return list(reversed(named.values()))


def _within(attachment: Object) -> list[Object]:
    """The messages of `message_blocks`: Slack has put a forward's files here too."""
    return [obj(one, "message") for one in many(attachment, "message_blocks")]
