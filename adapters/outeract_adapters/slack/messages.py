"""Message events as facts: said, edited, deleted, and the noise around them.

Knows: message subtypes, own echoes, threads, files, what counts as an edit.
Does not know: where the words of a message stand (`said.py`), envelopes, other kinds of events.

Slack docs, "message event": the bot's own messages come back without a subtype; `message_changed`
also tells of unfurled links; deleting the root of a thread comes as a change to a `tombstone`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import field, frozen

from outeract_core.events import Fact, FileRef, Party, message

from .fields import Object, external_id, many, name, need_id, need_ts, obj, text, time_of
from .people import Place, Us, author, parties, person
from .plain import plain
from .said import Said, said

__all__ = ["CORRELATION", "Delivery", "notice", "on_message"]

CORRELATION = "outeract_message"
"""`metadata.event_type` of what we send; its `event_payload.token` is the part's token."""

_SPOKEN = (None, "bot_message", "file_share", "me_message", "thread_broadcast", "reply_broadcast")


@frozen
class Delivery:
    """What every event of one request shares. `key`: the dedupe key of what is no message."""

    us: Us
    key: str
    at: datetime | None
    raw: Any = field(repr=False)


def on_message(event: Object, delivery: Delivery) -> Fact:
    """The fact of a `message` or `app_mention` event. Raises ParseError."""
    subtype = text(event, "subtype")
    if subtype == "message_changed":
        return _changed(event, delivery)
    if subtype == "message_deleted":
        return _deleted(event, delivery)
    if subtype in _SPOKEN and not obj(event, "message") and event.get("hidden") is not True:
        return _said(event, delivery)
    return notice(event, delivery)


def _said(event: Object, delivery: Delivery) -> Fact:
    channel, ts = need_id(event, "channel"), need_ts(event, "ts")
    key = external_id(ts, channel)
    ours, told = delivery.us.wrote(event), said(event)
    sender, chat = parties(author(event), _place(event), ours)
    return Fact(
        kind="message.inbound",
        key=key,
        payload=_body(event, told, key, delivery, ours),
        raw=delivery.raw,
        occurred_at=time_of(ts),
        sender=sender,
        chat=chat,
        thread=_thread(event, channel),
        files=_refs(told),
        echo=ours,
        correlation=_correlation(event) if ours else None,
    )


def _changed(event: Object, delivery: Delivery) -> Fact:
    now, before = obj(event, "message"), obj(event, "previous_message")
    if text(now, "subtype") == "tombstone":
        return _deleted(event, delivery)
    if not _edited(now, before):
        return notice(event, delivery, previews=list(said(now).previews) or None)
    channel, ts = need_id(event, "channel"), need_ts(now, "ts")
    target = external_id(ts, channel)
    ours, told = delivery.us.wrote(now), said(now)
    sender, chat = parties(author(now), _place(event), ours)
    payload, others = _body(now, told, target, delivery, ours), _other_files(now, before)
    if others:
        payload["message"]["files"] = len(_files(now))
    return Fact(
        kind="message.edited",
        key=delivery.key,
        payload=payload,
        raw=delivery.raw,
        occurred_at=time_of(text(now, "edited", "ts")) or _at(event, delivery),
        sender=sender,
        chat=chat,
        thread=_thread(now, channel),
        target=target,
        files=_refs(told) if others else (),
        echo=ours,
    )


def _edited(now: Object, before: Object) -> bool:
    """Whether somebody changed what is said; unfurls, reply counts and pins are no edits."""
    if not before:
        return bool(now.get("edited"))
    changed = any(now.get(part) != before.get(part) for part in ("text", "blocks", "edited"))
    return changed or _other_files(now, before)


def _other_files(now: Object, before: Object) -> bool:
    """Whether a file was taken away (Slack leaves a `tombstone`) or has come."""
    return bool(before) and _files(now) != _files(before)


def _files(item: Object) -> set[str | None]:
    return {text(one, "id") for one in many(item, "files") if one.get("mode") != "tombstone"}


def _deleted(event: Object, delivery: Delivery) -> Fact:
    """Slack does not say who deleted: only in a direct conversation can it be but the author."""
    before = obj(event, "previous_message")
    channel = need_id(event, "channel")
    gone = event if "deleted_ts" in event else obj(event, "message")
    ts = need_ts(gone, "deleted_ts" if "deleted_ts" in event else "ts")
    place = _place(event)
    writer = author(before) if place.direct and not delivery.us.wrote(before) else None
    sender, chat = parties(writer, place, ours=False)
    target = external_id(ts, channel)
    return Fact(
        kind="message.deleted",
        key=delivery.key,
        payload={"platform": "slack", "external_message_id": target},
        raw=delivery.raw,
        occurred_at=_at(event, delivery),
        sender=sender,
        chat=chat,
        target=target,
    )


def notice(event: Object, delivery: Delivery, **more: Any) -> Fact:
    """Any event without a meaning of its own: kept with its raw form, never refused."""
    kind = text(event, "subtype") or text(event, "type") or "unknown"
    payload = {"platform": "slack", "notice": kind, "text": plain(text(event, "text") or "")}
    payload.update((name, value) for name, value in more.items() if value is not None)
    payload = {name: value for name, value in payload.items() if value != ""}
    sender, chat = _involved(event, delivery.us)
    target = _about(event)
    if target is not None:
        payload["external_message_id"] = target
    return Fact(
        kind="system.notice",
        key=delivery.key,
        payload=payload,
        raw=delivery.raw,
        occurred_at=_at(event, delivery),
        sender=sender,
        chat=chat,
        target=target,
    )


_HOLDERS = ("assistant_thread", "item")
"""Where an event without a user or a channel of its own says whose and where it is."""


def _involved(event: Object, us: Us) -> tuple[Party | None, Party | None]:
    """Who and where, as far as an event of any shape tells."""
    inner = next((found for one in _HOLDERS if (found := obj(event, one))), {})
    user = event.get("user") or name(event, "user_id") or name(inner, "user_id")
    writer = person(user)
    ours = writer is not None and writer.external_id in us.users
    channel = event.get("channel")
    where = name(channel, "id") if isinstance(channel, dict) else name(event, "channel")
    where = (
        where or name(event, "channel_id") or name(inner, "channel_id") or name(inner, "channel")
    )
    if where is None:
        return None if ours else writer, None
    place = Place(where, text(event, "channel_type"), text(channel, "name"))
    return parties(writer, place, ours)


def _about(event: Object) -> str | None:
    """The message inside a notice (`message_changed`, `message_replied`)."""
    inner, channel = obj(event, "message"), name(event, "channel")
    ts = text(inner, "ts")
    return external_id(ts, channel) if channel and ts and time_of(ts) else None


# ── parts of a message ────────────────────────────────────────────────────────────────────────


def _place(event: Object) -> Place:
    return Place(need_id(event, "channel"), text(event, "channel_type"))


def _at(event: Object, delivery: Delivery) -> datetime | None:
    return time_of(text(event, "event_ts") or text(event, "ts")) or delivery.at


def _thread(item: Object, channel: str) -> str | None:
    """The root's id for a reply; the root itself has `thread_ts == ts`."""
    root = text(item, "thread_ts")
    if root is None or root == text(item, "ts"):
        return None
    return external_id(need_ts(item, "thread_ts"), channel)


def _body(item: Object, told: Said, id: str, delivery: Delivery, ours: bool) -> dict[str, Any]:
    """The payload: the same for `message` and `app_mention`, whichever comes first.

    Whoever is named in a forwarded message was not called by the one who forwards it.
    """
    readable = plain(told.whole)
    calls = delivery.us.mentioned(told.own) or item.get("type") == "app_mention"
    payload = message(
        "slack",
        id,
        _type(told),
        readable,
        mrkdwn=told.whole if told.whole != readable else None,
        mentioned=True if calls and not ours else None,
        bot=True if name(item, "bot_id") and not ours else None,
        team=_abroad(item, delivery),
        forwarded=True if told.forwards else None,
        forward=told.forwards[0] if told.forwards else None,
        forwards=list(told.forwards) if len(told.forwards) > 1 else None,
        previews=list(told.previews) or None,
        links=_links(told) or None,
    )
    if ours:
        payload["message"]["role"] = "assistant"
    return payload


def _abroad(item: Object, delivery: Delivery) -> str | None:
    """The workspace of an author of another one, in a channel that several share (Slack Connect)."""
    team = name(item, "source_team") or name(item, "user_team")
    return team if team != name(delivery.raw, "team_id") else None


def _type(told: Said) -> str:
    """What the message mainly is: its first file's kind, or text."""
    for file in told.files:
        if file.get("mode") == "tombstone":
            continue
        if (text(file, "subtype") or "") == "slack_audio":
            return "voice"
        major = (text(file, "mimetype") or "").partition("/")[0]
        return major if major in ("image", "video", "audio") else "document"
    return "text"


def _correlation(item: Object) -> str | None:
    """Our token, or, for an upload, the id of its file (it is in the receipt's aliases)."""
    metadata = obj(item, "metadata")
    if metadata.get("event_type") == CORRELATION:
        token = text(metadata, "event_payload", "token")
        if token is not None:
            return token
    return next((found for file in many(item, "files") if (found := name(file, "id"))), None)


def _external(file: Object) -> bool:
    return file.get("is_external") is True or file.get("mode") == "external"


def _links(told: Said) -> list[str]:
    """Files that lie elsewhere (Google Drive, …): links, never to be fetched with our token."""
    urls = (text(file, "url_private") for file in told.files if _external(file))
    return [url for url in urls if url]


def _refs(told: Said) -> tuple[FileRef, ...]:
    return tuple(_file(file) for file in told.files if _stored(file))


def _stored(file: Object) -> bool:
    """Whether Slack has, or may have, the bytes: `tombstone` is a deleted file."""
    known = name(file, "id") is not None and file.get("mode") != "tombstone"
    return known and not _external(file)


def _file(file: Object) -> FileRef:
    """A file; without an address (`check_file_info`, Slack Connect) `fetch` asks `files.info`."""
    handle = {"id": need_id(file, "id")}
    url = text(file, "url_private_download") or text(file, "url_private")
    if url is not None and file.get("file_access") != "check_file_info":
        handle["url_private_download"] = url
    size = file.get("size")
    whole = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    return FileRef(handle, text(file, "name"), text(file, "mimetype"), size if whole else None)
