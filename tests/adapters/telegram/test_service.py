"""Service messages: the kind is what has happened, whatever stands beside it and in whatever order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters.telegram.inbound.members import SERVICE
from tests.support.telegram.samples import one, samples

ADA = {"id": 42, "is_bot": False, "first_name": "Ada"}
BOB = {"id": 43, "is_bot": False, "first_name": "Bob"}
GROUP = {"id": -1001234567890, "type": "supergroup", "title": "Engines"}
FLAGS = (
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
)
PLAIN = sorted(set(SERVICE) - {"migrate_to_chat_id", "migrate_from_chat_id", "web_app_data"})


def message(**more: Any) -> dict[str, Any]:
    """A message of a group without any content."""
    body = {"message_id": 5, "date": 1_767_322_800, "chat": GROUP, "from": ADA, **more}
    return {"update_id": 1000, "message": body}


def kind(body: dict[str, Any]) -> str:
    """What it is told as."""
    fact = one(body)
    return str(fact.payload.get("notice") or fact.payload["type"])


@pytest.mark.parametrize("name", PLAIN)
def test_every_service_message_is_told_as_what_it_is(name: str) -> None:
    """Each kind of the Bot API is told by its name, before what a later version may add to it."""
    value = True if name in FLAGS else [BOB] if name == "new_chat_members" else BOB
    assert kind(message(a_flag_to_come=True, **{name: value})) == name
    assert kind(message(**{name: value}, zzz={"x": 1})) == name


TWINS = {
    "joined": ({"new_chat_participant": BOB, "new_chat_member": BOB, "new_chat_members": [BOB]},
               "new_chat_members"),
    "left": ({"left_chat_participant": BOB, "left_chat_member": BOB}, "left_chat_member"),
    "shared": ({"user_shared": {"user_id": 1}, "users_shared": {"users": []}}, "users_shared"),
    "joined, formerly": ({"new_chat_participant": BOB}, "new_chat_members"),
    "video chat, formerly": ({"voice_chat_started": {}}, "video_chat_started"),
}  # fmt: skip


@pytest.mark.parametrize("case", TWINS)
def test_a_former_name_is_no_kind_of_its_own(case: str) -> None:
    """What former versions called otherwise is told by today's name, alone or beside it."""
    members, name = TWINS[case]
    for order in (list(members), list(reversed(members))):
        fact = one(message(**{member: members[member] for member in order}))
        assert fact.payload["notice"] == name
        if "joined" in case:
            assert fact.payload["members"] == [{"id": "43", "name": "Bob"}]


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_that_is_false_did_not_happen(flag: str) -> None:
    """`false` is what a member that is not there says too; so is an empty list."""
    assert kind(message(**{flag: False})) == "unsupported"
    assert kind(message(**{flag: False}, new_chat_title="New")) == "new_chat_title"
    assert kind(message(**{flag: False}, text="hi")) == "text"
    assert kind(message(**{flag: True}, new_chat_photo=[])) == flag
    assert kind(message(photo=[], text="hi")) == "text"


def test_a_forward_of_former_versions_says_something_about_a_message() -> None:
    """`forward_from` and its like still come beside `forward_origin`: they are never its kind."""
    fact = one(message(text="hi", forward_from=BOB, forward_date=1_767_000_000))
    assert fact.payload["message"]["forwarded"] is True
    assert kind(message(forward_from=BOB, forward_date=1)) == "unsupported"
    assert kind(message(forward_sender_name="Bob", hologram={})) == "hologram"


def test_more_than_one_has_happened() -> None:
    """Of two kinds the one that the Bot API names first is told, of two unknown ones the first by name."""
    assert kind(message(pinned_message={}, new_chat_members=[BOB])) == "new_chat_members"
    assert kind(message(bbb=1, aaa=2)) == "aaa"


def shuffled(value: Any, draw: Any) -> Any:
    """`value` with the members of every object in another order."""
    if isinstance(value, dict):
        names = draw(st.permutations(sorted(value)))
        return {name: shuffled(value[name], draw) for name in names}
    return [shuffled(one, draw) for one in value] if isinstance(value, list) else value


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(samples())), st.data())
def test_the_order_of_members_means_nothing(name: str, data: st.DataObject) -> None:
    """Every sample says the same in whatever order its members come: JSON objects have none."""
    from tests.support.telegram.samples import read, told

    body = samples()[name]["body"]
    key = lambda fact: str(fact.get("key"))  # noqa: E731
    before = sorted(map(told, read(body)), key=key)
    after = sorted(map(told, read(shuffled(body, data.draw))), key=key)
    assert [one | {"payload": _plain(one)} for one in after] == [
        one | {"payload": _plain(one)} for one in before
    ]


def _plain(fact: dict[str, Any]) -> Any:
    return fact.get("payload")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from([*PLAIN, "hologram", "new_chat_participant"]),
        min_size=1,
        max_size=5,
        unique=True,
    ),
    st.data(),
)
def test_the_order_of_service_members_means_nothing(names: list[str], data: st.DataObject) -> None:
    """Any set of service members gives one kind, whatever the order."""
    values = {name: True if name in FLAGS else BOB for name in names}
    assert (
        len(
            {
                kind(message(**{n: values[n] for n in data.draw(st.permutations(names))}))
                for _ in range(3)
            }
        )
        == 1
    )


SAID = {
    "gift": ({"gift": {"id": "1"}, "text": "for you"}, "for you", None),
    "suggested_post_declined": (
        {"suggested_post_message": {"message_id": 4, "chat": GROUP}, "comment": "too long"}, "too long", "4:-1001234567890",
    ),
    "checklist_tasks_done": (
        {"checklist_message": {"message_id": 3, "chat": GROUP}, "marked_as_done_task_ids": [1]}, None, "3:-1001234567890",
    ),
    "pinned_message": ({"message_id": 2, "chat": GROUP, "date": 1, "text": "rules"}, None, "2:-1001234567890"),
    "new_chat_title": ("Boilers", None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_the_words_of_a_service_message_are_told_and_what_it_is_about(name: str) -> None:
    """Somebody has written them; and the message that it is about is its target."""
    content, words, target = SAID[name]
    fact = one(message(**{name: content}))
    assert (fact.payload.get("text"), fact.target) == (words, target)
    assert fact.payload.get("target_message_id") == target
