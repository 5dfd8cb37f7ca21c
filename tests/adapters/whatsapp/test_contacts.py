"""Whose name a WhatsApp contact is, however its number is written, and at what cost in a large change."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from outeract_core.events import Fact
from tests.support.whatsapp.samples import read

Json = dict[str, Any]
METADATA = {"display_phone_number": "493000000001", "phone_number_id": "100200300400500"}


def change(field: str = "messages", **value: Any) -> Json:
    """A body with one change."""
    whole = {"messaging_product": "whatsapp", "metadata": METADATA, **value}
    entry = {"id": "9", "changes": [{"field": field, "value": whole}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def text(sender: str | None, number: int = 1, **more: Any) -> Json:
    """A text message."""
    told = {} if sender is None else {"from": sender}
    return {**told, "id": f"wamid.{number}", "timestamp": "1767322800", "type": "text",
            "text": {"body": "x"}, **more}  # fmt: skip


def contact(name: str, wa_id: str | None = None, **more: Any) -> Json:
    """A contact."""
    return {"profile": {"name": name}, **({} if wa_id is None else {"wa_id": wa_id}), **more}


def facts(body: Json) -> list[Fact]:
    """All facts of a body."""
    found = read(body)
    assert all(isinstance(fact, Fact) for fact in found)
    return [fact for fact in found if isinstance(fact, Fact)]


def names(body: Json) -> list[str | None]:
    """The senders' names."""
    return [fact.sender and fact.sender.name for fact in facts(body)]


# ── whose name ────────────────────────────────────────────────────────────────────────────────

ALONE: dict[str, tuple[Json, Json, str | None]] = {
    "a digit that Brazil has added": (text("5511987654321"), contact("Ana", "551187654321"), "Ana"),
    "a digit that Mexico has dropped": (text("5215512345678"), contact("Luz", "525512345678"), "Luz"),
    "a digit that Argentina has added": (text("5491112345678"), contact("Sol", "541112345678"), "Sol"),
    "written otherwise": (text("491700000001"), contact("Ada", "+49 (170) 000-0001"), "Ada"),
    "a number as a number": (text("491700000001"), contact("Ada", 491700000001), "Ada"),  # type: ignore[arg-type]
    "by id alone": (text(None, from_user_id="DE.1"), contact("Ada", user_id="DE.1"), "Ada"),
    "id and number, the number another": (
        text("5511987654321", from_user_id="BR.1"), contact("Ana", "551187654321", user_id="BR.1"), "Ana",
    ),
    "without any id": (text("491700000001"), contact("Ada"), "Ada"),
    "another id": (text("491700000001", from_user_id="DE.1"), contact("Eve", "49999999", user_id="DE.2"), None),
}  # fmt: skip


@pytest.mark.parametrize("case", ALONE)
def test_a_single_contact_describes_a_single_person(case: str) -> None:
    """One contact and one person belong together, unless the ids say that they do not."""
    item, about, name = ALONE[case]
    (fact,) = facts(change(messages=[item], contacts=[about]))
    assert fact.sender is not None
    assert fact.sender.name == name


def test_several_people_are_told_apart_by_their_names_only() -> None:
    """Where there are several people or contacts, nobody is named by chance."""
    two = [text("5511987654321", 1), text("491700000001", 2)]
    assert names(change(messages=two, contacts=[contact("Ana", "551187654321")])) == [None, None]
    both = [contact("Ada", "491700000001"), contact("Ana", "551187654321")]
    assert names(change(messages=two, contacts=both)) == [None, "Ada"]
    again = [text("5511987654321", 1), text("5511987654321", 2)]
    assert names(change(messages=again, contacts=[contact("Ana", "551187654321")])) == [
        "Ana",
        "Ana",
    ]


def test_a_status_finds_its_contact_too() -> None:
    """The person behind a status is the one that its only contact describes."""
    status = {"id": "wamid.1", "status": "sent", "timestamp": "1", "recipient_id": "5511987654321"}
    about = contact("Ana", "551187654321", user_id="BR.1")
    (fact,) = facts(change(statuses=[status], contacts=[about]))
    assert fact.chat is not None
    assert fact.chat.name == "Ana"
    assert ("bsuid", "BR.1") in {(alias.type, alias.value) for alias in fact.chat.aliases}


@pytest.mark.parametrize(
    "kind", ["user_changed_number", "customer_identity_changed", "group_created"]
)
def test_a_system_message_has_its_contact(kind: str) -> None:
    """A system message names the person as the contact shows them, and takes no id of theirs from it."""
    system = {"type": kind, "body": "…", "wa_id": "491700000009"}
    item = {**text("491700000001"), "type": "system", "system": system}
    for wa_id in ("491700000001", "491700000009"):
        (fact,) = facts(change(messages=[item], contacts=[contact("Ada", wa_id)]))
        assert fact.sender is not None
        assert (fact.sender.external_id, fact.sender.name) == ("+491700000001", "Ada")
        assert fact.sender.aliases == ()
        assert fact.raw["value"]["contacts"]


# ── who changed into whom ─────────────────────────────────────────────────────────────────────


def system(kind: str, sender: str | None, known: str | None, **now: Any) -> Json:
    """The payload of a system message."""
    item = text(sender, **({} if known is None else {"from_user_id": known}))
    item |= {"type": "system", "system": {"type": kind, "body": "…", **now}}
    (fact,) = facts(change(messages=[item]))
    return dict(fact.payload)


CHANGES: dict[str, tuple[Json, Json]] = {
    "a number": (
        system("user_changed_number", "491700000001", None, wa_id="491700000009"),
        {"previous": "+491700000001", "current": "+491700000009", "number": "+491700000009"},
    ),
    "a number and an id": (
        system("user_changed_number", "491700000001", "DE.1", wa_id="491700000009", user_id="DE.2"),
        {"previous": "+491700000001", "current": "+491700000009", "number": "+491700000009",
         "user_id": "DE.2"},
    ),
    "an id": (
        system("user_changed_user_id", None, "DE.1", user_id="DE.2"),
        {"previous": "DE.1", "current": "DE.2", "user_id": "DE.2"},
    ),
    "a number of whom only the id was known": (
        system("user_changed_number", None, "DE.1", wa_id="491700000009"),
        {"number": "+491700000009", "user_id": "DE.1"},
    ),
    "an id of whom only the number was known": (
        system("user_changed_user_id", "491700000001", None, user_id="DE.2"),
        {"number": "+491700000001", "user_id": "DE.2"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_names_like_with_like(case: str) -> None:
    """`previous` and `current` are two numbers or two ids, never one of each."""
    payload, expected = CHANGES[case]
    told = {name: payload.get(name) for name in ("previous", "current", "number", "user_id")}
    assert {name: one for name, one in told.items() if one is not None} == expected


def test_an_update_of_an_id_names_both_ids() -> None:
    """`user_id_update` tells the two ids as such, the number beside them, and the person's name."""
    value = {"user_id": {"previous": "DE.1", "current": "DE.2"}, "wa_id": "491700000009"}
    (fact,) = facts(change("user_id_update", **value, contacts=[contact("Ada", "491700000009")]))
    told = {name: fact.payload[name] for name in ("previous", "current", "number", "user_id")}
    assert told == {
        "previous": "DE.1",
        "current": "DE.2",
        "number": "+491700000009",
        "user_id": "DE.2",
    }
    assert fact.sender is not None
    assert fact.sender.name == "Ada"


# ── kinds to come ─────────────────────────────────────────────────────────────────────────────

MEDIA = {"id": "777", "mime_type": "model/gltf; v=2", "sha256": "", "caption": "a thing"}
UNKNOWN: dict[str, tuple[Any, list[str]]] = {
    "a file": (MEDIA, ["777"]),
    "a file within": ({"header": {"hologram": MEDIA}, "id": "no-media"}, ["777"]),
    "several": ({"items": [MEDIA, {**MEDIA, "id": 778}]}, ["777", "778"]),
    "an id of something else": ({"id": "777", "name": "x"}, []),
    "a text": ("hello", []),
    "nothing": (None, []),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_type_to_come_brings_its_files(case: str) -> None:
    """A message of a type that nobody knows yet has the files that it names as such."""
    content, ids = UNKNOWN[case]
    item = {**text("491700000001"), "type": "hologram", "hologram": content}
    (fact,) = facts(change(messages=[item]))
    assert [ref.handle["id"] for ref in fact.files] == ids
    assert fact.payload["type"] == "hologram"
    if ids and case == "a file":
        assert fact.files[0].mime_type == "model/gltf"
        assert fact.payload["message"]["text"] == "a thing"


# ── cost ──────────────────────────────────────────────────────────────────────────────────────


def calls(people: int) -> int:
    """How many functions are called while a change of so many people with a message each is read."""
    numbers = [str(491700000000 + n) for n in range(people)]
    body = json.loads(json.dumps(change(
        messages=[text(number, n) for n, number in enumerate(numbers)],
        contacts=[contact(f"P{n}", number) for n, number in enumerate(reversed(numbers))],
    )))  # fmt: skip
    count = 0

    def counted(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        found = read(body)
    finally:
        sys.setprofile(None)
    assert len(found) == people
    return count


def test_the_cost_of_a_change_grows_with_its_size() -> None:
    """Four times the people and contacts cost about four times as much, not sixteen times."""
    assert calls(400) < 4.5 * calls(100)
