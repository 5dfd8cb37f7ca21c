"""Flows upon what exists: reactions, edits, deletion, read marks, downloads, the health check.

Knows: the methods, and which of their errors say "it already is so".
Does not know: retries, HTTP, why the host wants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outeract_core.adapter import Download, Flow, Health, MessageRef, Outgoing
from outeract_core.errors import Rejected, Unauthorised

from . import emoji as names
from .api import Api
from .blocks import blocks
from .errors import ask, outcome, reach
from .fields import Object, name, obj, split_id, text

__all__ = ["check", "delete", "edit", "fetch", "mark_read", "react"]

_SCOPES = {
    "chat:write": "nothing can be sent",
    "files:read": "inbound files cannot be fetched",
    "files:write": "files cannot be sent",
    "im:write": "files cannot be sent to a person who has not written",
    "reactions:write": "reactions cannot be set",
}


def react(api: Api, message: MessageRef, emoji: str, remove: bool) -> Flow[None]:
    """Set or take back the bot's reaction."""
    ts, channel = split_id(message.external_id)
    body = {"channel": channel, "timestamp": ts, "name": names.to_slack(emoji)}
    method, done = ("remove", "no_reaction") if remove else ("add", "already_reacted")
    yield from ask(api.json(f"reactions.{method}", body), repeatable=True, done=(done,))


def edit(api: Api, message: MessageRef, outgoing: Outgoing) -> Flow[None]:
    """Replace text and blocks; an empty list takes the old blocks away."""
    ts, channel = split_id(message.external_id)
    body = {"channel": channel, "ts": ts, "text": outgoing.text, "blocks": blocks(outgoing)}
    yield from ask(api.json("chat.update", body), repeatable=True)


def delete(api: Api, message: MessageRef) -> Flow[None]:
    """Delete the bot's message."""
    ts, channel = split_id(message.external_id)
    call = api.json("chat.delete", {"channel": channel, "ts": ts})
    yield from ask(call, repeatable=True, done=("message_not_found",))


def mark_read(api: Api, message: MessageRef) -> Flow[None]:
    """Move the bot's read mark to the message."""
    ts, channel = split_id(message.external_id)
    yield from ask(api.json("conversations.mark", {"channel": channel, "ts": ts}), repeatable=True)


def fetch(api: Api, handle: Mapping[str, Any]) -> Flow[Download]:
    """Where the bytes are. Without the scope `files:read` Slack answers 200 with its login page."""
    url = text(dict(handle), "url_private_download")
    if url is None:
        call = api.query("files.info", {"file": str(handle.get("id", ""))})
        file = obj((yield from ask(call, repeatable=True)), "file")
        url = text(file, "url_private_download") or text(file, "url_private")
        if url is None or file.get("is_external") is True:
            raise Rejected("Slack does not hold the bytes of this file")
    if not api.trusts(url):
        raise Rejected("the file is not at Slack; its address does not get our token")
    return Download(api.download(url), refuse=("text/html",))


def check(api: Api) -> Flow[Health]:
    """Whether the token works, whose it is, and what it may not do."""
    reply = yield from reach(api.json("auth.test", {}), repeatable=True)
    try:
        told = outcome(reply, repeatable=True)
    except Unauthorised as error:
        return Health(ok=False, remarks=(error.reason,))
    remarks = (*_strangers(api, told), *_missing(reply.headers.get("x-oauth-scopes")))
    return Health(True, name(told, "user_id"), text(told, "user"), remarks)


def _strangers(api: Api, told: Object) -> list[str]:
    """Ids given to `connect` that are not the token's own."""
    given = {
        "bot_user_id": name(told, "user_id"),
        "bot_id": name(told, "bot_id"),
        "app_id": name(told, "app_id"),
    }
    return [
        f"{config} is {api.settings.get(config)}, but the token belongs to {real}"
        for config, real in given.items()
        if real and api.settings.get(config) not in (None, real)
    ]


def _missing(scopes: str | None) -> list[str]:
    """Slack docs: the header `x-oauth-scopes` lists what the token may do."""
    if scopes is None:
        return []
    granted = {scope.strip() for scope in scopes.split(",")}
    return [f"no scope {one}: {price}" for one, price in _SCOPES.items() if one not in granted]
