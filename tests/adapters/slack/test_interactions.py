"""Slack's buttons, menus, forms, commands and shortcuts: one shape, and what can be done with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from outeract_core.adapter import CanAcknowledge, MessageRef
from outeract_core.errors import Rejected
from outeract_core.events import Fact
from outeract_core.testing import post, sign_whatsapp
from tests.support.slack.calls import BUTTONS, GENERAL, MENU, TS, act, method, ok, out, posted, sent
from tests.support.slack.samples import request, samples, slack
from tests.support.whatsapp.samples import NOW, whatsapp
from tests.support.whatsapp.samples import samples as whatsapp_samples

SAMPLES = samples()
ACTIONS = [
    (name, number)
    for name, sample in SAMPLES.items()
    for number, fact in enumerate(sample["facts"])
    if fact["kind"] == "message.action"
]
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*own*"}}


def action(name: str, number: int = 0) -> Fact:
    """The fact of one action of a sample."""
    fact = list(slack().parse(request(SAMPLES[name])))[number]
    assert isinstance(fact, Fact)
    return fact


# ── one shape ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "number"), ACTIONS)
def test_an_action_has_an_id_of_its_own(name: str, number: int):
    """The action is named by its own key; the message that carried the button is its target."""
    fact = action(name, number)
    assert fact.payload["external_message_id"] == fact.key
    assert fact.payload.get("target_message_id") == fact.target
    assert fact.key != fact.target
    assert fact.payload["platform"] == "slack"
    assert isinstance(fact.payload["id"], str)


def test_a_press_looks_as_on_whatsapp():
    """A handler reads a press by the same members on both platforms."""
    body = whatsapp_samples()["button_reply"]["body"]
    (theirs,) = whatsapp().parse(post(sign_whatsapp(body, "secret"), NOW))
    ours = action("button")
    assert isinstance(theirs, Fact)
    assert ours.payload["type"] == theirs.payload["type"] == "button"
    assert set(theirs.payload) <= set(ours.payload)
    assert set(ours.payload) - set(theirs.payload) == {"value", "action_id"}


def test_a_row_is_a_list():
    """A choice out of a menu has the type that it has on every platform, and the row's id."""
    payload = action("button", 1).payload
    assert (payload["type"], payload["id"], payload["title"]) == ("list", "tea", "Tea")


def test_a_modal_is_a_form():
    """What was typed into a modal is `values`; closing it is no form."""
    payload = action("view_submission").payload
    assert (payload["type"], payload["id"]) == ("form", "order")
    assert payload["values"]["b"]["a"]["value"] == "two"
    body = {**SAMPLES["view_submission"]["body"], "type": "view_closed"}
    (closed,) = slack().parse(request({"kind": "interaction", "body": body}))
    assert isinstance(closed, Fact)
    assert closed.payload["type"] == "form_closed"


def test_what_we_send_comes_back_with_its_id():
    """The ids of the buttons and rows that we send are the ids of the presses."""
    _, (call,) = sent(out(buttons=BUTTONS[:2], menu=MENU), posted())
    elements = [e for block in call.json["blocks"] for e in block.get("elements", ())]
    assert [element["type"] for element in elements] == ["button", "button", "static_select"]
    for element, wanted in zip(elements, ("id-0", "id-1", "row-7"), strict=True):
        assert pressed(element)["id"] == wanted


def pressed(element: dict[str, Any]) -> dict[str, Any]:
    """The payload when somebody presses `element`, a menu at its eighth row."""
    made = {k: element[k] for k in ("type", "action_id", "value", "text") if k in element}
    if "options" in element:
        made["selected_option"] = element["options"][7]
    body = {**SAMPLES["button"]["body"], "actions": [{**made, "action_ts": "1764000090.000100"}]}
    (fact,) = slack().parse(request({"kind": "interaction", "body": body}))
    assert isinstance(fact, Fact)
    return dict(fact.payload)


# ── acting upon an action ─────────────────────────────────────────────────────────────────────


def test_an_answer_goes_below_the_button():
    """A reply to a press goes into the thread of the message that carried the button."""
    _, (call,) = sent(out(reply_to=str(action("button").key)), posted())
    assert call.json["thread_ts"] == "1764000017.001200"


@pytest.mark.parametrize("name", ["button_ephemeral", "slash_command", "shortcut_global"])
def test_without_a_message_there_is_no_thread(name: str):
    """An action upon no message is answered in the channel itself, and cannot be reacted to."""
    key = str(action(name).key)
    _, (call,) = sent(out(reply_to=key), posted())
    assert "thread_ts" not in call.json
    with pytest.raises(Rejected, match="not a Slack message"):
        act(slack().react(MessageRef(key, GENERAL), "👍", False))


def test_a_reaction_to_a_press_is_one_to_its_message():
    """Slack has no reactions to presses: the message with the button gets it."""
    ref = MessageRef(str(action("button").key), GENERAL)
    (call,) = act(slack().react(ref, "👍", False), ok())
    assert method(call) == "reactions.add"
    assert call.json == {"channel": "C0GENERAL1", "timestamp": TS, "name": "+1"}


# ── answers ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SAMPLES)
def test_only_suggestions_get_a_body(name: str):
    """Everything is acknowledged by an empty 200, a question for options by an empty list."""
    adapter = slack()
    assert isinstance(adapter, CanAcknowledge)
    answer = adapter.acknowledge(request(SAMPLES[name]))
    told = json.loads(answer.body) if answer.body else None
    assert answer.status == 200
    assert told == ({"options": []} if name == "block_suggestion" else None)


# ── blocks of the host's own ──────────────────────────────────────────────────────────────────


def test_own_blocks_stand_for_the_text():
    """`metadata["blocks"]` are sent as they are; the text stays for notifications, buttons follow."""
    outgoing = out("own", buttons=BUTTONS[:1], metadata={"blocks": [SECTION]})
    _, (call,) = sent(outgoing, posted())
    assert call.json["text"] == "own"
    assert call.json["blocks"][0] == SECTION
    assert [block["type"] for block in call.json["blocks"]] == ["section", "actions"]
    for block in Block.parse_all(call.json["blocks"]):
        block.validate_json()


@pytest.mark.parametrize("wrong", ["text", {"type": "section"}, [1], [[]], 7])
def test_what_are_no_blocks_is_rejected(wrong: Any):
    """Anything but a list of objects makes no request."""
    with pytest.raises(Rejected, match="Block Kit"):
        sent(out(metadata={"blocks": wrong}), posted())


# ── what is kept ──────────────────────────────────────────────────────────────────────────────


def crowded(actions: int) -> dict[str, Any]:
    """A press sample with so many actions, in a view with as much state."""
    body = json.loads(json.dumps(SAMPLES["button"]["body"]))
    one = body["actions"][0]
    body["actions"] = [{**one, "action_id": f"a{n}"} for n in range(actions)]
    body["view"] = {
        "id": "V1",
        "blocks": [{"type": "section", "block_id": str(n)} for n in range(actions)],
    }
    body["state"] = {"values": {str(n): {"x": {"value": "y" * 20}} for n in range(actions)}}
    return body


def facts_of(body: dict[str, Any]) -> list[Fact]:
    """The facts of an interaction."""
    found = list(slack().parse(request({"kind": "interaction", "body": body})))
    assert all(isinstance(fact, Fact) for fact in found)
    return [fact for fact in found if isinstance(fact, Fact)]


def test_what_is_kept_of_many_actions_grows_with_the_body():
    """Each of 300 actions keeps itself and who and where; what stands around them all is kept once."""
    body = crowded(300)
    found = facts_of(body)
    sizes = [len(json.dumps(fact.raw)) for fact in found]
    assert len(found) == 300
    assert sizes[0] < len(json.dumps(body))
    assert max(sizes[1:]) < 2_000
    assert [fact.raw["actions"] for fact in found] == [[one] for one in body["actions"]]


def test_an_action_reads_again_from_what_was_kept_of_it():
    """Each action of a request is found again in its own `raw`: the same key, payload and place."""
    for fact in facts_of(crowded(5)):
        (again,) = slack().reread(json.loads(json.dumps(fact.raw)), NOW)
        assert isinstance(again, Fact)
        assert (again.key, again.payload, again.chat, again.sender, again.thread) == (
            fact.key, fact.payload, fact.chat, fact.sender, fact.thread,
        )  # fmt: skip
