"""What Telegram is asked upon messages that exist: edits, deletion, reactions, typing, files, health."""

from __future__ import annotations

from typing import Any

import pytest

from outeract_adapters.telegram.emoji import ALLOWED
from outeract_core.adapter import MessageRef, Recipient
from outeract_core.content import Button
from outeract_core.errors import Rejected, Transient
from outeract_core.testing import drive, reply
from tests.support.telegram.calls import (
    ADA,
    CUSTOMER,
    GROUP,
    REF,
    act,
    faults,
    method,
    no,
    ok,
    out,
    params,
    sent,
)
from tests.support.telegram.samples import CONFIG, one, samples, telegram
from tests.support.telegram.schema import reactions

BUSINESS = MessageRef("5:42:BCabc_1-2", CUSTOMER)
PRESS = MessageRef("182736450001", ADA, payload={"target_message_id": "910:42"})
ME = {"id": 777000111, "is_bot": True, "first_name": "Bot", "username": "fake_bot"}
SAME = "Bad Request: message is not modified: specified new message content and reply markup are exactly the same"
NO_TEXT = no(400, "Bad Request: there is no text in the message to edit")
UNREADABLE = no(400, "Bad Request: can't parse entities: Unexpected end tag")


# ── reactions ─────────────────────────────────────────────────────────────────────────────────


def test_the_list_of_reactions_is_telegrams() -> None:
    """The reactions that we let through are those of the Bot API."""
    assert sorted(ALLOWED) == sorted(reactions())


@pytest.mark.parametrize("remove", [False, True])
def test_react(remove: bool) -> None:
    """A reaction replaces the bot's own; taking it back leaves none."""
    (call,) = act(telegram().react(REF, "👍", remove), ok())
    chosen = [] if remove else [{"type": "emoji", "emoji": "👍"}]
    assert params(call) == {"chat_id": 42, "message_id": 5, "reaction": chosen}
    assert faults(call) == []


@pytest.mark.parametrize(
    ("emoji", "bare"),
    [
        ("❤️", "❤"),
        ("❤", "❤"),
        ("👍🏿", "👍"),
        ("🤷🏽‍♀️", "🤷‍♀"),
        ("❤️‍🔥", "❤‍🔥"),
        ("👨🏻‍💻", "👨‍💻"),
        ("✍️", "✍"),
    ],
)
def test_emoji_are_written_in_several_ways(emoji: str, bare: str) -> None:
    """Variation selectors and skin tones, which Telegram refuses, are left out."""
    (call,) = act(telegram().react(REF, emoji, False), ok())
    assert params(call)["reaction"] == [{"type": "emoji", "emoji": bare}]
    assert faults(call) == []


def test_custom_emoji() -> None:
    """A picture is named as its own reactions come in."""
    (call,) = act(telegram().react(REF, "custom_emoji:5368324170671202286", False), ok())
    assert faults(call) == []
    assert params(call)["reaction"][0]["custom_emoji_id"] == "5368324170671202286"


@pytest.mark.parametrize("emoji", ["🦜", "x", ":+1:", "custom_emoji:x", "👍👍", ""])
def test_reactions_that_no_bot_can_set(emoji: str) -> None:
    """What is not in the list is refused before any request, with the list."""
    with pytest.raises(Rejected, match="👍"):
        drive(telegram().react(REF, emoji, False), [])
    act(telegram().react(REF, emoji, True), ok())


def test_acts_upon_a_press_are_acts_upon_its_message() -> None:
    """A press is no message; what is done to it is done to the message that carried the button."""
    (call,) = act(telegram().react(PRESS, "👍", False), ok())
    assert (params(call)["chat_id"], params(call)["message_id"]) == (42, 910)


# ── edits ─────────────────────────────────────────────────────────────────────────────────────


def test_edit() -> None:
    """Text and buttons are replaced; without buttons the old ones go."""
    outgoing = out("1 < 2", buttons=(Button("a", "A"),))
    (call,) = act(telegram().edit(REF, outgoing), ok(sent(5)))
    assert method(call) == "editMessageText"
    assert params(call) == {
        "chat_id": 42, "message_id": 5, "text": "1 &lt; 2", "parse_mode": "HTML",
        "reply_markup": {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]},
    }  # fmt: skip
    assert faults(call) == []
    (call,) = act(telegram().edit(REF, out("x")), ok(sent(5)))
    assert "reply_markup" not in params(call)


@pytest.mark.parametrize("kind", ["image", "video", "audio", "voice", "document"])
def test_edit_of_a_caption(kind: str) -> None:
    """What was sent with a file has a caption."""
    message = MessageRef("5:42", ADA, outbound=True, payload={"type": kind})
    (call,) = act(telegram().edit(message, out("x")), ok(sent(5)))
    assert (method(call), params(call)["caption"]) == ("editMessageCaption", "x")
    assert faults(call) == []


@pytest.mark.parametrize(
    ("payload", "answer", "expected"),
    [
        ({}, NO_TEXT, ["editMessageText", "editMessageCaption"]),
        ({"type": "image"}, no(400, "Bad Request: there is no caption in the message to edit"),
         ["editMessageCaption", "editMessageText"]),
    ],
)  # fmt: skip
def test_edit_of_what_is_otherwise(payload: Any, answer: Any, expected: list[str]) -> None:
    """When it was the other of the two (a long caption, an older message), the other is edited."""
    message = MessageRef("5:42", ADA, outbound=True, payload=payload)
    made = act(telegram().edit(message, out("x")), answer, ok(sent(5)))
    assert [method(call) for call in made] == expected


def test_edit_without_a_change_is_done() -> None:
    """What is so already counts as done."""
    act(telegram().edit(REF, out("x")), no(400, SAME))


def test_edit_whose_markup_is_not_taken() -> None:
    """What Telegram cannot parse is written plainly."""
    _, second = act(telegram().edit(REF, out("a < b")), UNREADABLE, ok(sent(5)))
    assert params(second)["text"] == "a < b"
    assert "parse_mode" not in params(second)


def test_edit_of_buttons_alone() -> None:
    """Without words only the buttons change."""
    (call,) = act(telegram().edit(REF, out("", buttons=(Button("a", "A"),))), ok(sent(5)))
    assert method(call) == "editMessageReplyMarkup"
    assert faults(call) == []


@pytest.mark.parametrize("answer", [NO_TEXT, no(400, "Bad Request: message can't be edited"),
                                    no(400, "Bad Request: message to edit not found")])  # fmt: skip
def test_edit_that_cannot_be(answer: Any) -> None:
    """A message that cannot be edited is refused, after one look at each way."""
    with pytest.raises(Rejected):
        act(telegram().edit(REF, out("x")), answer, answer)


def test_edit_that_needs_more_room() -> None:
    """There is room for one message only."""
    with pytest.raises(Rejected, match="more than one"):
        act(telegram().edit(REF, out("x" * 4090, header="a header")))


# ── deletion, typing, answers ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answer", [ok(), no(400, "Bad Request: message to delete not found"), no(400, "Bad Request: MESSAGE_ID_INVALID")]
)  # fmt: skip
def test_delete(answer: Any) -> None:
    """A message is deleted; one that is gone already counts as deleted."""
    (call,) = act(telegram().delete(REF), answer)
    assert (method(call), params(call)) == ("deleteMessage", {"chat_id": 42, "message_id": 5})
    assert faults(call) == []


def test_delete_what_is_too_old() -> None:
    """After 48 hours it is too late, and says so."""
    with pytest.raises(Rejected, match="48 hours"):
        act(telegram().delete(REF), no(400, "Bad Request: message can't be deleted for everyone"))


def test_acts_for_a_business_account() -> None:
    """Its messages are edited and deleted through its connection."""
    (call,) = act(telegram().delete(BUSINESS), ok())
    assert method(call) == "deleteBusinessMessages"
    assert params(call) == {"business_connection_id": "BCabc_1-2", "message_ids": [5]}
    (edited,) = act(telegram().edit(BUSINESS, out("x")), ok(sent(5)))
    assert params(edited)["business_connection_id"] == "BCabc_1-2"
    (typed,) = act(telegram().typing(CUSTOMER, None), ok())
    assert params(typed)["business_connection_id"] == "BCabc_1-2"
    assert [faults(made) for made in (call, edited, typed)] == [[], [], []]


@pytest.mark.parametrize(("topic", "expected"), [(300, 300), (1, None), (None, None), ("x", None)])
def test_typing(topic: Any, expected: int | None) -> None:
    """Typing is shown in the topic of the message that is answered."""
    message = MessageRef(
        "5:-1001234567890", GROUP, payload={"message": {"message_thread_id": topic}}
    )
    (call,) = act(telegram().typing(GROUP, message), ok())
    assert (params(call)["action"], params(call).get("message_thread_id")) == ("typing", expected)
    assert faults(call) == []


@pytest.mark.parametrize(
    "answer", [ok(), no(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")]
)  # fmt: skip
def test_answer(answer: Any) -> None:
    """A press is answered by its own id, so that the button stops to spin; too late is no failure."""
    action = one(samples()["callback"]["body"])
    (call,) = act(telegram().answer(action.payload), answer)
    assert (method(call), params(call)) == (
        "answerCallbackQuery",
        {"callback_query_id": "182736450001"},
    )
    assert faults(call) == []


@pytest.mark.parametrize("name", ["poll_answer", "chosen_inline_result", "web_app_data"])
def test_what_needs_no_answer(name: str) -> None:
    """Votes and the like make no button spin."""
    assert act(telegram().answer(one(samples()[name]["body"]).payload)) == []


def test_hostile_names_of_messages() -> None:
    """What names no message is refused before any request."""
    for name in ("", "5", "x:y", "5:42:", "5:42:a b", "../5:42", "5:" + "9" * 30):
        with pytest.raises(Rejected):
            act(telegram().delete(MessageRef(name, ADA)))


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def test_fetch() -> None:
    """A file is asked for by its id, then downloaded; both addresses hold the token and are secret."""
    handle = one(samples()["document"]["body"]).files[0].handle
    answer = ok({"file_id": "P", "file_unique_id": "u", "file_path": "documents/plan é.pdf"})
    download, (call,) = drive(telegram().fetch(handle), [answer])
    assert (method(call), params(call)) == ("getFile", {"file_id": "P"})
    assert faults(call) == []
    assert download.call.url == (
        f"https://api.telegram.org/file/bot{CONFIG['token']}/documents/plan%20%C3%A9.pdf"
    )
    assert call.secret_url
    assert download.call.secret_url


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ok({"file_id": "P", "file_unique_id": "u"}), "20 MB"),
        (no(400, "Bad Request: file is too big"), "20 MB"),
        (no(400, "Bad Request: wrong file_id or the file is temporarily unavailable"), "wrong file_id"),
        (ok({"file_id": "P", "file_path": "/var/lib/bot/file"}), "own disk"),
        (ok({"file_id": "P", "file_path": "a/../../b"}), "own disk"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_fetched(answer: Any, words: str) -> None:
    """A file that is too large, gone, or on the server's own disk is given up, with the reason."""
    with pytest.raises(Rejected, match=words):
        act(telegram().fetch({"file_id": "P"}), answer)


# ── health ────────────────────────────────────────────────────────────────────────────────────


def hook(**more: Any) -> Any:
    """What getWebhookInfo answers."""
    return ok({"url": "", "has_custom_certificate": False, "pending_update_count": 0, **more})


HTTPS = "https://h.example/webhooks/1/s3cret"
OURS = {"url": HTTPS, "allowed_updates": ["message_reaction", "callback_query", "my_chat_member"]}


def checked(info: Any, me: Any = None, **config: Any) -> Any:
    """What a check finds."""
    bot = telegram(webhook_path="/webhooks/1/s3cret", **config)
    health, _ = drive(bot.check(), [ok({**ME, **(me or {})}), hook(**info)])
    assert "s3cret" not in repr(health)
    return health


def found(health: Any, level: str) -> list[str]:
    """Its findings of a level."""
    return [str(one) for one in health.findings if one.level == level]


def test_check() -> None:
    """Two requests without effect tell whose the token is and how updates come."""
    health, made = drive(telegram(poll=True).check(), [ok(ME), hook()])
    assert [method(call) for call in made] == ["getMe", "getWebhookInfo"]
    assert [faults(call) for call in made] == [[], []]
    assert (health.ok, health.account, health.name) == (True, "777000111", "@fake_bot")
    assert found(health, "info") == ["no webhook is set: updates come by polling"]
    assert found(health, "error") == found(health, "warning") == []


def test_a_webhook_as_it_should_be_is_no_complaint() -> None:
    """With this connection's path, a secret, and all updates; only its host is told."""
    health = checked(OURS)
    assert found(health, "info") == ["updates go to h.example"]
    assert found(health, "error") == found(health, "warning") == []


@pytest.mark.parametrize(
    ("level", "info", "config", "words"),
    [
        ("error", {}, {}, "no update ever comes; call setWebhook"),
        ("error", OURS, {"poll": True}, "(h.example), so every poll is refused; call deleteWebhook"),
        ("error", OURS, {"bot_id": "5"}, "bot_id is 5, but the token belongs to 777000111"),
        ("error", OURS, {"username": "other"}, "username is other"),
        ("error", OURS, {"webhook_secret_token": ""}, "every update is refused"),
        ("warning", {**OURS, "url": "https://h.example/webhooks/1/old"}, {}, "not that of this connection"),
        ("warning", {**OURS, "url": "https://[h/"}, {}, "not that of this connection"),
        ("warning", {**OURS, "last_error_message": "Connection refused", "last_error_date": 1767225600}, {},
         "2026-01-01 00:00:00 UTC: Connection refused"),
        ("warning", {**OURS, "last_error_message": "Wrong response from the webhook: 401 Unauthorized"}, {},
         "secret_token of this connection"),
        ("warning", {**OURS, "last_error_message": "x", "last_error_date": 2**60}, {}, "failed: x"),
        ("info", {**OURS, "pending_update_count": 9}, {}, "9 updates wait"),
        ("warning", {**OURS, "pending_update_count": 9, "last_error_message": "x"}, {}, "9 updates wait"),
        ("warning", {"url": HTTPS}, {}, "leaves out message_reaction;"),
        ("warning", {"url": HTTPS, "allowed_updates": ["message"]}, {}, "leaves out message_reaction, callback_query"),
    ],
)  # fmt: skip
def test_remarks(level: str, info: Any, config: Any, words: str) -> None:
    """What will not work as it is set up is said; the path of the webhook, a secret, is not."""
    assert any(words in text for text in found(checked(info, **config), level))


def test_privacy_mode_is_told() -> None:
    """In groups the bot does not see everything."""
    health = checked(OURS, {"can_read_all_group_messages": False})
    assert "privacy mode" in " ".join(found(health, "info"))


def test_check_with_a_wrong_token() -> None:
    """A token that is none is an answer, not an exception."""
    health, _ = drive(telegram().check(), [no(401, "Unauthorized")])
    assert health.ok is False
    assert "BotFather" in found(health, "error")[0]


def test_check_that_reaches_nobody() -> None:
    """An outage says nothing about the token."""
    with pytest.raises(Transient):
        drive(telegram().check(), [reply(b"", 502)])


# ── polls ─────────────────────────────────────────────────────────────────────────────────────


def polled(cursor: Any, wait: float, *updates: Any) -> tuple[Any, Any]:
    """The yield of a poll that is answered with `updates`, and its call."""
    found, (call,) = drive(telegram().poll(cursor, wait), [ok(list(updates))])
    assert faults(call) == []
    return found, call


def test_poll() -> None:
    """The first poll asks from the start for all kinds of updates; the next confirms what came."""
    body = samples()["text"]["body"]
    found, call = polled(None, 25.0, body)
    assert "offset" not in params(call)
    assert {"message", "message_reaction", "chat_member"} <= set(params(call)["allowed_updates"])
    assert [fact.key for fact in found.facts] == [one(body).key]
    assert found.cursor == body["update_id"] + 1
    again, call = polled(found.cursor, 25.0)
    assert params(call)["offset"] == found.cursor
    assert (again.facts, again.cursor) == ([], found.cursor)


@pytest.mark.parametrize(("wait", "timeout"), [(0, 0), (25.0, 25), (600, 50), (-1, 0)])
def test_a_poll_may_take_as_long_as_it_waits(wait: float, timeout: int) -> None:
    """The connection is given more time than the wait, which Telegram bounds at 50 seconds."""
    _, call = polled(None, wait)
    assert params(call)["timeout"] == timeout
    assert call.timeout > timeout


def test_numbers_that_start_anew() -> None:
    """After a week without updates the numbers start anew, and may be lower: the last one counts."""
    low = {"update_id": 7, "message": samples()["text"]["body"]["message"]}
    found, _ = polled(900_000, 0, low)
    assert found.cursor == 8


@pytest.mark.parametrize("cursor", ["x", {}, -1, 0, True, 1.5])
def test_a_cursor_that_is_none(cursor: Any) -> None:
    """What is no number of an update asks from the start."""
    _, call = polled(cursor, 0)
    assert "offset" not in params(call)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("Conflict: can't use getUpdates method while webhook is active; use deleteWebhook", "deleteWebhook"),
        ("Conflict: terminated by other getUpdates request; make sure that only one bot instance", "another program"),
    ],
)  # fmt: skip
def test_conflicts(words: str, remedy: str) -> None:
    """A webhook or a second poller stands in the way: said with the remedy, and tried again."""
    with pytest.raises(Transient, match=remedy):
        drive(telegram().poll(None, 0), [no(409, words)])


def test_a_poll_without_a_list() -> None:
    """What is no list of updates moves nothing on."""
    with pytest.raises(Transient):
        drive(telegram().poll(5, 0), [ok({"update_id": 1})])


def test_recipients_that_are_none() -> None:
    """Typing needs a chat, too."""
    with pytest.raises(Rejected):
        act(telegram().typing(Recipient("x y", "x y"), None))
