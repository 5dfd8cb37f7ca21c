"""Flows upon what exists: reactions, edits, deletion, read marks, downloads, profiles, health.

Knows: the methods, and which of their errors say "it already is so".
Does not know: retries, HTTP, why the host wants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from outeract_core.adapter import (
    Download,
    Finding,
    Flow,
    Health,
    MessageRef,
    Outgoing,
    Profile,
    Recipient,
    Reply,
)
from outeract_core.errors import Rejected, Unauthorised

from . import emoji as names
from .api import Api
from .blocks import blocks
from .errors import ask, outcome, reach
from .fields import Object, name, obj, split_id, text
from .people import shown

__all__ = ["check", "delete", "edit", "fetch", "identify", "mark_read", "profile", "react"]

_SCOPES = {
    "chat:write": "nothing can be sent",
    "im:write": "files cannot be sent to a person who has not written",
    "files:read": "inbound files cannot be fetched",
    "files:write": "files cannot be sent",
    "reactions:read": "nobody's reactions are told",
    "reactions:write": "reactions cannot be set",
    **{
        f"{kind}:history": f"what is said in {where} is not told, and what was sent there cannot be looked up"
        for kind, where in {
            "im": "direct messages", "mpim": "group messages", "channels": "public channels",
            "groups": "private channels",
        }.items()
    },
    "users:read": "people have no names",
    "channels:read": "public channels have no names",
    "groups:read": "private channels have no names",
}  # fmt: skip
"""What the adapter's abilities need, and what is missed without it."""


def react(api: Api, message: MessageRef, emoji: str, remove: bool) -> Flow[None]:
    """Set or take back the bot's reaction."""
    ts, channel = split_id(message.external_id)
    body = {"channel": channel, "timestamp": ts, "name": names.to_slack(emoji)}
    method, done = ("remove", "no_reaction") if remove else ("add", "already_reacted")
    yield from ask(api.json(f"reactions.{method}", body), repeatable=True, done=(done,))


def edit(api: Api, message: MessageRef, outgoing: Outgoing) -> Flow[None]:
    """Replace text and blocks; an empty list takes the old blocks away.

    Slack docs, chat.update: there is no `mrkdwn`, so only a block shows a text as it stands.
    """
    ts, channel = split_id(message.external_id)
    shown = blocks(outgoing, marks=True)
    body = {"channel": channel, "ts": ts, "text": outgoing.text, "blocks": shown}
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


_PLACES = frozenset({"channels:read", "groups:read", "im:read", "mpim:read"})
_PATIENCE = 10.0
_QUICK = 2.0
"""Seconds: Slack waits for three until a delivery counts as failed."""


def profile(api: Api, of: Recipient) -> Flow[Profile]:
    """What Slack shows of a user (`U…`), of who is behind `D…`, of a bot (`B…`), of a channel."""
    known = of.address
    if known.startswith("#"):
        raise Rejected("Slack tells of a channel by its id only, not by its name")
    if known.startswith("B"):
        bot = obj((yield from _info(api, "bots.info", {"bot": known})), "bot")
        return Profile(text(bot, "name"), text(bot, "icons", "image_72"))
    if not known.startswith(("U", "W")):
        place = yield from _info(api, "conversations.info", {"channel": known})
        channel = obj(place, "channel")
        person = name(channel, "user")
        if person is None:
            return Profile(text(channel, "name"))
        known = person
    user = obj((yield from _info(api, "users.info", {"user": known})), "user")
    return Profile(shown(user), text(user, "profile", "image_192"))


def _info(api: Api, method: str, params: Mapping[str, str]) -> Flow[Object]:
    """The answer of a method that reads. A scope that is missing for all of them is Unauthorised."""
    call = evolve(api.query(method, params), timeout=_PATIENCE)
    reply = yield from reach(call, repeatable=True)
    try:
        return outcome(reply, repeatable=True)
    except Rejected as error:
        if error.code == "missing_scope" and not _some(method, reply):
            raise Unauthorised(error.reason, code=error.code) from error
        raise


def _some(method: str, reply: Reply) -> bool:
    """Whether it is allowed for other places than this one, as the scopes that Slack tells say."""
    granted = {one.strip() for one in (text(reply.json(), "provided") or "").split(",")}
    return method == "conversations.info" and bool(granted & _PLACES)


def identify(api: Api) -> Flow[str | None]:
    """The workspace of the token, or the organisation in which the app is installed as a whole."""
    call = evolve(api.json("auth.test", {}), timeout=_QUICK)
    told = yield from ask(call, repeatable=True)
    whole = told.get("is_enterprise_install") is True
    return (name(told, "enterprise_id") if whole else None) or name(told, "team_id")


def check(api: Api) -> Flow[Health]:
    """Whether the token works, whose it is, and what it may not do. Raises a SendError."""
    reply = yield from reach(api.json("auth.test", {}), repeatable=True)
    try:
        told = outcome(reply, repeatable=True)
    except Unauthorised as error:
        return Health(ok=False, remarks=(error.reason,))
    found = (
        *_strangers(api, told), *_elsewhere(api, told),
        *_missing(reply.headers.get("x-oauth-scopes")),
        Finding("info", "Slack does not tell a bot whether events are delivered", _LOOK),
    )  # fmt: skip
    return Health(True, name(told, "user_id"), text(told, "user"), found)


_LOOK = "the app's settings do: Event Subscriptions, Interactivity & Shortcuts"


def _strangers(api: Api, told: Object) -> list[Finding]:
    """Ids given to `connect` that are not the token's own."""
    given = {
        "bot_user_id": name(told, "user_id"),
        "bot_id": name(told, "bot_id"),
        "app_id": name(told, "app_id"),
    }
    return [
        Finding(
            "error", f"{config} is {api.settings.get(config)}, but the token belongs to {real}",
            f"connect with {config}={real!r}, or with the other token",
        )
        for config, real in given.items()
        if real and api.settings.get(config) not in (None, real)
    ]  # fmt: skip


def _elsewhere(api: Api, told: Object) -> list[Finding]:
    """A token of another workspace than that whose events come here."""
    known = api.settings.get("team_id") or api.settings.account
    ours = [one for one in (name(told, "team_id"), name(told, "enterprise_id")) if one]
    if not known or not ours or known in ours:
        return []
    what = f"the connection is that of workspace {known}, but the token belongs to {ours[0]}"
    return [Finding("warning", what, "the next delivery says which one it is")]


def _missing(scopes: str | None) -> list[Finding]:
    """Slack docs: the header `x-oauth-scopes` lists what the token may do."""
    if scopes is None:
        return [Finding("info", "Slack did not say which scopes the token has")]
    granted = {scope.strip() for scope in scopes.split(",")}
    return [
        Finding(
            "error" if one == "chat:write" else "warning", f"no scope {one}: {price}",
            "add it under OAuth & Permissions, and install the app again",
        )
        for one, price in _SCOPES.items()
        if one not in granted
    ]  # fmt: skip
