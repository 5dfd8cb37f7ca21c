"""The health check: whose the token is, how updates come, and what will not come.

Knows: `getMe`, `getWebhookInfo`, what each of their answers means for this connection.
Does not know: when it is asked, who is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from outeract_core.adapter import Finding, Flow, Health
from outeract_core.errors import MissingSecret, Unauthorised

from ..members import host_of, path_of
from .api import Api
from .errors import ask
from .fields import Object, number, text

__all__ = ["check"]

_WANTED = ("message_reaction", "callback_query", "my_chat_member")
_AGAIN = "call setWebhook again with allowed_updates"


def check(api: Api) -> Flow[Health]:
    """Whether the token works, whose it is, and how updates come. Raises a SendError."""
    try:
        me = yield from ask(api, api.call("getMe", {}), repeatable=True, scope="connection")
    except Unauthorised as error:
        return Health(ok=False, remarks=(error.reason,))
    call = api.call("getWebhookInfo", {})
    told = yield from ask(api, call, repeatable=True, scope="connection")
    hook: Object = told if isinstance(told, dict) else {}
    known, name = number(me, "id"), text(me, "username")
    found = (*_strangers(api, known, name), *_coming(api, hook), *_privacy(me))
    return Health(True, None if known is None else str(known), f"@{name}" if name else None, found)


def _strangers(api: Api, known: int | None, name: str | None) -> Iterator[Finding]:
    """What was given to `connect` and is not the token's own."""
    real = {"bot_id": None if known is None else str(known), "username": name}
    for config, value in real.items():
        given = str(api.settings.get(config) or "").lstrip("@")
        if given and value and given.lower() != value.lower():
            what = f"{config} is {given}, but the token belongs to {value}"
            yield Finding(
                "error", what, f"connect with {config}={value!r}, or with the other token"
            )


def _privacy(me: Any) -> Iterator[Finding]:
    if isinstance(me, dict) and me.get("can_read_all_group_messages") is False:
        yield Finding(
            "info",
            "in groups the bot sees only commands, replies and what it needs (privacy mode)",
            "@BotFather switches it off",
        )


def _coming(api: Api, hook: Object) -> Iterator[Finding]:
    """How updates come. Only the host of a webhook is told: its path holds a secret."""
    url, polls = text(hook, "url"), bool(api.settings.get("poll"))
    if url is None:
        yield _polled(polls)
    elif polls:
        what = f"a webhook is set ({host_of(url)}), so every poll is refused"
        yield Finding("error", what, "call deleteWebhook, or connect without poll")
    else:
        yield from _delivered(api, hook, url)


def _polled(polls: bool) -> Finding:
    if polls:
        return Finding("info", "no webhook is set: updates come by polling")
    return Finding(
        "error", "no webhook is set and the connection does not poll: no update ever comes",
        "call setWebhook with the connection's webhook_path, or connect with poll=True",
    )  # fmt: skip


def _delivered(api: Api, hook: Object, url: str) -> Iterator[Finding]:
    yield Finding("info", f"updates go to {host_of(url)}")
    path = api.settings.webhook_path
    if path is not None and not path_of(url).endswith(path):
        what = "the webhook's path is not that of this connection"
        remedy = "call setWebhook with its webhook_path, unless a route of your own hands over"
        yield Finding("warning", what, remedy)
    if not _has_secret(api):
        what = "no webhook_secret_token is given: every update is refused"
        yield Finding("error", what, "give it to connect, and to setWebhook as secret_token")
    yield from _late(hook)
    allowed = hook.get("allowed_updates")
    listed = allowed if isinstance(allowed, list) else None
    missing = [one for one in _WANTED if listed is not None and one not in listed]
    missing = ["message_reaction"] if listed is None else missing
    if missing:
        yield Finding("warning", f"allowed_updates leaves out {', '.join(missing)}", _AGAIN)


def _late(hook: Object) -> Iterator[Finding]:
    """Bot API, WebhookInfo: the last error stays there after it is over, so its time is told."""
    error, at = text(hook, "last_error_message"), number(hook, "last_error_date")
    waiting = number(hook, "pending_update_count")
    if error is not None:
        known = at is not None and 0 < at < 10**11
        when = f" at {datetime.fromtimestamp(at or 0, UTC):%Y-%m-%d %H:%M:%S} UTC" if known else ""
        refused = "401" in error or "404" in error
        remedy = "set the webhook again, with the path and secret_token of this connection"
        what = f"the last delivery that failed{when}: {error}"
        yield Finding("warning", what, remedy if refused else None)
    if waiting:
        what = f"{waiting} updates wait to be delivered"
        yield Finding("info" if error is None else "warning", what)


def _has_secret(api: Api) -> bool:
    try:
        return bool(api.settings.secret("webhook_secret_token"))
    except MissingSecret:
        return False
