"""The walk through the code, and the page for contributors, name files and definitions that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from .rooms import PACKAGE

ROOT = Path(__file__).resolve().parents[2]
WALK = (ROOT / "docs" / "explanation" / "reading-the-code.md").read_text("utf-8")
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
STOPS = re.findall(r"^\| \d+ \| `([\w/.]+\.py)` \| ([^|]+) \|", WALK, re.MULTILINE)
BESIDE = re.findall(r"`([\w/.]+\.py)`,\s+((?:`[\w.]+`(?: and )?)+)", WALK)


def _path(name: str) -> Path:
    """A file as the pages call it: from the checkout, or from the package."""
    return ROOT / name if (ROOT / name).exists() else ROOT / PACKAGE / name


@cache
def _defined(path: Path) -> frozenset[str]:
    """Every class and function of a file, methods as `Class.method`, and its constants."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}" for one in node.body if hasattr(one, "name")}
        if isinstance(node, ast.Assign):
            found |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    return frozenset(found)


def missing(file: str, names: str) -> set[str]:
    """What of the names, each between backticks, the file does not define."""
    return set(re.findall(r"`([\w.]+)`", names)) - _defined(_path(file))


def test_the_walk_has_its_stops_in_order() -> None:
    """Enough of them for a message in, a turn, and a message out, counted from one."""
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", WALK, re.MULTILINE)]
    assert len(STOPS) == len(numbers) >= 25
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(("file", "names"), [*STOPS, *BESIDE])
def test_a_stop_is_there(file: str, names: str) -> None:
    """The file exists, and defines what one is to look at."""
    assert "`" in names
    assert missing(file, names) == set()


def test_the_walk_enters_every_room_of_a_message() -> None:
    """No room on the way of a message is passed by."""
    entered = {file.split("/")[0] for file, _ in STOPS}
    assert {"_inbound", "_handlers", "_outbound", "_io", "_store", "_domain", "_api"} <= entered


def test_a_stop_that_is_gone_is_found() -> None:
    """A definition that was renamed is told."""
    assert missing("_inbound/receiver.py", "`Receiver.webhook`, `Receiver.gone`") == {
        "Receiver.gone"
    }


@pytest.mark.parametrize("page", [WALK, GUIDE], ids=["reading-the-code", "CONTRIBUTING"])
def test_every_file_that_a_page_names_exists(page: str) -> None:
    """Files and folders between backticks, also those beside the walk."""
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", page)
    paths = {name for name in named if "/" in name or name.endswith((".py", ".md", ".toml"))}
    assert len(paths) > 10
    assert {name for name in paths if not _path(name).exists()} == set()


@pytest.mark.parametrize(("name", "file"), re.findall(r"`([A-Z_]+)` in\s+`([\w/.]+\.py)`", GUIDE))
def test_every_table_that_is_to_be_filled_is_there(name: str, file: str) -> None:
    """A name that the guide gives with its file stands in that file."""
    assert missing(file, f"`{name}`") == set()


def test_every_link_for_contributors_leads_somewhere() -> None:
    """Relative links name files of the checkout."""
    links = re.findall(r"\]\(([^)#]+)\)", GUIDE)
    assert [link for link in links if ":" not in link and not (ROOT / link).exists()] == []


@pytest.mark.parametrize(("file", "word"), re.findall(r"dev\.py test (\S+\.py) -k (\w+)", GUIDE))
def test_a_test_that_is_shown_would_run(file: str, word: str) -> None:
    """The guide's example of one test selects one that exists."""
    assert re.search(rf"def test_\w*{word}", (ROOT / file).read_text("utf-8"))
