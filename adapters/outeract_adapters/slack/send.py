"""Flows that say something new: a message, or files with a message.

Knows: `chat.postMessage`, the three steps of an upload, how to look for a lost message.
Does not know: what the text means, retries, HTTP.
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

from outeract_core.adapter import Call, Flow, Outgoing, OutgoingFile, Recipient, Sent
from outeract_core.errors import Ambiguous, Rejected, Throttled, Transient

from .api import Api
from .blocks import blocks
from .errors import ask, reach
from .fields import Object, external_id, many, name, obj, split_id, text
from .messages import CORRELATION

__all__ = ["find", "post", "upload"]

_OPTIONS = (
    "unfurl_links", "unfurl_media", "reply_broadcast", "link_names", "mrkdwn", "username",
    "icon_emoji", "icon_url",
)  # fmt: skip
"""Members of `metadata` that go into chat.postMessage as they are."""

_UPLOAD_TIMEOUT = 300.0
_PAGE = 15
"""Slack docs: apps outside the Marketplace get 15 messages per request of history."""
_PAGES = 5
_SKEW = 600
_LINK = re.compile(r"<(?:[^|<>]*\|)?([^|<>]*)>")
_EMOJI = re.compile(r":[a-z0-9_+'-]+:")


def post(api: Api, outgoing: Outgoing) -> Flow[Sent]:
    """Say it. Slack has no idempotency key: an unclear outcome is Ambiguous, and `find` can tell."""
    body: Object = {
        "channel": outgoing.to.address,
        "text": outgoing.text,
        **({"mrkdwn": False} if outgoing.literal else {}),
        "metadata": {"event_type": CORRELATION, "event_payload": {"token": outgoing.token}},
        **{option: outgoing.metadata[option] for option in _OPTIONS if option in outgoing.metadata},
    }
    thread = _thread(outgoing)
    if thread is not None:
        body["thread_ts"] = thread
    built = blocks(outgoing)
    if built:
        body["blocks"] = built
    said = yield from ask(api.json("chat.postMessage", body), repeatable=False, scope="chat")
    channel, ts = name(said, "channel"), text(said, "ts")
    if channel is None or ts is None:
        raise Ambiguous("Slack accepted the message without telling its ts")
    return _sent(outgoing, channel, external_id(ts, channel), (), {"channel": channel, "ts": ts})


def _thread(outgoing: Outgoing) -> str | None:
    """`thread_ts`: Slack has no quotes, so an answer goes into the thread below its message.

    A message whose `ts` was never told (an upload) has no thread to go into; an answer to an
    action goes below the message that carried its button.
    """
    try:
        return split_id(outgoing.thread or outgoing.reply_to or "")[0]
    except Rejected:
        return None


def _sent(
    outgoing: Outgoing, channel: str, id: str | None, aliases: tuple[str, ...], raw: Any
) -> Sent:
    """A receipt; asked for a user, Slack answers with the channel of the direct messages."""
    address = channel if channel != outgoing.to.address else None
    return Sent(external_id=id, aliases=aliases, address=address, raw=raw)


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def upload(api: Api, outgoing: Outgoing) -> Flow[Sent]:
    """Share files: an address for each, its bytes, then one call that shows them all.

    Slack posts the message later, so its `ts` is in the answer only by luck; the files' ids are
    in the receipt's `aliases`, and an echo without a token has one of them as its correlation.
    """
    thread, built = _thread(outgoing), blocks(outgoing, marks=True)
    channel = yield from _channel(api, outgoing.to)
    shown: list[dict[str, str]] = []
    for file in outgoing.files:
        file_id = yield from _put(api, file)
        shown.append({"id": file_id, "title": file.filename})
    fields = {"files": json.dumps(shown), "channel_id": channel}
    if built:
        fields["blocks"] = json.dumps(built)
    elif outgoing.text:
        fields["initial_comment"] = outgoing.text
    if thread is not None:
        fields["thread_ts"] = thread
    call = api.form("files.completeUploadExternal", fields)
    said = yield from ask(call, repeatable=False, scope="chat")
    ts = _shared(said, channel)
    posted = None if ts is None else external_id(ts, channel)
    ids = tuple(file["id"] for file in shown)
    return _sent(outgoing, channel, posted, ids, {"channel": channel, "files": list(ids)})


def _channel(api: Api, to: Recipient) -> Flow[str]:
    """The channel itself: files and history know no users, so a user's is opened if not known."""
    if not to.address.startswith(("U", "W")):
        return to.address
    known = to.aliases.get("dm_channel") or to.aliases.get("address") or ""
    if known.startswith("D"):
        return known
    call = api.json("conversations.open", {"users": to.address})
    opened = yield from ask(call, repeatable=True)
    channel = name(opened, "channel", "id")
    if channel is None:
        raise Transient("Slack opened no channel for the direct messages")
    return channel


def _put(api: Api, file: OutgoingFile) -> Flow[str]:
    """Bring the bytes of one file to Slack, where nobody sees them yet; the file's id."""
    fields = {"filename": file.filename, "length": str(file.size)}
    call = api.form("files.getUploadURLExternal", fields)
    place = yield from ask(call, repeatable=True)
    url, file_id = text(place, "upload_url"), name(place, "file_id")
    if url is None or file_id is None:
        raise Transient("Slack gave no address for the upload")
    bytes_of = Call(
        "POST",
        url,
        headers={"content-type": "application/octet-stream"},
        content=file,
        timeout=_UPLOAD_TIMEOUT,
        secret_url=True,
    )
    reply = yield from reach(bytes_of, repeatable=True)
    if reply.status == 429:
        raise Throttled("Slack: too many uploads", scope="connection", code=429)
    if not 200 <= reply.status < 300:
        kind = Rejected if 400 <= reply.status < 500 else Transient
        raise kind(f"the upload was answered with {reply.status}", code=reply.status)
    return file_id


def _shared(said: Object, channel: str) -> str | None:
    """The `ts` of the message that shows the files, where the answer already has it."""
    for file in many(said, "files"):
        for shares in obj(file, "shares").values():
            for share in many(shares, channel):
                ts = text(share, "ts")
                if ts is not None:
                    return ts
    return None


# ── what became of it ─────────────────────────────────────────────────────────────────────────


def find(api: Api, outgoing: Outgoing) -> Flow[Sent | None]:
    """Look for our token in everything said since. None only when *all* of that was seen.

    Raises Throttled (1 request a minute for some apps) or Transient when it is worth looking again,
    and Ambiguous when it cannot be told: more messages than a few pages, no right to read the
    history or the tokens in it, an answer that is none, or files, which carry no token.
    """
    if outgoing.files:
        raise Ambiguous("an upload carries no token to look for")
    cursor = ""
    try:
        channel = yield from _channel(api, outgoing.to)
        for _ in range(_PAGES):
            page = yield from ask(_history(api, outgoing, channel, cursor), repeatable=True)
            sent = _among(page, outgoing, channel)
            if sent is not None or page.get("has_more") is False:
                return sent
            cursor = text(page, "response_metadata", "next_cursor") or ""
            if not cursor:
                break
    except Rejected as error:
        raise Ambiguous(f"cannot look it up: {error.reason}", code=error.code) from error
    raise Ambiguous("too many messages since to be sure that it did not arrive")


def _history(api: Api, outgoing: Outgoing, channel: str, cursor: str) -> Call:
    params = {"channel": channel, "limit": str(_PAGE), "include_all_metadata": "true"}
    if cursor:
        params["cursor"] = cursor
    made = _made(outgoing.event_id)
    if made is not None:
        params["oldest"] = f"{made:.6f}"
    thread = _thread(outgoing)
    if thread is None:
        return api.query("conversations.history", params)
    return api.query("conversations.replies", {**params, "ts": thread})


def _made(event_id: str) -> float | None:
    """When the message was queued (a UUIDv7 begins with its time), less the clocks' difference."""
    try:
        made = UUID(event_id)
    except ValueError:
        return None
    return (made.int >> 80) / 1000 - _SKEW if made.version == 7 else None


def _words(mrkdwn: str) -> str:
    """What stays the same of a text that Slack has taken in: it makes links, and names emoji."""
    return "".join(filter(str.isalnum, _EMOJI.sub("", _LINK.sub(r"\1", mrkdwn)))).casefold()


def _among(page: Object, outgoing: Outgoing, channel: str) -> Sent | None:
    """Our message, if this page has it. Raises Ambiguous when the page cannot tell."""
    said, mute = page.get("messages"), False
    if not isinstance(said, list) or not all(text(one, "ts") for one in said):
        raise Ambiguous("Slack's answer is no page of a history")
    for message in many(page, "messages"):
        metadata, ts = obj(message, "metadata"), text(message, "ts") or ""
        ours = metadata.get("event_type") == CORRELATION
        if ours and text(metadata, "event_payload", "token") == outgoing.token:
            raw = {"channel": channel, "ts": ts}
            return _sent(outgoing, channel, external_id(ts, channel), (), raw)
        if name(message, "bot_id") is not None and not metadata:
            mute = mute or _words(text(message, "text") or "") == _words(outgoing.text)
    if mute:
        raise Ambiguous("a bot has said the same, and Slack does not show whether with our token")
    return None
