"""Interactions and slash commands as facts: one `message.action` for each thing that was done.

Knows: `block_actions`, view submissions, shortcuts, legacy attachments and dialogs, commands.
Does not know: signatures, forms, what a host does with an action.

An action's payload, in the words that all adapters share: `type` (`button`, `list`, `form`,
`form_closed`, `command`, `shortcut`, or Slack's own word), `id` (the button's or row's own id),
`title`, `external_message_id` (the action's own id) and `target_message_id` (the message that
carried the button). Slack adds `value` and `action_id`. `response_url` and `trigger_id` work for
minutes or seconds and act in Slack's name: core has struck them out before, for the handler alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import evolve

from outeract_core.errors import ParseError
from outeract_core.events import Fact, Party, Unparsed

from .fields import Object, external_id, many, name, need_id, obj, text, time_of
from .messages import Delivery, notice
from .people import Place, person

__all__ = ["on_command", "on_interaction"]

_TYPES = {
    "button": "button", "workflow_button": "button", "static_select": "list",
    "external_select": "list", "overflow": "list", "radio_buttons": "list", "select": "list",
    "multi_static_select": "list", "multi_external_select": "list", "checkboxes": "list",
    "view_submission": "form", "dialog_submission": "form", "view_closed": "form_closed",
    "dialog_cancellation": "form_closed", "message_action": "shortcut",
}  # fmt: skip
_CHOSEN = (
    "value", "selected_date", "selected_time", "selected_date_time", "selected_user",
    "selected_conversation", "selected_channel", "selected_users", "selected_conversations",
    "selected_channels",
)  # fmt: skip
_WHICH = frozenset({"id", "ts", "thread_ts", "type", "user", "bot_id", "app_id", "callback_id"})
"""Members of a message or a view that say which one it is."""
_LARGE = frozenset({"message", "view", "state", "original_message", "actions"})
_UNTITLED = ("directmessage", "privategroup")


def on_interaction(body: Object, delivery: Delivery) -> Iterable[Fact | Unparsed]:
    """The facts of an interaction payload; what has no meaning here is a notice."""
    match body.get("type"):
        case "block_actions" | "interactive_message":
            return _actions(body, delivery)
        case "view_submission" | "view_closed":
            return [_view(body, delivery)]
        case "shortcut" | "message_action":
            return [_called(body, delivery)]
        case "dialog_submission" | "dialog_cancellation":
            return [_called(body, delivery, values=body.get("submission"))]
        case str():
            return [notice(body, delivery)]
    raise ParseError("an interaction without a type")


def on_command(form: dict[str, str], delivery: Delivery) -> Fact:
    """The fact of a slash command. Raises ParseError."""
    user, channel = need_id(form, "user_id"), name(form, "channel_id")
    who = Party(user)
    place = None if channel is None else _place(channel, form.get("channel_name"))
    command = form["command"]
    payload = {"id": command, "command": command, "text": form.get("text", "")}
    return _fact(delivery, delivery.key, "command", payload, who, place, None)


def _actions(body: Object, delivery: Delivery) -> Iterator[Fact | Unparsed]:
    actions = many(body, "actions")
    if not actions:
        raise ParseError("block_actions without actions")
    for action, kept in zip(actions, _kept(delivery.raw, actions), strict=True):
        try:
            yield _action(body, action, evolve(delivery, raw=kept))
        except ParseError as error:
            yield Unparsed(kept, str(error))


def _kept(body: Object, actions: list[Object]) -> Iterator[Object]:
    """What to keep of the body for each action: itself, and what it needs to be read again.

    The first keeps all that stands around them, the others only who and where: a view has its whole
    state in every request, so to keep it with each of many actions would multiply it.
    """
    message = {name: one for name, one in obj(body, "message").items() if name in _WHICH}
    view = {name: one for name, one in obj(body, "view").items() if name in _WHICH}
    around = {name: one for name, one in body.items() if name not in _LARGE}
    around |= {name: one for name, one in (("message", message), ("view", view)) if one}
    for place, action in enumerate(actions):
        yield {**(around if place else body), "actions": [action]}


def _action(body: Object, action: Object, delivery: Delivery) -> Fact:
    where, ts = _message(body)
    target = external_id(ts, where) if where and ts else None
    at = text(action, "action_ts") or text(body, "action_ts")
    action_id = text(action, "action_id") or text(action, "name") or ""
    who = person(body.get("user"))
    if who is None:
        raise ParseError("an action without a user")
    value, title = _chosen(action)
    payload = {
        "id": value if isinstance(value, str) and value else action_id,
        "title": title,
        "value": value,
        "action_id": action_id,
    }
    # One request has one `action_ts`; the rest tells its actions apart.
    key = f"{at or delivery.key}:{action_id}:{who.external_id}:{target or _view_id(body)}"
    return _fact(
        delivery, key, text(action, "type") or "action", payload, who, _where(body), target,
        at=at, thread=_thread(body, where),
    )  # fmt: skip


def _chosen(action: Object) -> tuple[Any, str | None]:
    """`(value, title)` of whichever element it was; a list where several may be chosen."""
    options = many(action, "selected_options")
    if "selected_options" in action:
        values = [text(option, "value") for option in options]
        shown = [found for option in options if (found := text(option, "text", "text"))]
        return (values[0] if len(values) == 1 else values), ", ".join(shown) or None
    option = obj(action, "selected_option")
    if option:
        return text(option, "value"), text(option, "text", "text")
    value = next((action[member] for member in _CHOSEN if member in action), None)
    return value, text(action, "text", "text") or text(action, "text")


def _view(body: Object, delivery: Delivery) -> Fact:
    view, user = obj(body, "view"), person(body.get("user"))
    if user is None:
        raise ParseError("a view without a user")
    payload = {
        "id": text(view, "callback_id") or text(view, "id") or "",
        "values": obj(view, "state").get("values"),
        "private_metadata": text(view, "private_metadata"),
    }
    return _fact(delivery, delivery.key, str(body["type"]), payload, user, None, None)


def _called(body: Object, delivery: Delivery, values: Any = None) -> Fact:
    what, user = str(body["type"]), person(body.get("user"))
    if user is None:
        raise ParseError(f"a {what} without a user")
    where, ts = _message(body)
    target = external_id(ts, where) if where and ts else None
    payload = {"id": text(body, "callback_id") or "", "values": values}
    return _fact(
        delivery, delivery.key, what, payload, user, _where(body), target,
        at=text(body, "action_ts"), thread=_thread(body, where),
    )  # fmt: skip


def _fact(
    delivery: Delivery, key: str, type: str, payload: dict[str, Any], who: Party,
    place: Place | None, target: str | None, at: str | None = None, thread: str | None = None,
) -> Fact:  # fmt: skip
    """A direct conversation names nobody here: commands and shortcuts work in those of others too,
    and so do buttons below what a `response_url` has posted there.
    """
    sender, chat = (who, None if place is None or place.direct else place.party)
    told = {
        "platform": "slack", "type": _TYPES.get(type, type), **payload,
        "external_message_id": key, "target_message_id": target,
    }  # fmt: skip
    return Fact(
        kind="message.action",
        key=key,
        payload={name: value for name, value in told.items() if value is not None},
        raw=delivery.raw,
        occurred_at=time_of(at) or delivery.at,
        sender=sender,
        chat=chat,
        thread=thread,
        target=target,
    )


# ── where ─────────────────────────────────────────────────────────────────────────────────────


def _message(body: Object) -> tuple[str | None, str | None]:
    """`(channel, ts)` of the message acted on; none for a view and for what only one person saw."""
    container = obj(body, "container")
    if container.get("is_ephemeral") is True:
        return None, None
    channel = name(container, "channel_id") or name(body, "channel", "id")
    found = text(container, "message_ts") or text(body, "message", "ts") or text(body, "message_ts")
    return channel, found if time_of(found) else None


def _where(body: Object) -> Place | None:
    channel = name(body, "channel", "id") or name(body, "container", "channel_id")
    return None if channel is None else _place(channel, text(body, "channel", "name"))


def _place(channel: str, title: str | None) -> Place:
    return Place(channel, title=None if title in _UNTITLED else title or None)


def _thread(body: Object, channel: str | None) -> str | None:
    root = text(body, "container", "thread_ts") or text(body, "message", "thread_ts")
    own = text(body, "container", "message_ts") or text(body, "message", "ts")
    usable = channel is not None and root != own and time_of(root) is not None
    return external_id(str(root), str(channel)) if usable else None


def _view_id(body: Object) -> str:
    return name(body, "view", "id") or ""
