"""Reads again what was kept of an event, by today's parser, and finds the event's own fact in it.

Knows: that an adapter may keep requests or items, that keys made of a whole delivery do not come again.
Does not know: the store, which events are worth it.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from .._domain.rules.guard import guarded
from .._domain.values import stored
from .._domain.values.codec import identifier
from .._store.writing import ingest
from ..adapter import Adapter, CanReread, Inbound
from ..events import Fact
from . import strangers

__all__ = ["content", "reread"]

_JSON = {"content-type": "application/json"}


def reread(adapter: Adapter, raw: str, at: datetime, key: Any) -> Fact | None:
    """The fact that an event with this dedupe key came of; None when it is not among what is read.

    Raises whatever the adapter raises about an item that it cannot read.
    """
    item = stored.value(raw, "event", str(key)) if isinstance(adapter, CanReread) else None
    with guarded:
        if isinstance(adapter, CanReread):
            found = adapter.reread(item, at)
        else:
            found = adapter.parse(Inbound("POST", _JSON, {}, raw.encode(), at))
        facts = [one for one in found if isinstance(one, Fact)]
    same = [one for one in facts if one.key is not None and _key(one) == str(key)]
    return next(iter(same or (facts if len(facts) == 1 else [])), None)


def _key(fact: Fact) -> str:
    return str(identifier(fact.key if fact.key is not None else ""))


def content(fact: Fact, kind: str, before: dict[str, Any]) -> dict[str, Any]:
    """The payload as it would be stored now; what names the event itself stays as it was.

    Raises ValueError or TypeError when it could not be stored.
    """
    strangers.check(fact)
    told: dict[str, Any] = json.loads(ingest.prepare(fact, None).payload)
    if "external_message_id" in before:
        told["external_message_id"] = before["external_message_id"]
    now = "message.outbound" if fact.echo and fact.kind == "message.inbound" else fact.kind
    return told if now == kind else {**told, "kind": now}
