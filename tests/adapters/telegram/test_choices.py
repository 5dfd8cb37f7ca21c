"""Buttons, menus and quick replies become Telegram's keyboards; what those cannot hold is refused."""

from __future__ import annotations

import pytest

from outeract_core.adapter import Recipient
from outeract_core.content import Button, Menu, MenuRow
from outeract_core.errors import Rejected
from outeract_core.testing import drive
from tests.support.telegram.bodies import MENU, YES_NO
from tests.support.telegram.calls import CHANNEL, CUSTOMER, GROUP, PUBLIC, calls, out, params
from tests.support.telegram.samples import telegram


def test_inline_keyboard() -> None:
    """Buttons stand below the message; a press brings their id back; links open."""
    (call,) = calls(out("Sure?", buttons=(*YES_NO, Button("s", "Shop", "https://e.org"))))
    assert params(call)["reply_markup"] == {"inline_keyboard": [[
        {"text": "Yes", "callback_data": "yes"}, {"text": "No", "callback_data": "no"},
        {"text": "Shop", "url": "https://e.org"},
    ]]}  # fmt: skip


@pytest.mark.parametrize(("longest", "rows"), [(12, [3, 1]), (20, [2, 2]), (21, [1, 1, 1, 1])])
def test_rows_of_buttons(longest: int, rows: list[int]) -> None:
    """The longer the labels, the fewer of them stand side by side."""
    buttons = tuple(Button(f"b{n}", "x" * longest) for n in range(4))
    (call,) = calls(out("?", buttons=buttons))
    assert [len(row) for row in params(call)["reply_markup"]["inline_keyboard"]] == rows


def test_menu() -> None:
    """Each row is a button; what its description says stands in the text."""
    (call,) = calls(out("Which?", menu=MENU))
    assert [[one["text"] for one in row] for row in params(call)["reply_markup"]["inline_keyboard"]] == [
        ["Small"], ["Large"],
    ]  # fmt: skip
    assert params(call)["text"] == "Which?\n\n• Small: fits a cat"


@pytest.mark.parametrize("size", [65, 1000])
def test_ids_that_telegram_cannot_carry(size: int) -> None:
    """An id over 64 bytes is refused by name before any request: cut, a press would be unknown."""
    for outgoing in (out("?", buttons=(Button("x" * size, "X"),)),
                     out("?", menu=Menu("m", [MenuRow("x" * size, "X")]))):  # fmt: skip
        with pytest.raises(Rejected, match=r"64"):
            drive(telegram().send(outgoing), [])
    calls(out("?", buttons=(Button("é" * 32, "X"),)))
    with pytest.raises(Rejected, match="66 bytes"):
        calls(out("?", buttons=(Button("é" * 33, "X"),)))


def test_reply_keyboard() -> None:
    """Quick replies are a keyboard that goes away after use; an id is not needed for it."""
    (call,) = calls(out("Sure?", quick_replies=(Button("x" * 100, "Yes"), Button("", "No"))))
    assert params(call)["reply_markup"] == {
        "keyboard": [[{"text": "Yes"}, {"text": "No"}]],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }


def test_reply_keyboard_in_a_group() -> None:
    """In a group only the person who is answered sees the keyboard."""
    (call,) = calls(out("Sure?", GROUP, quick_replies=YES_NO, reply_to="5:-1001234567890"))
    assert params(call)["reply_markup"]["selective"] is True


@pytest.mark.parametrize("to", [CHANNEL, CUSTOMER, PUBLIC])
def test_where_there_is_no_reply_keyboard(to: Recipient) -> None:
    """In channels and for business accounts quick replies are buttons below the message."""
    (call,) = calls(out("Sure?", to, quick_replies=YES_NO))
    assert "inline_keyboard" in params(call)["reply_markup"]


def test_too_many_buttons() -> None:
    """More than Telegram shows is refused, not cut."""
    with pytest.raises(Rejected, match="100"):
        calls(out("?", buttons=tuple(Button(f"b{n}", "x") for n in range(101))))
