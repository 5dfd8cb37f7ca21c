"""Slack out: messages and files, the requests they take, and what Slack's own models say of the blocks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from outeract_core.adapter import Call, Outgoing, OutgoingFile, Recipient, Reply
from outeract_core.content import Button, Menu, MenuRow
from outeract_core.errors import Ambiguous, Rejected, SendError, Throttled, Transient
from outeract_core.testing import drive, reply
from tests.support.shared import shared
from tests.support.slack.calls import (
    ANNA,
    BUTTONS,
    GROUPED,
    MENU,
    PDF,
    TOKEN,
    TS,
    method,
    out,
    posted,
    sent,
    uploads,
)
from tests.support.slack.samples import CONFIG, slack

# ── chat.postMessage ──────────────────────────────────────────────────────────────────────────


def test_a_text():
    """One JSON request with our token as metadata; the receipt is the id that events will name."""
    receipt, (call,) = sent(out("1 &lt; 2"), posted())
    assert (call.method, call.url) == ("POST", "https://slack.com/api/chat.postMessage")
    assert call.headers["authorization"] == f"Bearer {CONFIG['bot_token']}"
    assert call.headers["content-type"] == "application/json; charset=utf-8"
    assert call.json == {
        "channel": "C0GENERAL1",
        "text": "1 &lt; 2",
        "metadata": {"event_type": "outeract_message", "event_payload": {"token": TOKEN}},
    }
    assert (receipt.external_id, receipt.address) == (f"{TS}:C0GENERAL1", None)


def test_a_direct_message_has_a_channel_of_its_own():
    """Asked for a user, Slack answers with D…: the id names it and the receipt tells it."""
    receipt, (call,) = sent(out(to=ANNA), posted("D0ANNA0001"))
    assert call.json["channel"] == "U0ANNA0001"
    assert (receipt.external_id, receipt.address) == (f"{TS}:D0ANNA0001", "D0ANNA0001")


@pytest.mark.parametrize(
    ("more", "thread"),
    [
        ({"thread": "1.000001:C0GENERAL1", "reply_to": "2.000002:C0GENERAL1"}, "1.000001"),
        ({"reply_to": "2.000002:C0GENERAL1"}, "2.000002"),
        ({"reply_to": "F0PLAN0001"}, None),
        ({}, None),
    ],
)
def test_replies_go_into_the_thread(more: dict[str, str], thread: str | None):
    """The root wins over the message answered; an upload without ts has no thread."""
    _, (call,) = sent(out(**more), posted())
    assert call.json.get("thread_ts") == thread


def test_options_come_from_metadata():
    """Unfurling and the like pass through; what is unknown does not."""
    metadata = {"unfurl_links": False, "username": "Night shift", "subject": "mail only"}
    _, (call,) = sent(out(metadata=metadata), posted())
    assert call.json["unfurl_links"] is False
    assert call.json["username"] == "Night shift"
    assert "subject" not in call.json


def test_base_url():
    """The Web API may lie elsewhere, with or without a slash at the end."""
    for base in ("http://127.0.0.1:4100/api", "http://127.0.0.1:4100/api/"):
        _, (call,) = drive(slack(base_url=base).send(out()), [posted()])
        assert call.url == "http://127.0.0.1:4100/api/chat.postMessage"


def test_a_warning_is_no_error():
    """`ok: true` with a warning is done."""
    receipt, _ = sent(out(), posted(warning="missing_charset"))
    assert receipt.external_id


def test_ok_without_ts_is_unclear():
    """An answer that does not name the message leaves the outcome open."""
    with pytest.raises(Ambiguous):
        sent(out(), reply({"ok": True}))


# ── blocks ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "outgoing",
    [
        out("text", buttons=BUTTONS[:5]),
        out("text", buttons=BUTTONS, quick_replies=BUTTONS[:2]),
        out("text", buttons=(Button("b", "Open", "https://example.org/?a=1"),)),
        out("text", menu=MENU),
        out("text", menu=GROUPED),
        out("text", header="Head", footer="a < b"),
        out("text", header="H" * 151, footer="f" * 2100),
        out("word " * 799, buttons=BUTTONS[:1]),
        out("```\n" + "code\n" * 700 + "```", footer="x"),
    ],
)
def test_slack_accepts_our_blocks(outgoing: Outgoing):
    """slack_sdk reads every block, finds no limit broken, and writes the same JSON back."""
    _, (call,) = sent(outgoing, posted())
    blocks = call.json["blocks"]
    parsed = Block.parse_all(blocks)
    for block in parsed:
        assert block is not None
        block.validate_json()
    assert [block.to_dict() for block in parsed] == blocks
    assert len(blocks) <= 50
    assert call.json["text"] == outgoing.text


def test_plain_messages_have_no_blocks():
    """Text alone goes as text: Slack shows it better."""
    _, (call,) = sent(out(), posted())
    assert "blocks" not in call.json


def test_buttons_carry_their_ids():
    """`value` is the button's id, action ids differ, and more than 25 buttons take a second row."""
    _, (call,) = sent(out(buttons=BUTTONS), posted())
    rows = [block["elements"] for block in call.json["blocks"] if block["type"] == "actions"]
    assert [len(row) for row in rows] == [25, 5]
    elements = [element for row in rows for element in row]
    assert [element["value"] for element in elements] == [button.id for button in BUTTONS]
    assert len({element["action_id"] for element in elements}) == len(BUTTONS)


def test_a_menu_keeps_its_sections():
    """Rows of one section stand together, in the order in which sections first appear."""
    _, (call,) = sent(out(menu=GROUPED), posted())
    groups = call.json["blocks"][-1]["elements"][0]["option_groups"]
    shown = {g["label"]["text"]: [o["value"] for o in g["options"]] for g in groups}
    assert shown == {"One": ["a", "c"], "Two": ["b"], "Choose": ["d"]}


@pytest.mark.parametrize(
    "more",
    [{"buttons": (Button("x" * 2001, "B"),)}, {"buttons": (Button("", "B"),)},
     {"menu": Menu("M", (MenuRow("x" * 151, "R"),))}],
)  # fmt: skip
def test_ids_that_do_not_fit_are_rejected(more: dict[str, Any]):
    """An id is never cut, since the press could not be told from another."""
    with pytest.raises(Rejected, match="id of a"):
        sent(out(**more), posted())


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def test_an_upload_takes_three_steps():
    """An address, the bytes without our token, then one call that shows the file with its caption."""
    outgoing = out("the plan", files=(PDF,), thread=f"{TS}:C0GENERAL1")
    receipt, calls = drive(slack().send(outgoing), uploads)
    place, data, complete = calls
    assert place.form == {"filename": "plan.pdf", "length": "4"}
    assert (data.content, data.secret_url) == (PDF, True)
    assert "authorization" not in data.headers
    assert complete.form == {
        "files": json.dumps([{"id": "FPLA", "title": "plan.pdf"}]),
        "channel_id": "C0GENERAL1",
        "initial_comment": "the plan",
        "thread_ts": TS,
    }
    assert (receipt.external_id, receipt.aliases) == (None, ("FPLA",))


def test_an_album_is_one_message():
    """All bytes first, then one call names every file."""
    jpg = OutgoingFile("cat.jpg", "image/jpeg", "image", 3, data=b"jpg")
    receipt, calls = drive(slack().send(out("", files=(PDF, jpg))), uploads)
    assert [method(call) for call in calls].count("files.completeUploadExternal") == 1
    assert receipt.aliases == ("FPLA", "FCAT")
    assert "initial_comment" not in (calls[-1].form or {})


def test_files_for_a_user_need_the_channel():
    """A user's channel is opened first, unless it is known from an earlier message."""
    receipt, calls = drive(slack().send(out(to=ANNA, files=(PDF,))), uploads)
    assert calls[0].json == {"users": "U0ANNA0001"}
    assert (calls[-1].form or {})["channel_id"] == receipt.address == "D0ANNA0001"
    known = Recipient("U0ANNA0001", "U0ANNA0001", aliases={"dm_channel": "D0ANNA0001"})
    _, calls = drive(slack().send(out(to=known, files=(PDF,))), uploads)
    assert method(calls[0]) == "files.getUploadURLExternal"
    assert (calls[-1].form or {})["channel_id"] == "D0ANNA0001"


def test_the_ts_of_an_upload_is_used_when_it_is_told():
    """Where Slack already knows the message, its id is the receipt."""
    shares = {"private": {"C0GENERAL1": [{"ts": TS}]}}
    receipt, _ = drive(slack().send(out(files=(PDF,))), lambda call: uploads(call, shares))
    assert receipt.external_id == f"{TS}:C0GENERAL1"


def test_files_with_buttons_are_one_message():
    """Buttons of a captioned file go as blocks of the same call."""
    outgoing = out("choose", files=(PDF,), buttons=BUTTONS[:2])
    _, calls = drive(slack().send(outgoing), uploads)
    form = calls[-1].form or {}
    assert [block["type"] for block in json.loads(form["blocks"])] == ["section", "actions"]
    assert "initial_comment" not in form


def test_recorded_completion_is_read():
    """The completion recorded from emulate, which has shares, gives the message's id."""
    recorded = json.loads(shared("slack/emulate_0.12.2_recorded_web_api.json").read_text())
    answer = recorded["files_upload_v2"]
    channel, ts = "C000000001", answer["files"][0]["shares"]["public"]["C000000001"][0]["ts"]

    def replies(call: Call) -> Reply:
        complete = method(call) == "files.completeUploadExternal"
        return reply(answer) if complete else uploads(call)

    receipt, _ = drive(slack().send(out(to=Recipient(channel, channel), files=(PDF,))), replies)
    assert receipt.external_id == f"{ts}:{channel}"


@pytest.mark.parametrize(
    ("step", "answer", "error"),
    [
        ("files.getUploadURLExternal", reply({"ok": False, "error": "internal_error"}), Transient),
        ("files.getUploadURLExternal", reply({"ok": True}), Transient),
        ("plan.pdf", reply(b"", 500), Transient),
        ("plan.pdf", reply(b"", 413), Rejected),
        ("plan.pdf", reply(b"", 429), Throttled),
        ("files.completeUploadExternal", reply(b"", 502), Ambiguous),
        ("files.completeUploadExternal", reply({"ok": False, "error": "file_not_found"}), Rejected),
    ],
)
def test_only_the_last_step_can_be_unclear(step: str, answer: Reply, error: type[SendError]):
    """Before the last step nobody sees anything, so it may simply be tried again."""

    def replies(call: Call) -> Reply:
        return answer if method(call) == step else uploads(call)

    with pytest.raises(error):
        drive(slack().send(out(files=(PDF,))), replies)
