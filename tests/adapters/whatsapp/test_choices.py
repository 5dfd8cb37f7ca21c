"""Buttons and menus on WhatsApp: within its limits, or as text; never cut so that a tap is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_core.content import Button, Menu, MenuRow
from outeract_core.errors import Rejected
from tests.support.whatsapp.bodies import EVERY, SHOP
from tests.support.whatsapp.calls import file, out, posted
from tests.support.whatsapp.openapi import faults


def test_buttons() -> None:
    """Buttons and quick replies become reply buttons."""
    for outgoing in (EVERY["buttons"], EVERY["quick replies"]):
        (body,) = posted(outgoing)
        shown = body["interactive"]
        assert (shown["type"], shown["body"]) == ("button", {"text": "Sure?"})
        assert [one["reply"] for one in shown["action"]["buttons"]] == [
            {"id": "yes", "title": "Yes"},
            {"id": "no", "title": "No"},
        ]


def test_titles_are_shortened_and_differ() -> None:
    """Long titles end in an ellipsis; equal ones are numbered, since WhatsApp wants them unique."""
    (body,) = posted(EVERY["long titles"])
    titles = [one["reply"]["title"] for one in body["interactive"]["action"]["buttons"]]
    assert titles == ["A title that is muc…", "A title that is m… 2"]
    assert body["interactive"]["body"]["text"] == f"*{'h' * 61}*\n\nWhich?\n\n{'f' * 61}"


def test_sections_are_gathered() -> None:
    """Rows of one section stand together; of several sections each has a title."""
    (body,) = posted(EVERY["menu in sections"])
    sections = body["interactive"]["action"]["sections"]
    assert [(one["title"], [row["id"] for row in one["rows"]]) for one in sections] == [
        ("One", ["a", "c"]),
        ("Two", ["b"]),
        ("Pick", ["d"]),
    ]


def test_link_buttons() -> None:
    """One link alone is a button; beside others its address stands in the text."""
    (alone,) = posted(EVERY["a link button"])
    assert alone["interactive"]["action"]["parameters"]["url"] == SHOP.url
    (among,) = posted(EVERY["a link button among others"])
    assert among["interactive"]["body"]["text"] == f"Buy\n\nOpen the shop: {SHOP.url}"
    assert len(among["interactive"]["action"]["buttons"]) == 2


@pytest.mark.parametrize(
    "name", ["twelve buttons", "menu too long", "buttons in a group", "buttons under a long text"]
)
def test_choices_that_do_not_fit_are_text(name: str) -> None:
    """Where nothing interactive fits, every choice is in the text; none is dropped."""
    outgoing = EVERY[name]
    (body,) = posted(outgoing)
    assert body["type"] == "text"
    rows = outgoing.menu.rows if outgoing.menu else ()
    for title in [button.title for button in outgoing.buttons] + [row.title for row in rows]:
        assert title in body["text"]["body"]
    assert outgoing.text in body["text"]["body"]


def test_an_id_is_never_shortened() -> None:
    """An id that WhatsApp would refuse is refused with its limit: cut, the tap would be unknown."""
    with pytest.raises(Rejected, match="256"):
        posted(out("x", buttons=(Button("i" * 257, "Yes"),)))
    with pytest.raises(Rejected, match="200"):
        posted(out("x", menu=Menu("Pick", [MenuRow("i" * 201, "Yes")])))


titles = st.text(min_size=1, max_size=60)
buttons = st.lists(st.builds(Button, st.text(min_size=1, max_size=20), titles), max_size=12)
rows = st.lists(
    st.builds(MenuRow, st.text(min_size=1, max_size=20), titles, st.none() | titles, st.none() | titles),
    max_size=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(min_size=1, max_size=1200), choices=buttons, menu=rows,
    header=st.none() | titles, footer=st.none() | titles,
    kind=st.none() | st.sampled_from(["image", "voice", "document"]),
)  # fmt: skip
def test_any_choices_are_valid(
    text: str, choices: list[Button], menu: list[MenuRow], header: Any, footer: Any, kind: Any
) -> None:
    """Whatever the titles, texts and numbers of choices, the bodies are valid and nothing is lost."""
    outgoing = out(
        text, buttons=choices, menu=Menu("Pick", menu) if menu else None, header=header,
        footer=footer, files=(file(kind),) if kind else (),
    )  # fmt: skip
    bodies = posted(outgoing)
    assert all(faults(body) == [] for body in bodies)
    assert any(text in _words(body) for body in bodies)
    for body in bodies:
        titles = [one["reply"]["title"] for one in _buttons(body)]
        assert len(set(titles)) == len(titles)


def _words(body: dict[str, Any]) -> str:
    """The text, caption or body of an interactive message."""
    shown = body[body["type"]]
    found: Any = shown.get("body") or shown.get("caption") or ""
    return str(found["text"] if isinstance(found, dict) else found)


def _buttons(body: dict[str, Any]) -> list[Any]:
    found: list[Any] = body.get("interactive", {}).get("action", {}).get("buttons", [])
    return found
