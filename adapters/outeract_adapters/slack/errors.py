"""What Slack's answers mean: done, again later, never, or nobody knows.

Knows: error names of the Web API, `Retry-After`, the difference between repeatable and other calls.
Does not know: which method was called, or why.

Slack docs, "Web API": an error is HTTP 200 with `{"ok": false, "error": name}`; only too many
requests (429) and its own failures (5xx) show in the status.
"""

from __future__ import annotations

from collections.abc import Mapping

from outeract_core.adapter import Call, Flow, Reply
from outeract_core.errors import (
    Ambiguous,
    Failure,
    Rejected,
    SendError,
    Throttled,
    Transient,
    Unauthorised,
)

from .fields import Object, text

__all__ = ["ask", "outcome", "reach"]

_CREDENTIALS = frozenset({
    "not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired",
    "org_login_required", "team_access_not_granted", "app_not_installed", "access_denied",
})  # fmt: skip
_FAILURES: Mapping[str, Failure] = {
    **dict.fromkeys(("channel_not_found", "user_not_found", "users_not_found", "user_disabled",
                     "is_archived"), "unknown_recipient"),
    **dict.fromkeys(("not_in_channel", "restricted_action", "missing_scope", "no_permission",
                     "cannot_dm_bot", "messages_tab_disabled", "not_allowed_token_type"), "forbidden"),
    **dict.fromkeys(("msg_too_long", "msg_blocks_too_long", "request_too_large", "file_too_large"),
                    "too_large"),
    **dict.fromkeys(("message_not_found", "cant_update_message", "cant_delete_message",
                     "edit_window_closed", "thread_not_found", "file_not_found"), "gone"),
    "invalid_name": "unsupported",
}  # fmt: skip
"""What Slack's error names mean to a program; every other name is `rejected`."""
_TOO_FAST = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_UNKNOWN = frozenset({
    "internal_error", "fatal_error", "service_unavailable", "request_timeout", "upstream_error",
    "internal_server_error",
})  # fmt: skip
_NOT_DONE = frozenset({"team_added_to_org"})
"""Slack docs: the workspace is being moved; try again later."""


def ask(
    call: Call, *, repeatable: bool, scope: str = "connection", done: tuple[str, ...] = ()
) -> Flow[Object]:
    """Make a call; its answer. Raises a SendError.

    repeatable  whether a second attempt does no harm: then an unclear outcome is only Transient.
    scope       what waits after too many requests: `chat` or `connection`.
    done        names of errors that say "it already is so".
    """
    reply = yield from reach(call, repeatable=repeatable)
    return outcome(reply, repeatable=repeatable, scope=scope, done=done)


def reach(call: Call, *, repeatable: bool) -> Flow[Reply]:
    """The reply to a call; a connection that broke off hurts only what may not be repeated."""
    try:
        reply = yield call
    except Ambiguous as error:
        if repeatable:
            raise Transient(error.reason, code=error.code) from error
        raise
    return reply


def outcome(
    reply: Reply, *, repeatable: bool, scope: str = "connection", done: tuple[str, ...] = ()
) -> Object:
    """The answer's body when it was done (see `ask`). Raises a SendError that says what else."""
    body = reply.json()
    body = body if isinstance(body, dict) else {}
    error = text(body, "error")
    if body.get("ok") is True or (error is not None and error in done):
        return body
    if reply.status == 429 or error in _TOO_FAST:
        raise Throttled(_reason(body, reply), after=_after(reply), scope=scope, code=error)
    if error is not None:
        raise _named(error, _reason(body, reply), repeatable)
    raise _unnamed(reply, repeatable)


def _named(error: str, reason: str, repeatable: bool) -> SendError:
    if error in _CREDENTIALS:
        return Unauthorised(f"{reason}; give a valid bot_token", code=error)
    if error in _NOT_DONE:
        return Transient(reason, code=error)
    if error in _UNKNOWN:
        return _unclear(reason, error, repeatable)
    return Rejected(reason, code=error, failure=_FAILURES.get(error))


def _unnamed(reply: Reply, repeatable: bool) -> SendError:
    """An answer that did not come from the Web API itself: a proxy, an error page."""
    reason = f"Slack answered {reply.status} without a result"
    if reply.status == 401:
        return Unauthorised(reason, code=reply.status)
    if 400 <= reply.status < 500 and reply.status != 408:
        return Rejected(reason, code=reply.status)
    return _unclear(reason, str(reply.status), repeatable)


def _unclear(reason: str, code: str, repeatable: bool) -> SendError:
    return Transient(reason, code=code) if repeatable else Ambiguous(reason, code=code)


def _reason(body: Object, reply: Reply) -> str:
    """Slack's words: the error, the missing scope, the remarks."""
    parts = [text(body, "error") or f"status {reply.status}"]
    needed = text(body, "needed")
    if needed is not None:
        parts.append(f"needs scope {needed}")
    metadata = body.get("response_metadata")
    remarks = metadata.get("messages") if isinstance(metadata, dict) else None
    parts += [one for one in remarks if isinstance(one, str)] if isinstance(remarks, list) else []
    return "Slack: " + "; ".join(parts)


def _after(reply: Reply) -> float | None:
    """Seconds from `Retry-After`, or None when there are none."""
    value = reply.headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else None
