"""The fakes are no kinder than their platforms: every row of what these document is walked, at its limit and beyond it.

Knows: a request of each kind that is taken. Does not know: the rows; one that no request here has a place for fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from outeract_adapters.slack import Slack
from outeract_adapters.telegram import Telegram
from outeract_adapters.whatsapp import WhatsApp
from outeract_core.adapter import Manifest
from outeract_core.testing import FakePlatform
from outeract_core.testing.fakes.limits import rules
from outeract_core.testing.fakes.limits import slack as slack_limits
from outeract_core.testing.fakes.limits import telegram as telegram_limits
from outeract_core.testing.fakes.limits import whatsapp as whatsapp_limits
from outeract_core.testing.fakes.limits.rules import ABSENT, Limit, found
from outeract_core.testing.fakes.record import Request

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
NUMBER, ANN = "106540352242922", "491700000001"
Ask = Callable[[FakePlatform, Any], Any]


def ask(fake: FakePlatform, path: str, body: Any, form: bool = False) -> tuple[int, Any]:
    """Status and JSON of what the fake answers."""
    data, kind = (urlencode(body), "x-www-form-urlencoded") if form else (json.dumps(body), "json")
    headers = {"authorization": "Bearer x", "content-type": f"application/{kind}"}
    answer = fake.respond(Request("POST", path, {}, headers, data.encode(), NOW))
    assert answer is not None
    return answer.status, json.loads(answer.body)


@pytest.fixture
def fake() -> FakePlatform:
    """A fake that is asked without a socket."""
    return FakePlatform(clock=lambda: NOW)


# ── a request of each kind ────────────────────────────────────────────────────────────────────


def whatsapp(fake: FakePlatform, body: Any) -> Any:
    """What Meta refuses it with: code, words, details."""
    whole = {"messaging_product": "whatsapp", "to": ANN, **body}
    status, told = ask(fake, f"/v23.0/{NUMBER}/messages", whole)
    if status == 200:
        return None
    error = told["error"]
    assert status == 400 or error["code"] != 131009
    words = error["message"].removeprefix(f"(#{error['code']}) ")
    return error["code"], words, error.get("error_data", {}).get("details", "")


def slack(fake: FakePlatform, body: Any) -> Any:
    """Slack's error."""
    status, told = ask(fake, "/api/chat.postMessage", {"channel": "C1", **body})
    assert status == 200
    return told.get("error")


def slack_update(fake: FakePlatform, body: Any) -> Any:
    """Slack's error of changing what was posted."""
    posted = ask(fake, "/api/chat.postMessage", {"channel": "C1", "text": "before"})[1]
    return ask(fake, "/api/chat.update", {"channel": "C1", "ts": posted["ts"], **body})[1].get(
        "error"
    )


def telegram(method: str) -> Ask:
    """Telegram's words for what is wrong with a request of this method."""

    def asked(fake: FakePlatform, body: Any) -> Any:
        fake.telegram.push({"callback_query": {"id": "7", "data": "x"}})
        told = ask(fake, f"/bot1:x/{method or 'sendMessage'}", {"chat_id": 5, **body})[1]
        return None if told["ok"] else told["description"].removeprefix("Bad Request: ")

    return asked


def _interactive(kind: str, action: Any, **more: Any) -> Any:
    said = {
        "body": {"text": "Which?"},
        "footer": {"text": "f"},
        "header": {"type": "text", "text": "h"},
    }
    return {"type": "interactive", "interactive": {"type": kind, **said, "action": action, **more}}


_ROW = {"id": "r", "title": "R", "description": "d"}
_WHATSAPP = [
    {"type": "text", "text": {"body": "hi"}, "recipient_type": "individual", "context": {"message_id": "wamid.x"},
     "biz_opaque_callback_data": "t"},
    *({"type": kind, kind: {"link": "https://x.example/a", "caption": "c"}} for kind in ("image", "video", "document")),
    *({"type": kind, kind: {"link": "https://x.example/a"}} for kind in ("audio", "sticker")),
    {"type": "location", "location": {"latitude": 1.5, "longitude": 2.5}},
    {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ann"}}]},
    {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}},
    {"type": "template", "template": {"name": "hello", "language": {"code": "en"}}},
    _interactive("button", {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}},
                                        {"type": "reply", "reply": {"id": "n", "title": "No"}}]}),
    _interactive("list", {"button": "Open", "sections": [{"title": "S", "rows": [_ROW]}]}),
    _interactive("list", {"button": "Open", "sections": [{"title": "S", "rows": [_ROW, {"id": "s", "title": "S"}]}]}),
    _interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": "Go", "url": "https://x.example"}}),
]  # fmt: skip


def _plain(text: str) -> Any:
    return {"type": "plain_text", "text": text}


_BUTTON = {
    "type": "button",
    "text": _plain("Yes"),
    "value": "y",
    "url": "https://x.example",
    "action_id": "a",
    "style": "primary",
}
_OPTION = {"text": _plain("One"), "value": "1", "description": _plain("first")}
_SELECT = {"type": "static_select", "action_id": "s", "placeholder": _plain("Choose")}
_SLACK = [
    {"text": "hi", "attachments": [{"text": "a"}], "metadata": {"event_type": "x", "event_payload": {"token": "t"}},
     "blocks": [
         {"type": "section", "block_id": "b1", "text": {"type": "mrkdwn", "text": "*hi*"}, "accessory": _BUTTON,
          "fields": [_plain("f")]},
         {"type": "header", "block_id": "b2", "text": _plain("Head")},
         {"type": "context", "elements": [_plain("c")]},
         {"type": "image", "image_url": "https://x.example/i.png", "alt_text": "a picture"},
         {"type": "markdown", "text": "**hi**"},
         {"type": "table", "rows": [[{"type": "raw_text", "text": "A"}]]},
         {"type": "actions", "elements": [_BUTTON, {**_BUTTON, "action_id": "b"},
                                          {"type": "overflow", "action_id": "o", "options": [_OPTION]}]},
         {"type": "actions", "elements": [{**_SELECT, "options": [_OPTION]}]},
     ]},
    {"text": "hi", "blocks": [{"type": "actions", "elements": [
        {**_SELECT, "option_groups": [{"label": _plain("G"), "options": [_OPTION]}]}]}]},
]  # fmt: skip
_KEYS = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
_COPY = {"inline_keyboard": [[{"text": "Copy", "copy_text": {"text": "c"}}]]}
_PLACE = {"latitude": 1.5, "longitude": 2.5}
_TELEGRAM: dict[str, list[Any]] = {
    "": [{"text": "hi", "reply_markup": _KEYS},
         {"text": "hi", "reply_markup": _COPY},
         {"text": "hi", "reply_markup": {"force_reply": True, "input_field_placeholder": "Say"}}],
    "sendchataction": [{"action": "typing"}],
    "answercallbackquery": [{"callback_query_id": "7", "text": "done"}],
    "sendlocation": [_PLACE],
    "sendvenue": [{**_PLACE, "title": "Café", "address": "Street 1"}],
    "sendcontact": [{"phone_number": "+49170", "first_name": "Ann"}],
}  # fmt: skip
TABLES: dict[str, tuple[tuple[Limit, ...], list[Any], Ask]] = {
    "whatsapp": (whatsapp_limits.LIMITS, _WHATSAPP, whatsapp),
    "slack": (slack_limits.LIMITS, _SLACK, slack),
    "slack update": (slack_limits.UPDATES, [{"text": "hi"}], slack_update),
    **{
        f"telegram {method}": (limits, _TELEGRAM[method], telegram(method))
        for method, limits in telegram_limits.LIMITS.items()
    },
}
ROWS = [
    pytest.param(name, row, id=f"{name}: {row.where}")
    for name, (limits, _bodies, _ask) in TABLES.items()
    for row in limits
]


# ── at a limit and beyond it ──────────────────────────────────────────────────────────────────


def put(body: Any, way: str, value: Any) -> Any:
    """The body with a value at the first place of a way; ABSENT takes away what is there."""
    whole = {"": deepcopy(body)}
    *steps, last = found_steps(whole[""], way)
    at = whole[""]
    for step in steps:
        at = at[step]
    if value is ABSENT:
        at.pop(last)
    else:
        at[last] = value
    return whole[""]


def found_steps(body: Any, way: str) -> list[Any]:
    """Names and indices of the first place that a way leads to."""

    def look(value: Any, steps: list[Any]) -> list[Any] | None:
        if not steps:
            return []
        (name, key, among), *rest = steps
        if name == "*":
            members = list(enumerate(value)) if isinstance(value, list) else []
        elif isinstance(value, dict) and (name in value or not rest):
            members = [(name, value.get(name))]
        else:
            return None
        for step, one in members:
            fits = not key or (isinstance(one, dict) and str(one.get(key)) in among)
            if fits and (more := look(one, rest)) is not None:
                return [step, *more]
        return None

    steps = look(body, rules._steps(way))
    assert steps is not None, f"no place for {way}"
    return steps


def sized(value: Any, size: int, limit: Limit) -> Any:
    """A value like this one, of so many characters, members, or so much."""
    if isinstance(value, str):
        begin = value if limit.like else ""
        return (begin + "x" * size)[: max(size, 0)]
    if isinstance(value, list):
        return [_other(value[0], n) for n in range(size)]
    return size


def _other(value: Any, n: int) -> Any:
    """The same thing with ids and titles of its own."""
    if isinstance(value, list):
        return [_other(one, n) for one in value]
    if not isinstance(value, dict):
        return value
    named = ("id", "title", "action_id", "block_id")
    return {k: f"{v}{n}" if k in named else _other(v, n) for k, v in value.items()}


def within(value: Any, limit: Limit) -> Iterator[Any]:
    """What is just taken."""
    if limit.most is not None:
        yield sized(value, int(limit.most), limit)
    if limit.least:
        yield sized(value, int(limit.least), limit)


def beyond(value: Any, limit: Limit) -> Iterator[Any]:
    """What is just not taken."""
    if limit.barred:
        yield "x"
    if limit.most is not None:
        yield sized(value, int(limit.most) + 1, limit)
        if limit.unit == "utf-8":
            yield "é" + "x" * (int(limit.most) - 1)
    if limit.least:
        yield sized(value, int(limit.least) - 1, limit)
    if limit.needed:
        yield ABSENT
    if limit.among is not None:
        yield "nonesuch"
    if limit.like is not None:
        yield "?!"
    if limit.holds:
        yield {name: one for name, one in value.items() if name not in limit.holds}


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_every_limit_is_kept(fake: FakePlatform, name: str, row: Limit) -> None:
    """What is just within it is taken; what is just beyond it is refused, in the platform's own words."""
    _limits, bodies, asked = TABLES[name]
    body = max(bodies, key=lambda one: _fit(found(one, row.where)))
    assert found(body, row.where), "no request here has a place for it"
    value = next((one for one in found(body, row.where) if one is not ABSENT), ABSENT)
    assert asked(fake, body) is None
    for one in within(value, row):
        assert asked(fake, put(body, row.where, one)) is None
    wrong = [put(body, row.where, one) for one in beyond(value, row)]
    if row.unique:
        several = max(bodies, key=lambda one: len(found(one, row.where)))
        wrong.append(_twice(several, row.where))
    assert wrong, "a row that nothing breaks"
    for one in wrong:
        assert asked(fake, one) == row.error


def _fit(values: list[Any]) -> int:
    """A body that has the value, better than one with a mere place for it."""
    return 2 * any(value is not ABSENT for value in values) + bool(values)


def _twice(body: Any, way: str) -> Any:
    """The body with the same value in two places."""
    value, other = found(body, way)[:2]
    assert value != other
    text = json.dumps(body)
    return json.loads(text.replace(f": {json.dumps(other)}", f": {json.dumps(value)}", 1))


@pytest.mark.parametrize("name", TABLES)
def test_every_request_here_is_taken(fake: FakePlatform, name: str) -> None:
    """So that what is refused above is refused for its limit."""
    _limits, bodies, asked = TABLES[name]
    assert [asked(fake, body) for body in bodies] == [None] * len(bodies)


# ── what is no limit of a value ───────────────────────────────────────────────────────────────


def _read(fake: FakePlatform, which: str) -> Any:
    payload = fake.whatsapp.say(ANN, "hi", phone_number_id=NUMBER)
    heard = payload["entry"][0]["changes"][0]["value"]["messages"][0]["id"]
    ask(
        fake,
        f"/v23.0/{NUMBER}/messages",
        {"messaging_product": "whatsapp", "to": ANN, "type": "text", "text": {"body": "x"}},
    )
    ids = {"heard": heard, "said": fake.sent("whatsapp")[-1].id, "unknown": "wamid.none"}
    return whatsapp(fake, {"status": "read", "message_id": ids[which]})


def _reactions(fake: FakePlatform, count: int) -> Any:
    posted = ask(fake, "/api/chat.postMessage", {"channel": "C1", "text": "x"})[1]["ts"]
    put_under = [
        ask(fake, "/api/reactions.add", {"channel": "C1", "timestamp": posted, "name": f"e{n}"})[
            1
        ].get("error")
        for n in range(count)
    ]
    return put_under[-1]


def _on_slack(fake: FakePlatform, method: str, form: bool = False, **body: Any) -> Any:
    posted = ask(fake, "/api/chat.postMessage", {"channel": "D1", "text": "x"})[1]["ts"]
    told = {name: posted if value == "TS" else value for name, value in body.items()}
    return ask(fake, f"/api/{method}", told, form)[1].get("error")


def _on_telegram(fake: FakePlatform, method: str, **body: Any) -> Any:
    fake.telegram.leave(6)
    fake.telegram.say(-100, "hi", message_thread_id=5000)
    fake.telegram.push({"callback_query": {"id": "7", "data": "x"}})
    big = fake.telegram.add_file(b"x" * (telegram_limits.FETCHED + 1))
    told = {name: big if value == "BIG" else value for name, value in body.items()}
    answer = ask(fake, f"/bot1:x/{method}", told)[1]
    return None if answer["ok"] else answer["description"]


_INVALID = (131009, "Parameter value is not valid", "Message ID is invalid")
_TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"
_PAGES = [{"type": "markdown", "text": "x" * 7000}] * 2
OTHERS: dict[str, tuple[Callable[[FakePlatform], Any], Any]] = {
    "whatsapp: a person's message is read": (lambda f: _read(f, "heard"), None),
    "whatsapp: what the bot said is not read by it": (lambda f: _read(f, "said"), _INVALID),
    "whatsapp: nor what nobody said": (lambda f: _read(f, "unknown"), _INVALID),
    "whatsapp: no buttons in groups": (
        lambda f: whatsapp(f, {**_WHATSAPP[10], "recipient_type": "group"}), (131051, "Unsupported message type", ""),
    ),
    "whatsapp: a group is named as one": (
        lambda f: whatsapp(f, {**_WHATSAPP[0], "to": "Y2FwaV9n", "recipient_type": "group"}), None,
    ),
    "whatsapp: it is no number": (
        lambda f: whatsapp(f, {**_WHATSAPP[0], "to": "Y2FwaV9n"}),
        (131009, "Parameter value is not valid", "to is no phone number"),
    ),
    "whatsapp: nor is a user id": (
        lambda f: whatsapp(f, {**_WHATSAPP[0], "to": "US.1"}),
        (131009, "Parameter value is not valid", "to is no phone number"),
    ),
    "whatsapp: which is a recipient": (
        lambda f: whatsapp(f, {**_WHATSAPP[0], "to": None, "recipient": "US.1"}), None,
    ),
    "whatsapp: no file that was not uploaded": (
        lambda f: whatsapp(f, {"type": "image", "image": {"id": "1"}}),
        (100, "Param id is not a valid whatsapp business account media attachment ID", ""),
    ),
    "slack: 23 emoji of one user": (lambda f: _reactions(f, 23), None),
    "slack: not 24": (lambda f: _reactions(f, 24), "too_many_reactions"),
    "slack: blocks together": (lambda f: slack(f, {"text": "x", "blocks": _PAGES}), "msg_blocks_too_long"),
    "slack: an answer to a user": (lambda f: slack(f, {"channel": "U1", "text": "x"}), None),
    "slack: no change by a user's id": (
        lambda f: _on_slack(f, "chat.update", channel="U1", ts="TS", text="y"), "channel_not_found",
    ),
    "slack: no deletion": (lambda f: _on_slack(f, "chat.delete", channel="U1", ts="TS"), "channel_not_found"),
    "slack: no reaction": (
        lambda f: _on_slack(f, "reactions.add", channel="U1", timestamp="TS", name="tada"), "channel_not_found",
    ),
    "slack: reading takes a form": (lambda f: _on_slack(f, "conversations.info", form=True, channel="D1"), None),
    "slack: and no JSON": (lambda f: _on_slack(f, "conversations.info", channel="D1"), "channel_not_found"),
    "telegram: no chat": (lambda f: _on_telegram(f, "sendMessage", text="x"), "Bad Request: chat_id is empty"),
    "telegram: chat 0": (lambda f: _on_telegram(f, "sendMessage", chat_id=0, text="x"), "Bad Request: chat not found"),
    "telegram: a topic": (
        lambda f: _on_telegram(f, "sendMessage", chat_id=-100, text="x", message_thread_id=5000), None,
    ),
    "telegram: no topic": (
        lambda f: _on_telegram(f, "sendMessage", chat_id=-100, text="x", message_thread_id=5001),
        "Bad Request: message thread not found",
    ),
    "telegram: typing to who has blocked the bot": (
        lambda f: _on_telegram(f, "sendChatAction", chat_id=6, action="typing"),
        "Forbidden: bot was blocked by the user",
    ),
    "telegram: a press": (lambda f: _on_telegram(f, "answerCallbackQuery", callback_query_id="7"), None),
    "telegram: no press": (lambda f: _on_telegram(f, "answerCallbackQuery", callback_query_id="8"), _TOO_OLD),
    "telegram: a large file": (lambda f: _on_telegram(f, "getFile", file_id="BIG"), "Bad Request: file is too big"),
    "telegram: a button that does nothing": (
        lambda f: telegram("")(f, {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "Yes"}]]}}),
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ),
    "telegram: a button that leads nowhere": (
        lambda f: telegram("")(f, {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "Yes", "url": "no"}]]}}),
        "inline keyboard button URL 'no' is invalid: Wrong HTTP URL",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_refused_for_where_it_belongs(fake: FakePlatform, case: str) -> None:
    """Unknown ids, places that take no such thing, methods that do not fit, in the platform's own words."""
    does, told = OTHERS[case]
    assert does(fake) == told


def _polled(fake: FakePlatform, **body: Any) -> list[str]:
    told = ask(fake, "/bot1:x/getUpdates", body)[1]["result"]
    return [name for update in told for name in update if name != "update_id"]


def test_updates_that_nobody_asked_for_are_not_brought(fake: FakePlatform) -> None:
    """Reactions and members come to who names them, from then on; an empty list is all but those."""
    for kind in ("message", *telegram_limits.ON_REQUEST):
        fake.telegram.push({kind: {}})
    assert _polled(fake) == ["message"]
    assert _polled(fake, allowed_updates=["message_reaction"]) == ["message_reaction"]
    assert _polled(fake) == ["message_reaction"]
    assert _polled(fake, allowed_updates=[]) == ["message"]


def test_nested_values_of_a_form_are_read(fake: FakePlatform) -> None:
    """In a form they are text, and what is in them is held against the same rows."""
    keys = json.dumps(_KEYS)
    sent = ask(
        fake, "/bot1:x/sendMessage", {"chat_id": 5, "text": "x", "reply_markup": keys}, form=True
    )[1]
    assert sent["result"]["reply_markup"] == _KEYS
    long = json.dumps(put(_KEYS, "inline_keyboard.*.*.callback_data", "x" * 65))
    told = ask(
        fake, "/bot1:x/sendMessage", {"chat_id": 5, "text": "x", "reply_markup": long}, form=True
    )[1]
    assert told["description"] == "Bad Request: BUTTON_DATA_INVALID"


# ── two who have read the same pages ──────────────────────────────────────────────────────────

_BUTTONS = "interactive(type=button).action.buttons"
_LIST = "interactive(type=list).action"
_SELECTED = "blocks.*(type=actions).elements.*(type=static_select)"
SAME: dict[str, tuple[Manifest, str, str]] = {
    f"{manifest.platform} {name}": (manifest, name, where)
    for manifest, names in (
        (WhatsApp.manifest, {
            "text_limit": "text.body", "caption_limit": "image.caption", "interactive_limit": "interactive.body.text",
            "header_limit": "interactive.header(type=text).text", "footer_limit": "interactive.footer.text",
            "buttons": _BUTTONS, "button_title": f"{_BUTTONS}.*.reply.title",
            "menu_button": f"{_LIST}.button", "menu_section": f"{_LIST}.sections.*.title",
            "menu_rows": f"{_LIST}.sections.*.rows", "menu_title": f"{_LIST}.sections.*.rows.*.title",
            "menu_description": f"{_LIST}.sections.*.rows.*.description",
        }),
        (Slack.manifest, {
            "header_limit": "blocks.*(type=header).text.text", "buttons": "blocks.*(type=actions).elements",
            "button_title": "blocks.*(type=actions).elements.*(type=button).text.text",
            "menu_rows": f"{_SELECTED}.options", "menu_title": f"{_SELECTED}.options.*.text.text",
            "menu_description": f"{_SELECTED}.options.*.description.text",
            "menu_section": f"{_SELECTED}.option_groups.*.label.text",
        }),
        (Telegram.manifest, {"buttons": "reply_markup.inline_keyboard.*"}),
    )
    for name, where in names.items()
}  # fmt: skip


@pytest.mark.parametrize("which", SAME)
def test_the_adapter_plans_no_more_than_its_fake_takes(which: str) -> None:
    """The numbers of a manifest, written from other pages, are those of the table."""
    manifest, name, where = SAME[which]
    rows = [
        row for limits, _bodies, _ask in TABLES.values() for row in limits if row.where == where
    ]
    assert getattr(manifest, name) in [row.most for row in rows]
