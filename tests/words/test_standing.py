"""The fold of a message: what edits, deletions, reactions and presses leave, in whatever order they came."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core.model import AppId, ConnectionId, Names, PlatformUser
from outeract_core.standing import KINDS, Change, Now, fold, offered

NAMES = Names(AppId(UUID(int=1)), {1: (ConnectionId(UUID(int=2)), "pigeon")}, {})


def who(number: int) -> PlatformUser:
    """A person."""
    uid = UUID(int=number).bytes
    return PlatformUser((number, uid, uid, 1, f"p{number}", "person", None, None, 0), NAMES)


def change(kind: str, at: int, payload: Any, by: int | None = 1, **more: Any) -> Change:
    """One event about a message; its place in the log is its time, unless told."""
    told = {"position": at, **more}
    name = f"message.{kind}"
    return Change(kind=name, at=at, payload_json=json.dumps(payload), who=by and who(by), **told)


def edit(at: int, text: str, **more: Any) -> Change:
    """New words."""
    return change("edited", at, {"message": {"text": text}}, **more)


MESSAGE = {"type": "text", "text": "first"}
PAYLOADS = {
    "message.edited": st.sampled_from(["a", "b"]).map(lambda text: {"message": {"text": text}}),
    "message.reparsed": st.sampled_from(["c", "d"]).map(lambda text: {"message": {"text": text}}),
    "message.deleted": st.just({}),
    "message.transcribed": st.sampled_from(["x", "y"]).map(lambda text: {"text": text}),
    "message.action": st.sampled_from(["1", "2"]).map(lambda one: {"type": "button", "id": one}),
    "message.reaction_added": st.fixed_dictionaries(
        {"emoji": st.sampled_from("👍🎉")}, optional={"single": st.just(True)}
    ),
    "message.reaction_removed": st.fixed_dictionaries({"emoji": st.sampled_from(["👍", "🎉", ""])}),
}


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """Changes of different times."""
    times = draw(st.lists(st.integers(0, 50), unique=True, max_size=12))
    found = []
    for at in times:
        kind = draw(st.sampled_from(KINDS))
        found.append(Change(at, kind, at, json.dumps(draw(PAYLOADS[kind])),
                            draw(st.none() | st.integers(1, 3).map(who)), draw(st.booleans())))  # fmt: skip
    return found


@given(histories(), st.randoms(use_true_random=False))
def test_it_does_not_matter_in_which_order_things_arrive(
    changes: list[Change], random: Any
) -> None:
    """The same events of different times come to the same, whatever order they are read in."""
    mixed = list(changes)
    random.shuffle(mixed)
    assert fold(MESSAGE, mixed) == fold(MESSAGE, changes)


def _without_positions(now: Now) -> Any:
    return (now.message, now.edited_at, now.deleted_at, now.transcripts,
            [(one.emoji, one.by, one.at) for one in now.reacted],
            [(one.id, one.by, one.at) for one in now.presses])  # fmt: skip


@given(histories(), st.permutations(range(12)))
def test_the_place_in_the_log_does_not_matter_where_times_differ(
    changes: list[Change], places: list[int]
) -> None:
    """Events that were stored in another order than they happened in come to the same."""
    moved = [
        Change(places[n], one.kind, one.at, one.payload_json, one.who, one.done)
        for n, one in enumerate(changes)
    ]
    assert _without_positions(fold(MESSAGE, moved)) == _without_positions(fold(MESSAGE, changes))


@given(histories())
def test_the_fold_is_what_a_reader_of_the_log_would_say(changes: list[Change]) -> None:
    """Against a model: the last words, the first deletion, each person's reactions, every press."""
    done = sorted((one for one in changes if one.done), key=lambda one: one.at)
    now = fold(MESSAGE, changes)
    texts = [
        json.loads(o.payload_json)["message"]["text"]
        for o in done
        if o.kind in ("message.edited", "message.reparsed")
    ]
    assert now.message["text"] == [*["first"], *texts][-1]
    edited = [one for one in done if one.kind == "message.edited"]
    assert (now.edited_at is None) == (not edited)
    gone = [one.at for one in done if one.kind == "message.deleted"]
    assert (now.deleted_at is None) == (not gone)
    assert [p.position for p in now.presses] == [o.at for o in done if o.kind == "message.action"]
    left: set[tuple[Any, str]] = set()
    for one in done:
        told = json.loads(one.payload_json)
        by = one.who and one.who.id
        if by is None or "reaction" not in one.kind:
            continue
        if told.get("single") or not told["emoji"]:
            left = {mine for mine in left if mine[0] != by}
        if one.kind.endswith("added"):
            left.add((by, told["emoji"]))
        else:
            left.discard((by, told["emoji"]))
    assert {(r.by.id, r.emoji) for r in now.reacted if r.by is not None} == left


@given(histories(), st.integers(0, 12))
def test_what_is_not_done_has_changed_nothing(changes: list[Change], cut: int) -> None:
    """What the application has tried in vain, or not yet, is as if it were not there."""
    assert fold(MESSAGE, [one for one in changes if one.done]) == fold(MESSAGE, changes)
    assert fold(MESSAGE, []) == Now(MESSAGE)


def test_of_one_time_the_later_event_counts() -> None:
    """WhatsApp and Telegram tell whole seconds: within one, the order of the log decides."""
    changes = [edit(5, "a", position=8), edit(5, "b", position=9)]
    assert fold(MESSAGE, changes[::-1]).message["text"] == "b"
    taken = change("reaction_removed", 5, {"emoji": "👍"}, position=2)
    given_ = change("reaction_added", 5, {"emoji": "👍"}, position=1)
    assert fold(MESSAGE, [taken, given_]).reacted == ()


MENUS = st.lists(
    st.none() | st.dictionaries(st.sampled_from("ab"), st.sampled_from(["Yes", "No", "New"])),
    max_size=5,
)


@given(MENUS, st.sampled_from("abc"))
def test_a_press_has_the_title_that_was_last_offered_under_its_id(
    menus: list[Any], key: str
) -> None:
    """Also where the menu was changed or taken away meanwhile: an old one still stands on somebody's screen."""
    offers = [
        {} if menu is None else {"buttons": [{"id": id_, "title": t} for id_, t in menu.items()]}
        for menu in menus
    ]
    message = {**MESSAGE, **(offers[0] if offers else {})}
    edits = [
        change("edited", at, {"message": {"text": "new", **offer}})
        for at, offer in enumerate(offers[1:], 1)
    ]
    pressed = change("action", 50, {"type": "button", "id": key})
    (press,) = fold(message, [*edits, pressed]).presses
    titles = [menu[key] for menu in menus if menu and key in menu]
    assert press.title == (titles[-1] if titles else None)


def test_a_caption_stays_a_caption() -> None:
    """New words do not make a text of a picture; a new picture is what it is."""
    picture = {"type": "image", "text": "a cat"}
    words = change("edited", 1, {"message": {"type": "text", "text": "the cat"}})
    now = fold(picture, [words])
    assert (now.message["type"], now.message["text"], now.with_files) == ("image", "the cat", None)
    film = change("edited", 2, {"message": {"type": "video", "text": "the cat runs"}})
    now = fold(picture, [words, film], [2])
    assert (now.message["type"], now.with_files) == ("video", 2)


def test_an_edit_takes_the_choices_away_that_it_does_not_bring() -> None:
    """A keyboard that the new words do not bring is gone; a place that they do not speak of stays."""
    before = {**MESSAGE, "buttons": [{"id": "y", "title": "Yes"}], "location": {"latitude": 1}}
    now = fold(before, [edit(1, "done")])
    assert list(offered(now.message)) == []
    assert now.message["location"] == {"latitude": 1}


@pytest.mark.parametrize("payload", [{"erased": True}, [], None, {"message": 1}, {"emoji": 5}, {}])
@pytest.mark.parametrize("kind", KINDS)
def test_a_payload_of_any_shape_is_folded(kind: str, payload: Any) -> None:
    """What was dropped, or is of a stranger's making, never breaks a page."""
    now = fold(MESSAGE, [Change(1, kind, 1, json.dumps(payload), None)])
    assert now.message["text"] == "first"
