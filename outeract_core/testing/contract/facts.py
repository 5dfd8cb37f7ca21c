"""Contract: what a single fact must be, whatever platform it came from.

Knows: kinds, keys, payloads, JSON, times. Does not know: platforms, how a fact is made.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from ..._domain.rules import shapes
from ...events import EVENT_TYPES, Fact
from .subject import expect

__all__ = ["KEYED", "check_action", "check_fact", "check_message"]

KEYED = frozenset({
    "message.inbound", "message.outbound", "message.edited", "message.deleted", "message.action",
    "message.reaction_added", "message.reaction_removed",
})  # fmt: skip
"""What happened once and may be told twice."""


def check_fact(fact: Fact, what: str) -> None:
    """A known kind, a usable key, JSON of the shape that readers expect, times in UTC, parties with an id.

    Raises AssertionError.
    """
    expect(fact.kind in EVENT_TYPES, f"{what}: {fact.kind!r} is no built-in event type")
    expect(fact.key is None or isinstance(fact.key, str | int), f"{what}: key {fact.key!r}")
    expect(fact.key != "", f"{what}: an empty key")
    _check_json(fact.payload, f"{what}: payload")
    wrong = shapes.fault(fact.kind, fact.payload)
    expect(wrong is None, f"{what}: {wrong}")
    raw = fact.raw
    _check_json(json.loads(raw) if isinstance(raw, bytes) else raw, f"{what}: raw")
    for ref in fact.files:
        _check_json(ref.handle, f"{what}: a file's handle")
    for at in (fact.occurred_at, fact.watermark):
        utc = at is None or at.utcoffset() == timedelta(0)
        expect(utc, f"{what}: the time {at!r} is not in UTC")
    for party in (fact.sender, fact.chat, *fact.profiles):
        known = party is None or party.external_id or party.aliases
        expect(known, f"{what}: a party without any id: {party!r}")


def _check_json(value: Any, what: str) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError) as error:
        raise AssertionError(f"{what} is not JSON: {error}") from None


def check_message(fact: Fact, platform: str, what: str) -> None:
    """A message's payload; its key is its external id. Raises AssertionError."""
    payload = fact.payload
    body = payload.get("message")
    expect(isinstance(body, dict), f"{what}: payload['message'] is {body!r}")
    assert isinstance(body, dict)  # noqa: S101 - for the type checker
    expect(isinstance(body.get("text"), str), f"{what}: message.text is {body.get('text')!r}")
    expect(payload.get("type") == body.get("type") != "", f"{what}: type and message.type differ")
    expect(body.get("role") in ("user", "assistant"), f"{what}: role {body.get('role')!r}")
    expect(payload.get("platform") == platform, f"{what}: platform {payload.get('platform')!r}")
    expect("external_message_id" in payload, f"{what}: no external_message_id")
    named = payload["external_message_id"]
    expect(
        fact.key is None or str(fact.key) == named,
        f"{what}: the key {fact.key!r} of a message is its external id, not {named!r}",
    )


def check_action(fact: Fact, platform: str, what: str) -> None:
    """An action's payload: the same members on every platform. Raises AssertionError."""
    payload, key = fact.payload, None if fact.key is None else str(fact.key)
    expect(payload.get("platform") == platform, f"{what}: platform {payload.get('platform')!r}")
    for member in ("type", "id"):
        told = payload.get(member)
        expect(isinstance(told, str) and told, f"{what}: an action's {member} is {told!r}")
    named, upon = payload.get("external_message_id"), payload.get("target_message_id")
    expect(named == key, f"{what}: an action is named by its key {key!r}, not {named!r}")
    expect(upon == fact.target, f"{what}: target_message_id {upon!r}, target {fact.target!r}")
