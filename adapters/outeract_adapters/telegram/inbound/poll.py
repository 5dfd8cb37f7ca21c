"""Long polling: what a host without a public URL would miss.

Knows: `getUpdates`, its offset, and that asking confirms what came before.
Does not know: when it is called; core stores the facts with the new offset before it asks again.
"""

from __future__ import annotations

from typing import Any

from outeract_core.adapter import Flow, Polled
from outeract_core.errors import Transient
from outeract_core.events import Fact, Unparsed

from ..api import Api
from ..errors import ask
from ..fields import Object, number
from .parse import UPDATES, update_facts
from .people import Us

__all__ = ["poll"]

_LONGEST = 50
_LIMIT = 100
_SPARE = 15.0
"""Seconds that the request may take beyond the wait, or it would break off what is only quiet."""


def poll(api: Api, us: Us, cursor: Any, wait: float) -> Flow[Polled]:
    """What has come since `cursor`, the number of the next update. Raises a SendError.

    After a week without updates Telegram numbers them anew, so the last one of the list counts,
    not the largest. A poll may be repeated: only a higher offset forgets.
    """
    seconds = int(min(max(wait, 0), _LONGEST))
    body: Object = {"timeout": seconds, "limit": _LIMIT, "allowed_updates": list(UPDATES)}
    if type(cursor) is int and cursor > 0:
        body["offset"] = cursor
    call = api.call("getUpdates", body, timeout=seconds + _SPARE)
    updates = yield from ask(api, call, repeatable=True, scope="connection")
    if not isinstance(updates, list):
        raise Transient("Telegram answered getUpdates without a list")
    skipped = _skipped(cursor, updates)
    found: list[Fact | Unparsed] = []
    for update in updates:
        found += update_facts(update, us)
        known = number(update, "update_id")
        cursor = cursor if known is None else known + 1
    return Polled(found, cursor, skipped)


def _skipped(cursor: Any, updates: list[Any]) -> int | None:
    """Bot API, getUpdates: updates are numbered without gaps, and kept for 24 hours."""
    first = number(updates[0], "update_id") if updates else None
    if first is None or type(cursor) is not int or cursor <= 0:
        return None
    return first - cursor
