"""The pictures of the rooms: every arrow drawn is an import, every import between rooms is drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .rooms import below, house, pure, within

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "two-doors.md"
Arrows = frozenset[tuple[str, str]]
REAL: dict[str, Arrows] = {
    "the house": house(),
    "_api": below("_api", own="handle"),
    "_store": within("_store"),
    "what is pure": pure(),
}


def pictures(page: str) -> dict[str, Arrows]:
    """The arrows of each Mermaid picture, by the rooms that it shows."""
    found = {}
    for block in re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL):
        name, kind, *lines = block.splitlines()
        assert kind == "flowchart TD"
        found[name.removeprefix("%% rooms: ")] = frozenset(
            arrow for line in lines for arrow in _drawn(line)
        )
    return found


def _drawn(line: str) -> list[tuple[str, str]]:
    """The arrows of one line; a line of another shape would be an arrow that nobody compares."""
    shape = re.fullmatch(r"  (\w+) --> (\w+(?: & \w+)*)", line)
    assert shape, f"not an arrow: {line!r}"
    return [(shape[1], other) for other in shape[2].split(" & ")]


def faults(drawn: Arrows, real: Arrows) -> list[str]:
    """What is drawn and not there, and what is there and not drawn."""
    return [
        *(f"drawn, not there: {one} --> {other}" for one, other in sorted(drawn - real)),
        *(f"there, not drawn: {one} --> {other}" for one, other in sorted(real - drawn)),
    ]


def test_every_picture_of_the_page_is_compared() -> None:
    """No picture stands on the page that the imports are not asked about, and none is missing."""
    assert set(pictures(PAGE.read_text("utf-8"))) == set(REAL)


@pytest.mark.parametrize("name", REAL)
def test_a_picture_is_what_the_imports_say(name: str) -> None:
    """Arrow by arrow, in both directions."""
    assert REAL[name]
    assert faults(pictures(PAGE.read_text("utf-8"))[name], REAL[name]) == []


@pytest.mark.parametrize("name", REAL)
def test_an_arrow_too_many_or_too_few_is_found(name: str) -> None:
    """An arrow turned round on the page is told twice: one is not there, one is not drawn."""
    page = PAGE.read_text("utf-8")
    one, other = min(REAL[name])
    turned = frozenset(REAL[name] - {(one, other)}) | {(other, one)}
    block = re.search(rf"%% rooms: {name}\nflowchart TD\n(.*?)```", page, re.DOTALL)
    assert block
    lines = "".join(f"  {a} --> {b}\n" for a, b in sorted(turned))
    drawn = pictures(page.replace(block[1], lines))[name]
    assert faults(drawn, REAL[name]) == [
        f"drawn, not there: {other} --> {one}",
        f"there, not drawn: {one} --> {other}",
    ]
