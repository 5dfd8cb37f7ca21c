"""The pictures of the rooms: every arrow drawn is an import, every import between rooms is drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .rooms import house, within

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "two-doors.md"
REAL = {"the house": house(), "_store": within("_store")}
Arrows = frozenset[tuple[str, str]]


def pictures(page: str) -> dict[str, Arrows]:
    """The arrows of each Mermaid picture that says which rooms it shows."""
    found = {}
    for name, body in re.findall(r"```mermaid\n%% rooms: (.+)\n((?:.*\n)*?)```", page):
        lines = re.findall(r"^\s*(\w+) --> (.+)$", body, re.MULTILINE)
        found[name] = frozenset((one, other) for one, to in lines for other in to.split(" & "))
    return found


def faults(drawn: Arrows, real: Arrows) -> list[str]:
    """What is drawn and not there, and what is there and not drawn."""
    return [
        *(f"drawn, not there: {one} --> {other}" for one, other in sorted(drawn - real)),
        *(f"there, not drawn: {one} --> {other}" for one, other in sorted(real - drawn)),
    ]


@pytest.mark.parametrize("name", REAL)
def test_a_picture_is_what_the_imports_say(name: str) -> None:
    """Arrow by arrow."""
    assert faults(pictures(PAGE.read_text("utf-8"))[name], REAL[name]) == []


def test_an_arrow_too_many_or_too_few_is_found() -> None:
    """A planted arrow, and one that was left out, are both told."""
    page = PAGE.read_text("utf-8")
    drawn = pictures(page.replace("  _io --> _store & words", "  _io --> _store & _inbound"))
    assert faults(drawn["the house"], REAL["the house"]) == [
        "drawn, not there: _io --> _inbound",
        "there, not drawn: _io --> words",
    ]
