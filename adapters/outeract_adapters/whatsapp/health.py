"""The health check: whether the token works for the number, what it may do, and where webhooks go.

Knows: the number's node, `debug_token`, the subscriptions of its business accounts.
Does not know: when it is asked, who is told.

Meta, "Permissions", "Webhook overrides", "Subscribed apps". Only the first answer decides; that one of
the others is refused is told, and is no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from outeract_core.adapter import Call, Finding, Flow, Health
from outeract_core.errors import Rejected, Unauthorised

from ..members import host_of
from ..meta import Object, many, obj, text
from ..meta_graph import Graph

__all__ = ["check"]

_FIELDS = "display_phone_number,verified_name,quality_rating,code_verification_status,platform_type"
_MESSAGING, _MANAGEMENT = "whatsapp_business_messaging", "whatsapp_business_management"
_TOKEN = "make one with it: Business settings > System users"  # noqa: S105 - where to get one
_ACCOUNTS = 10
"""Business accounts of one token that are looked at."""


def check(graph: Graph, number: str) -> Flow[Health]:
    """Whether the token works for this number, and whether its webhooks come. Raises a SendError."""
    call = graph.get(number, {"fields": _FIELDS})
    try:
        told = yield from graph.ask(call, repeatable=True)
    except Unauthorised as error:
        return Health(ok=False, account=number, remarks=(error.reason,))
    found = [*_of_number(told)]
    found += yield from _callback(graph, number)
    token = yield from _aside(graph, _debug(graph), "the token's scopes", found)
    data = obj(token, "data")
    found += [*_of_token(data)]
    if _MANAGEMENT in _scopes(data):
        found += yield from _subscribed(graph, data)
    return Health(True, text(told, "id") or number, _name(told), tuple(found))


def _aside(graph: Graph, call: Call, what: str, found: list[Finding]) -> Flow[Object]:
    """An answer that may be refused: then that is told, and it is empty."""
    try:
        told = yield from graph.ask(call, repeatable=True)
    except (Rejected, Unauthorised) as error:
        found.append(Finding("info", f"{what} could not be asked: {error.reason}"))
        return {}
    return told


# ── the number ────────────────────────────────────────────────────────────────────────────────


def _name(told: Object) -> str | None:
    parts = (text(told, "verified_name"), text(told, "display_phone_number"))
    return " ".join(part for part in parts if part) or None


def _of_number(told: Object) -> Iterator[Finding]:
    quality, verified = text(told, "quality_rating"), text(told, "code_verification_status")
    if quality in ("RED", "YELLOW"):
        what = f"the number's quality rating is {quality}: people block or report it"
        yield Finding(
            "warning", what, "Meta lowers its limit next; send less, and what was asked for"
        )
    if verified == "EXPIRED":
        what = "the number's verification has expired"
        yield Finding("warning", what, "verify it again in the WhatsApp manager")


def _callback(graph: Graph, number: str) -> Flow[list[Finding]]:
    """Meta: the URL of the number goes before that of its account, and that before the app's."""
    found: list[Finding] = []
    call = graph.get(number, {"fields": "webhook_configuration"})
    told = obj(
        (yield from _aside(graph, call, "the webhook's URL", found)), "webhook_configuration"
    )
    urls = [text(told, key) for key in ("phone_number", "whatsapp_business_account", "application")]
    url = next((one for one in urls if one), None)
    if url is not None:
        found.append(Finding("info", f"webhooks go to {host_of(url)}"))
    elif not found:
        remedy = (
            "register a connection's webhook_path in the app's dashboard (WhatsApp > Configuration)"
        )
        found.append(Finding("error", "no webhook URL is set: nothing ever comes", remedy))
    return found


# ── the token ─────────────────────────────────────────────────────────────────────────────────


def _debug(graph: Graph) -> Call:
    return graph.get("debug_token", {"input_token": graph.settings.secret(graph.key)})


def _scopes(data: Object) -> list[Any]:
    scopes = data.get("scopes")
    return scopes if isinstance(scopes, list) else []


def _of_token(data: Object) -> Iterator[Finding]:
    if not data:
        return
    if data.get("is_valid") is False:
        yield Finding("error", "Meta calls the access token invalid", "give a new access_token")
    if _MESSAGING not in _scopes(data):
        yield Finding("error", f"the token lacks {_MESSAGING}: nothing can be sent", _TOKEN)
    if _MANAGEMENT not in _scopes(data):
        what = f"the token lacks {_MANAGEMENT}: whether webhooks are subscribed cannot be asked"
        yield Finding("info", what, _TOKEN)
    ends = data.get("expires_at")
    if type(ends) is int and 0 < ends < 10**11:
        what = f"the access token expires at {datetime.fromtimestamp(ends, UTC):%Y-%m-%d %H:%M} UTC"
        yield Finding("warning", what, "that of a system user does not expire")


# ── subscriptions ─────────────────────────────────────────────────────────────────────────────


def _subscribed(graph: Graph, data: Object) -> Flow[list[Finding]]:
    """Meta delivers only what the app has subscribed to on the number's business account."""
    found: list[Finding] = []
    accounts, without = _granted(data), []
    for account in accounts:
        call = graph.get(account, {}, "subscribed_apps")
        told = yield from _aside(graph, call, f"the subscriptions of account {account}", found)
        if told and str(data.get("app_id")) not in _apps(told):
            without.append(account)
    if not accounts:
        return [Finding("info", "Meta did not say which business accounts the token is for")]
    if without:
        everywhere = len(without) == len(accounts)
        what = f"the app is not subscribed to webhooks of account {', '.join(without)}"
        remedy = "POST /ACCOUNT/subscribed_apps with this token, once"
        found.append(Finding("error" if everywhere else "warning", what, remedy))
    return found


def _granted(data: Object) -> list[str]:
    """Meta, debug_token: the accounts that have granted the permission, the newest first."""
    granted = [one for one in many(data, "granular_scopes") if one.get("scope") == _MANAGEMENT]
    ids = granted[0].get("target_ids") if granted else None
    return [str(one) for one in ids][:_ACCOUNTS] if isinstance(ids, list) else []


def _apps(told: Object) -> list[str]:
    return [str(obj(one, "whatsapp_business_api_data").get("id")) for one in many(told, "data")]
