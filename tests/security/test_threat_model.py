"""The threat model: what it says is tried is tried, and what is tried stands in it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.places import ROOT

PAGE = ROOT / "docs" / "explanation" / "threat-model.md"
HERE = Path(__file__).parent
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_HEAD = ["attacker", "tries", "held by", "proved by"]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _rows() -> list[list[str]]:
    """The rows of every table of attacks."""
    rows, inside = [], False
    for line in PAGE.read_text("utf-8").splitlines():
        if not line.startswith("|"):
            inside = False
        elif _cells(line) == _HEAD:
            inside = True
        elif inside and not line.startswith("|---"):
            rows.append(_cells(line))
    return rows


@cache
def _tests(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text("utf-8"))
    found = (n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[1][:60])
def test_every_attack_names_the_tests_that_try_it(row: list[str]) -> None:
    """A row has four cells, and its tests exist."""
    assert len(row) == len(_HEAD)
    assert all(row)
    named = _NAMED.findall(row[3])
    assert named, "no test is named"
    for file, name in named:
        assert name in _tests(ROOT / file), f"{file} has no {name}"


def test_every_attack_of_this_folder_stands_in_the_model() -> None:
    """A test of `tests/security` that the page does not name would be a promise nobody reads."""
    named = set(_NAMED.findall(PAGE.read_text("utf-8")))
    there = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in sorted(HERE.rglob("test_*.py"))
        if path != Path(__file__)
        for name in _tests(path)
    }
    assert there, "no attack is tried"
    assert sorted(there - named) == []
