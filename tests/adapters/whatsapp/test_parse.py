"""What WhatsApp's webhooks say: every kind of item, alone and in batches, none of them lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters.whatsapp.people import moved, phone
from outeract_core.errors import ParseError
from outeract_core.events import Fact, Unparsed
from tests.support.shared import shared
from tests.support.whatsapp.samples import read, request, samples, told, whatsapp, within


@pytest.mark.parametrize("name", samples())
def test_samples(name: str) -> None:
    """Each sample yields the facts that it names, in every member that it names."""
    sample = samples()[name]
    found = [told(fact) for fact in read(sample["body"])]
    assert len(found) == len(sample["facts"])
    for expected, fact in zip(sample["facts"], found, strict=True):
        assert expected == within(expected, fact)


def test_every_kind_has_a_sample() -> None:
    """The samples hold every kind of fact that the adapter can make."""
    kinds = {fact["kind"] for sample in samples().values() for fact in sample["facts"]}
    assert kinds == {
        "message.inbound", "message.sent", "message.delivered", "message.read", "message.failed",
        "message.edited", "message.deleted", "message.reaction_added", "message.reaction_removed",
        "message.action", "system.identity_changed", "system.notice", "unparsed",
    }  # fmt: skip


# ── payloads that others have written or recorded ─────────────────────────────────────────────


def _foreign() -> dict[str, Any]:
    """Every webhook of the third-party fixtures, by a name."""
    found: dict[str, Any] = {}
    for path in ("whatsapp/meta_openapi_webhook_examples.json", "recorded/whatsapp_dm.json",
                 "whatsapp/pywa/callback_button.json", "whatsapp/pywa/edited_message.json"):  # fmt: skip
        whole = json.loads(shared(path).read_text())
        found |= {f"{path}: {name}": body for name, body in whole.items() if isinstance(body, dict)}
    return found


def test_foreign_payloads_lose_nothing() -> None:
    """Each item of each foreign webhook becomes one fact with exactly that item in its raw form."""
    foreign = _foreign()
    assert len(foreign) >= 23
    for name, body in foreign.items():
        facts = read(body)
        assert all(isinstance(fact, Fact) for fact in facts), name
        kept = [_item(fact.raw["value"]) for fact in facts if isinstance(fact, Fact)]
        expected = [item for value in _values(body) for item in _items(value)]
        assert kept == expected, name


def test_foreign_payloads_are_understood() -> None:
    """Nothing that a person has done in a foreign webhook is a mere notice."""
    for name, body in _foreign().items():
        for fact in read(body):
            assert isinstance(fact, Fact)
            assert (fact.kind == "system.notice") is ("Group" in name), name
            assert fact.account is not None
            assert fact.occurred_at is not None
            assert fact.occurred_at.year >= 2023


def test_recorded_dialogue() -> None:
    """The recorded conversation: two texts of one person, then the status of an answer."""
    recorded = json.loads(shared("recorded/whatsapp_dm.json").read_text())
    (first,) = read(recorded["firstMessage"])
    (second,) = read(recorded["secondMessage"])
    (status,) = read(recorded["statusUpdate"])
    assert isinstance(first, Fact)
    assert isinstance(second, Fact)
    assert isinstance(status, Fact)
    assert first.sender == second.sender
    assert first.account == recorded["phoneNumberId"]
    assert (first.payload["message"]["text"], second.payload["message"]["text"]) == (
        "What is Vercel?",
        "Tell me more",
    )
    assert (status.kind, status.target) == ("message.sent", "wamid.FAKE_MSG_SENT_001")
    assert status.chat is not None
    assert first.sender is not None
    assert status.chat.external_id == first.sender.external_id


def _values(body: Any) -> list[Any]:
    return [change["value"] for entry in body["entry"] for change in entry["changes"]]


def _items(value: Any) -> list[Any]:
    return [item for name in ("messages", "statuses", "groups") for item in value.get(name, ())]


def _item(value: Any) -> Any:
    (item,) = _items(value)
    return item


# ── batches ───────────────────────────────────────────────────────────────────────────────────


def envelope(*messages: Any) -> dict[str, Any]:
    """A body with these messages."""
    metadata = {"display_phone_number": "493000000001", "phone_number_id": "100200300400500"}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "messages": list(messages)}
    changes = [{"field": "messages", "value": value}]
    return {"object": "whatsapp_business_account", "entry": [{"id": "9", "changes": changes}]}


def message(number: int, **more: Any) -> dict[str, Any]:
    """A text message."""
    return {"from": "491700000001", "id": f"wamid.{number}", "timestamp": str(1_767_322_800 + number),
            "type": "text", "text": {"body": f"text {number}"}, **more}  # fmt: skip


def test_a_thousand_messages() -> None:
    """A batch of 1000 messages gives 1000 facts, in order, each with nothing of the others."""
    facts = read(envelope(*(message(number) for number in range(1000))))
    assert [fact.key for fact in facts if isinstance(fact, Fact)] == [
        f"wamid.{n}" for n in range(1000)
    ]
    assert all(len(fact.raw["value"]["messages"]) == 1 for fact in facts if isinstance(fact, Fact))


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "type", "from", "timestamp", "text", "image", "edit", "system", "context", "x"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(bad=junk, at=st.integers(0, 3))
def test_one_bad_item_never_loses_the_others(bad: Any, at: int) -> None:
    """Whatever stands among good messages, these are found, and what stood there is not lost."""
    good = [message(number) for number in range(3)]
    facts = read(envelope(*good[:at], bad, *good[at:]))
    keys = [fact.key for fact in facts if isinstance(fact, Fact)]
    assert [key for key in keys if key in ("wamid.0", "wamid.1", "wamid.2")][:3] == [
        "wamid.0", "wamid.1", "wamid.2",
    ]  # fmt: skip
    assert len(facts) == 4


@settings(max_examples=100, deadline=None)
@given(value=junk, field=st.sampled_from(["messages", "calls", "history", "user_id_update", "x"]))
def test_any_change_is_kept(value: Any, field: str) -> None:
    """A change of any field and shape becomes facts or Unparsed, or is refused as empty."""
    body = {**envelope(), "entry": [{"id": "9", "changes": [{"field": field, "value": value}]}]}
    assert read(body)


@pytest.mark.parametrize(
    "body",
    [
        [], {}, {"object": "page", "entry": [{}]}, {"object": "whatsapp_business_account"},
        {"object": "whatsapp_business_account", "entry": []},
        {"object": "whatsapp_business_account", "entry": [{"id": "9", "changes": []}]},
    ],
)  # fmt: skip
def test_nothing_of_ours(body: Any) -> None:
    """A body of another product, or one in which nothing happened, is refused, so that it is kept."""
    with pytest.raises(ParseError):
        read(body)


def test_a_member_that_is_not_known_is_kept() -> None:
    """What stands beside the known lists of a change becomes a notice, with its content."""
    body = envelope(message(1))
    body["entry"][0]["changes"][0]["value"]["polls"] = [{"id": "p1"}]
    said, notice = read(body)
    assert isinstance(said, Fact)
    assert isinstance(notice, Fact)
    assert (said.kind, notice.kind) == ("message.inbound", "system.notice")
    assert notice.raw["value"]["polls"] == [{"id": "p1"}]
    assert "messages" not in notice.raw["value"]


# ── keys and times ────────────────────────────────────────────────────────────────────────────


def test_a_delivery_that_comes_twice_has_the_same_keys() -> None:
    """Meta repeats deliveries for days: the keys are those of the first time, for every sample."""
    for name, sample in samples().items():
        body = sample["body"]
        first = [fact.key for fact in read(body) if isinstance(fact, Fact)]
        again = [fact.key for fact in read(json.loads(json.dumps(body))) if isinstance(fact, Fact)]
        assert first == again, name
        assert None not in first, name


def test_states_of_one_message_have_keys_of_their_own() -> None:
    """Each state of a message, each time and each participant is a fact of its own."""
    keys = [fact["key"] for fact in samples()["statuses_out_of_order"]["facts"]]
    assert len(set(keys)) == len(keys) == 4
    status = {"id": "wamid.1", "status": "read", "recipient_id": "g", "recipient_type": "group"}
    both = [{**status, "timestamp": "1767323006", "recipient_participant_id": who} for who in "ab"]
    body = envelope()
    body["entry"][0]["changes"][0]["value"] = {"statuses": both}
    first, second = (fact for fact in read(body) if isinstance(fact, Fact))
    assert first.key != second.key


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("1767322800", "2026-01-02T03:00:00+00:00"), (1767322800, "2026-01-02T03:00:00+00:00"),
        (1767322800123, "2026-01-02T03:00:00.123000+00:00"), (None, "2026-01-02T03:04:05+00:00"),
        ("soon", "2026-01-02T03:04:05+00:00"), ("-5", "2026-01-02T03:04:05+00:00"),
        ("9" * 40, "2026-01-02T03:04:05+00:00"), (True, "2026-01-02T03:04:05+00:00"),
        ("١٢٣", "2026-01-02T03:04:05+00:00"),
    ],
)  # fmt: skip
def test_times(given: Any, expected: str) -> None:
    """Seconds come as text; what is no time is the time of arrival."""
    (fact,) = read(envelope(message(1, timestamp=given)))
    assert isinstance(fact, Fact)
    assert fact.occurred_at is not None
    assert fact.occurred_at.isoformat() == expected


# ── people ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("491700000001", "+491700000001"), ("+49 (170) 000-0001", "+491700000001"),
        (16505551234, "+16505551234"), ("\u200e972987654321", "+972987654321"), ("", None),
        ("12", None), ("ada", None), (None, None), (True, None), (1.5, None), ("DE.123456", None),
    ],
)  # fmt: skip
def test_phone(given: Any, expected: str | None) -> None:
    """Numbers become E.164; what is no number is none."""
    assert phone(given) == expected


@pytest.mark.parametrize(
    ("change", "steps"),
    [
        (("1650555", "1219555", None, None), [("+1650555", "+1219555")]),
        (("1650555", "1219555", "US.1", "US.2"), [("US.1", "US.2"), ("+1650555", "+1219555")]),
        (("1650555", "1219555", "US.1", None), [("+1650555", "+1219555")]),
        ((None, "1219555", "US.1", None), [("US.1", "+1219555")]),
        ((None, "1219555", "US.1", "US.2"), [("US.1", "US.2"), ("US.2", "+1219555")]),
        ((None, None, "US.1", "US.2"), [("US.1", "US.2")]),
        (("1650555", None, "US.1", "US.2"), [("US.1", "US.2"), ("US.2", "+1650555")]),
        (("1650555", None, None, "US.2"), [("+1650555", "US.2"), ("US.2", "+1650555")]),
        (("1650555", "1650555", "US.1", "US.1"), []),
        ((None, "1219555", None, None), []),
        ((None, None, None, None), []),
    ],
)  # fmt: skip
def test_moves(change: tuple[Any, Any, Any, Any], steps: list[tuple[str, str]]) -> None:
    """A change of number or id leads from the names before to those after, the number last."""
    assert [(one.previous, one.current) for one in moved(*change)] == steps


def test_contacts_belong_to_their_messages() -> None:
    """In a body of several people each message gets its own sender's name, whatever the order."""
    body = envelope(
        message(1), message(2, **{"from": "491700000002"}), message(3, **{"from": "491700000003"})
    )
    body["entry"][0]["changes"][0]["value"]["contacts"] = [
        {"profile": {"name": "Grace"}, "wa_id": "491700000002"},
        {"profile": {"name": "Ada"}, "wa_id": "491700000001"},
    ]
    names = [fact.sender.name for fact in read(body) if isinstance(fact, Fact) and fact.sender]
    assert names == ["Ada", "Grace", None]


def test_a_message_of_nobody_is_kept() -> None:
    """A message that names no sender is no message of anybody's: it is kept, unparsed."""
    nameless = {name: value for name, value in message(1).items() if name != "from"}
    (found,) = read(envelope(nameless))
    assert isinstance(found, Unparsed)
    assert found.raw["value"]["messages"] == [nameless]


def test_parse_asks_for_no_secret() -> None:
    """Kept deliveries can be replayed by a connection whose secrets are gone."""
    adapter = whatsapp(app_secret="", access_token="", verify_token="")
    assert list(adapter.parse(request(envelope(message(1)))))
