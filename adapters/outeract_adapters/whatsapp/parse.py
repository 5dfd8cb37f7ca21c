"""A verified webhook as facts: entries, changes, and the lists inside a change.

Knows: the envelope, which list holds what, that anything else is kept as a notice.
Does not know: signatures, what a message or a status means.

One body may hold the items of several of our numbers: `Fact.account` tells whose each one is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from outeract_core.adapter import Inbound
from outeract_core.errors import ParseError
from outeract_core.events import Fact, Party, Unparsed

from ..meta import Object, each, entries, text
from .identity import on_user_id_update
from .messages import on_echo, on_message
from .people import group, person
from .scope import Scope, fault
from .statuses import on_status

__all__ = ["again", "facts"]

Found: TypeAlias = Iterable[Fact | Unparsed]

_AROUND = frozenset({"messaging_product", "metadata", "contacts"})


def facts(inbound: Inbound) -> list[Fact | Unparsed]:
    """Everything that a verified request says. Raises ParseError when it says nothing readable."""
    found = list(each(entries(inbound, "whatsapp_business_account"), partial(_entry, inbound)))
    if not found:
        raise ParseError("a body in which nothing has happened")
    return found


def again(raw: Any, at: datetime) -> list[Fact | Unparsed]:
    """The same of a change cut down to one item, as it was kept. Raises ParseError."""
    return list(_change(Scope.of(Inbound("POST", {}, {}, b"", at), {}, raw)))


def _entry(inbound: Inbound, entry: Any) -> Found:
    if not isinstance(entry, dict) or "changes" not in entry:
        raise ParseError("an entry without changes")
    return each(entry["changes"], lambda change: _change(Scope.of(inbound, entry, change)))


def _change(scope: Scope) -> Iterator[Fact | Unparsed]:
    """The items of the lists that are known, then all the rest of the change as one notice."""
    value = scope.value
    if scope.name == "user_id_update" and isinstance(value.get("user_id"), dict):
        yield from on_user_id_update(scope, value)
        return
    known = [name for name in _LISTS if name in value]
    for name in known:
        for found in each(value[name], partial(_LISTS[name], scope)):
            yield _owned(scope, name, found) if isinstance(found, Unparsed) else found
    rest = {name: value[name] for name in value if name not in known and name not in _AROUND}
    if rest or not known:
        yield _rest(scope, rest)


def _owned(scope: Scope, name: str, found: Unparsed) -> Unparsed:
    """Whose it is, and the change cut down to it alone."""
    return Unparsed(scope.raw(name, found.raw), found.error, scope.account)


def _rest(scope: Scope, rest: Object) -> Fact:
    """A change (or what is left of one) that has no reader: templates, the account, history."""
    around = {name: found for name, found in scope.value.items() if name in _AROUND}
    raw = {"field": scope.name, "value": {**around, **rest}}
    event = text(rest, "event")
    return scope.notice(event or scope.name, raw, rest)


# ── lists whose items are only told, not understood ───────────────────────────────────────────


def _call(scope: Scope, item: Any) -> Found:
    """A call: none of ours to take, but the host may want to know who called."""
    if not isinstance(item, dict):
        raise ParseError("a call that is no object")
    out = item.get("direction") == "BUSINESS_INITIATED"
    user = item.get("to_user_id" if out else "from_user_id")
    caller = person(item.get("to" if out else "from"), user, None, {})
    more: Object = {"event": text(item, "event"), "call_id": text(item, "id")}
    yield scope.notice("call", scope.raw("calls", item), item, sender=caller, **more)


def _group(scope: Scope, item: Any) -> Found:
    """A group was made, changed, joined or left."""
    if not isinstance(item, dict):
        raise ParseError("a group that is no object")
    where = group(item.get("group_id"), text(item, "subject"))
    what = text(item, "type") or scope.name
    yield scope.notice(what, scope.raw("groups", item), item, chat=where)


def _preference(scope: Scope, item: Any) -> Found:
    """Somebody no longer wants marketing messages, or does again."""
    if not isinstance(item, dict):
        raise ParseError("a preference that is no object")
    who: Party | None = person(item.get("wa_id"), item.get("user_id"), None, {})
    more: Object = {"category": text(item, "category"), "value": text(item, "value")}
    raw = scope.raw("user_preferences", item)
    yield scope.notice("user_preference", raw, item, sender=who, **more)


def _error(scope: Scope, item: Any) -> Found:
    """Something is wrong with our own number or account, not with one message."""
    code, reason = fault([item])
    yield scope.notice("error", scope.raw("errors", item), item, code=code, reason=reason)


_LISTS: dict[str, Callable[[Scope, Any], Found]] = {
    "messages": on_message,
    "message_echoes": on_echo,
    "statuses": on_status,
    "user_id_update": on_user_id_update,
    "calls": _call,
    "groups": _group,
    "user_preferences": _preference,
    "errors": _error,
}
