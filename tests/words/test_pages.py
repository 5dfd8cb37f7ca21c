"""Pages as values: cursors go there and back, and nothing else is a cursor."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core.errors import BadInput, InvalidCursor
from outeract_core.pages import Asked, Page, asked, checked, from_cursor, to_cursor


@given(st.integers(0, 2**63 - 1))
def test_a_cursor_leads_back(position: int) -> None:
    """Every position has a cursor that leads back to it and is safe in a URL."""
    cursor = to_cursor(position)
    assert from_cursor(cursor) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")


@given(st.one_of(st.text(max_size=14), st.binary(max_size=12), st.integers(), st.none()))
def test_nothing_else_is_a_cursor(value: object) -> None:
    """What is no cursor raises InvalidCursor, or it is one of ours after all."""
    try:
        position = from_cursor(value)  # type: ignore[arg-type]
    except InvalidCursor:
        return
    assert isinstance(value, str)
    assert from_cursor(to_cursor(position)) == position
    assert 0 <= position < 2**63


@given(st.binary(min_size=0, max_size=16).filter(lambda raw: len(raw) != 8 or raw[0] > 127))
def test_bytes_of_another_shape_are_refused(raw: bytes) -> None:
    """Only eight bytes that SQLite can count to are a position."""
    with pytest.raises(InvalidCursor):
        from_cursor(base64.urlsafe_b64encode(raw).decode().rstrip("="))


@given(st.lists(st.integers(1, 2**62), unique=True, max_size=12), st.integers(1, 12))
def test_a_page_keeps_one_back_to_know_of_more(found: list[int], first: int) -> None:
    """Of `first` + 1 positions the page shows `first` and says that there are more."""
    page = Asked(first).page(found[: first + 1], int, lambda kept: [str(one) for one in kept])
    assert list(page) == [str(one) for one in found[:first]]
    assert len(page) == len(page.cursors)
    assert page.has_next == (len(found) > first)
    assert [from_cursor(cursor) for cursor in page.cursors] == found[:first]
    assert page.end_cursor == (page.cursors[-1] if found else None)


def test_the_size_of_a_page_has_bounds() -> None:
    """From 1 to 1000."""
    assert [checked(first) for first in (1, 1000)] == [1, 1000]
    for first in (0, -1, 1001, True):
        with pytest.raises(BadInput):
            checked(first)


def test_an_error_does_not_repeat_what_it_was_given() -> None:
    """The text of the error is short, however long the cursor."""
    with pytest.raises(InvalidCursor) as caught:
        from_cursor("x" * 100_000)
    assert len(str(caught.value)) < 100


def test_an_empty_page_has_no_cursor() -> None:
    """A page without nodes has no end cursor and no total unless asked."""
    page: Page[int] = Asked(5).page([], int, list)
    assert (page.nodes, page.start_cursor, page.end_cursor) == ((), None, None)
    assert (page.has_next, page.has_previous, page.total_count) == (False, False, None)


@given(st.lists(st.integers(1, 2**62), unique=True, max_size=12), st.integers(1, 12), st.data())
def test_a_page_read_back_stands_in_the_same_order(
    listing: list[int], first: int, data: st.DataObject
) -> None:
    """Found from the cursor back, shown as the listing is; the cursor's own node is the next one."""
    at = data.draw(st.integers(0, len(listing)))
    found = listing[:at][::-1][: first + 1]
    page = asked(first, before=to_cursor(1)).page(found, int, list)
    assert list(page) == listing[max(0, at - first) : at]
    assert (page.has_previous, page.has_next) == (at > first, True)


def test_a_page_has_one_cursor() -> None:
    """`after` and `before` together are refused."""
    with pytest.raises(BadInput):
        asked(5, to_cursor(1), to_cursor(2))
