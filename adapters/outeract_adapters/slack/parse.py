"""A verified request as facts: which of the three kinds of body it is, and which event it holds.

Knows: JSON events, forms with a `payload`, plain forms; the envelope; reactions, connection events.
Does not know: signatures, HTTP answers.

A retry (`X-Slack-Retry-Num`) is parsed like any other request: it may be the first that arrived.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from outeract_core.adapter import Inbound, Settings
from outeract_core.errors import ParseError
from outeract_core.events import Fact, Unparsed

from . import emoji
from .fields import Object, external_id, name, need_id, need_ts, obj, text, time_of
from .interactions import on_command, on_interaction
from .messages import Delivery, notice, on_message
from .people import Place, Us, installation, of_installation, parties, person

__all__ = ["again", "decode", "facts"]

_FIELDS = 1000


def facts(inbound: Inbound, settings: Settings) -> Iterable[Fact | Unparsed]:
    """Everything that a verified request says. Raises ParseError when it says nothing readable."""
    kind, body = decode(inbound.body)
    digest = hashlib.sha256(inbound.body).hexdigest()
    found = _READERS[kind](body, _delivery(body, digest, inbound.received_at, settings))
    return of_installation(found, installation(body))


def again(raw: Any, at: datetime, settings: Settings) -> Iterable[Fact | Unparsed]:
    """The same of an item that was kept as `raw`. Raises ParseError.

    An interaction and a command came in a form; what was kept of one is the JSON or the fields in it.
    """
    if not isinstance(raw, dict):
        raise ParseError("what was kept is no object")
    kind = "form" if "command" in raw and "type" not in raw else "event"
    if "event" not in raw and isinstance(raw.get("user"), dict):
        kind = "interaction"
    digest = hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()
    return _READERS[kind](raw, _delivery(raw, digest, at, settings))


def decode(raw: bytes) -> tuple[str, Object]:
    """`("event", JSON)`, `("interaction", the JSON in payload)` or `("form", its fields)`.

    Raises ParseError for what is neither, is nested too deeply, or is no UTF-8.
    """
    try:
        if raw.lstrip()[:1] in (b"{", b"["):
            return "event", _object(raw)
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS
        )
        fields = dict(pairs)
        if "payload" in fields:
            return "interaction", _object(fields["payload"])
        return "form", fields
    except (ValueError, RecursionError) as error:
        raise ParseError(f"neither JSON nor a form: {type(error).__name__}") from error


def _object(source: bytes | str) -> Object:
    value = json.loads(source, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ParseError("the JSON is not an object")
    return value


def _no_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _delivery(body: Object, digest: str, at: datetime, settings: Settings) -> Delivery:
    """The key is Slack's event id; where there is none, the digest of a body that never repeats."""
    seconds = body.get("event_time")
    if type(seconds) is int and 0 < seconds < 10**11:
        at = datetime.fromtimestamp(seconds, UTC)
    return Delivery(
        Us.of(settings, body),
        name(body, "event_id") or f"body:{digest[:32]}",
        at,
        body,
    )


def _form(form: Object, delivery: Delivery) -> Iterable[Fact | Unparsed]:
    if form.get("command"):
        return [on_command(form, delivery)]
    if form.get("ssl_check"):
        return []
    raise ParseError("a form with neither payload nor command")


# ── Events API ────────────────────────────────────────────────────────────────────────────────


def _envelope(body: Object, delivery: Delivery) -> Iterable[Fact | Unparsed]:
    kind, event = text(body, "type"), obj(body, "event")
    if kind == "url_verification":
        return []
    if kind == "event_callback":
        if text(event, "type") is None:
            raise ParseError("an event_callback without an event")
        return [_EVENTS.get(event["type"], notice)(event, delivery)]
    if kind is None:
        raise ParseError("JSON without a type")
    return [(_missed if kind == "app_rate_limited" else notice)(body, delivery)]


def _reaction(event: Object, delivery: Delivery) -> Fact:
    item = obj(event, "item")
    if item.get("type") != "message":
        return notice(event, delivery)
    channel, user, reaction = (
        need_id(item, "channel"),
        need_id(event, "user"),
        text(event, "reaction"),
    )
    if reaction is None:
        raise ParseError("a reaction without a name")
    target = external_id(need_ts(item, "ts"), channel)
    ours = user in delivery.us.users
    sender, chat = parties(person(user), Place(channel), ours)
    return Fact(
        kind=f"message.{event['type']}",
        key=delivery.key,
        payload={
            "platform": "slack",
            "external_message_id": target,
            "emoji": emoji.from_slack(reaction),
            "reaction": reaction,
        },
        raw=delivery.raw,
        occurred_at=time_of(text(event, "event_ts")) or delivery.at,
        sender=sender,
        chat=chat,
        target=target,
        echo=ours,
    )


def _changed(event: Object, delivery: Delivery) -> Fact:
    """Somebody in the workspace has changed how they are shown; it concerns us if we know them."""
    user = person(event.get("user"))
    if user is None:
        return notice(event, delivery)
    return Fact(
        kind="system.notice",
        key=delivery.key,
        payload={"platform": "slack", "notice": event["type"]},
        raw=delivery.raw,
        occurred_at=time_of(text(event, "event_ts")) or delivery.at,
        profiles=(user,),
    )


def _uninstalled(event: Object, delivery: Delivery) -> Fact:
    """The app is gone from the workspace, or its bot's token is: sending will be refused.

    `tokens_revoked` also tells of persons' tokens (`oauth`), which are none of ours.
    """
    tokens = obj(event, "tokens")
    if event["type"] == "tokens_revoked" and not tokens.get("bot"):
        return notice(event, delivery)
    return Fact(
        kind="system.connection_changed",
        key=delivery.key,
        payload={"platform": "slack", "status": "revoked", "reason": event["type"]},
        raw=delivery.raw,
        occurred_at=delivery.at,
    )


def _missed(body: Object, delivery: Delivery) -> Fact:
    """Slack has held back the events of a minute, and will not deliver them.

    Slack docs, "app_rate_limited": more than 30 000 events within an hour; `minute_rate_limited` is
    the minute's beginning, in seconds.
    """
    minute = body.get("minute_rate_limited")
    if type(minute) is not int or not 0 < minute < 10**11:
        return notice(body, delivery)
    begin = datetime.fromtimestamp(minute, UTC)
    return Fact(
        kind="system.gap",
        key=f"gap:{minute}",
        payload={
            "platform": "slack", "reason": "app_rate_limited", "certain": True,
            "from": begin.isoformat(), "to": (begin + timedelta(minutes=1)).isoformat(),
        },
        raw=delivery.raw,
        occurred_at=begin,
    )  # fmt: skip


_EVENTS: dict[str, Callable[[Object, Delivery], Fact]] = {
    "message": on_message,
    "app_mention": on_message,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "app_uninstalled": _uninstalled,
    "tokens_revoked": _uninstalled,
    "user_change": _changed,
    "user_profile_changed": _changed,
}
_READERS: dict[str, Callable[[Object, Delivery], Iterable[Fact | Unparsed]]] = {
    "event": _envelope,
    "interaction": on_interaction,
    "form": _form,
}
