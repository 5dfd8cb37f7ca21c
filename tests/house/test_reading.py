"""The walk through the code names files and definitions that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "reading-the-code.md"
STOPS = re.findall(r"\| \d+ \| `([\w/.]+\.py)` \| ([^|]+) \|", PAGE.read_text("utf-8"))


def _home(name: str) -> Path:
    return ROOT / name if name.startswith("adapters/") else ROOT / "outeract_core" / name


def _defined(path: Path) -> set[str]:
    """Every class and function of a file, methods as `Class.method`."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}" for one in node.body if hasattr(one, "name")}
    return found


def test_the_walk_has_its_stops() -> None:
    """Enough of them for a message in, a turn, and a message out."""
    assert len(STOPS) >= 25


@pytest.mark.parametrize(("file", "names"), STOPS)
def test_a_stop_is_there(file: str, names: str) -> None:
    """The file exists, and defines what one is to look at."""
    wanted = set(re.findall(r"`([\w.]+)`", names))
    assert wanted
    assert wanted <= _defined(_home(file))


@pytest.mark.parametrize(
    "file", sorted(set(re.findall(r"`([\w/]+\.py)`", PAGE.read_text("utf-8"))))
)
def test_every_file_that_is_named_exists(file: str) -> None:
    """Also those that are named beside the walk."""
    assert _home(file).exists() or (ROOT / file).exists()
