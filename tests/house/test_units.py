"""Every unit of work names the application that it is for, or says why it concerns the whole file.

Knows: the calls that hand a unit to the database, in every module. Does not know: what the units do.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "outeract_core"
HANDS = {"write", "write_now", "begin"}
TAKERS = ("database", "runtime")


def _handed(source: str) -> Iterator[ast.Call]:
    """The calls of `database.write(…)`, `runtime.begin(…)` and the like."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in HANDS
            and ast.unparse(node.func.value).rpartition(".")[2].lstrip("_") in TAKERS
        ):
            yield node


def faults(source: str) -> list[str]:
    """The calls of a module that name nothing, or nobody without a reason beside it."""
    lines, found = source.splitlines(), []
    for call in _handed(source):
        (named, *_) = [word.value for word in call.keywords if word.arg == "app"] or [None]
        told = any("  # " in line for line in lines[call.lineno - 1 : call.end_lineno])
        if named is None:
            found.append(f"line {call.lineno}: names no application")
        elif isinstance(named, ast.Constant) and named.value is None and not told:
            found.append(f"line {call.lineno}: says not why it concerns the whole file")
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_every_unit_names_its_application(path: Path) -> None:
    """An engine with several writers chooses one by it, and takes its lock before the first statement."""
    assert faults(path.read_text("utf-8")) == []


def test_there_are_units_to_look_at() -> None:
    """The test above looks at the calls that there are."""
    found = [call for path in PACKAGE.rglob("*.py") for call in _handed(path.read_text("utf-8"))]
    assert len(found) > 50


FAULTS = {
    "await self._runtime.write(unit)": 1,
    "await runtime.database.write_now(unit, app=None)": 1,
    "database.begin(unit, failed, durable=True)": 1,
    "await runtime.write(\n    unit,\n    app=None,  # of all at once\n)": 0,
    "await self._runtime.write(unit, app=conn.app)": 0,
    "out.write(text)": 0,
}


@pytest.mark.parametrize("source", FAULTS)
def test_what_is_missing_is_found(source: str) -> None:
    """A unit without a name, and one for everybody without a reason; a file is no database."""
    assert len(faults(source)) == FAULTS[source]
