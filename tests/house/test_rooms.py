"""Rooms: no circle, none too full, each with a door that says what is inside."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Mapping
from pathlib import Path

import grimp
import pytest

from .rooms import PACKAGE, arrows, imports

ROOT = Path(__file__).resolve().parents[2]
CODE = ["outeract_core", "adapters", "benchmarks", "tests", "docs"]
FILES = [
    path
    for name in CODE
    for path in sorted((ROOT / name).rglob("*"))
    if path.suffix in (".py", ".sql") and "samples" not in path.parts
]
FOLDERS = sorted({path.parent for path in FILES})
ROOMS = [
    folder
    for folder in FOLDERS
    if set(folder.parts) & {PACKAGE, "outeract_adapters", "benchmarks"}
    and "tests" not in folder.parts
    and "sql" not in folder.parts
]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ── circles ───────────────────────────────────────────────────────────────────────────────────


def _circle(arrows: Mapping[str, frozenset[str]]) -> list[str]:
    """The members of one circle; none when there is none."""
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def _modules(package: str) -> dict[str, frozenset[str]]:
    """For each module what it imports, lazy and type-checking imports included."""
    graph = grimp.build_graph(package, cache_dir=None, exclude_type_checking_imports=False)
    return {
        module: frozenset(graph.find_modules_directly_imported_by(module))
        for module in graph.modules
    }


def _rooms(arrows: frozenset[tuple[str, str]]) -> dict[str, frozenset[str]]:
    return {
        one: frozenset(other for start, other in arrows if start == one)
        for one in {start for start, _ in arrows}
    }


@pytest.mark.parametrize("package", [PACKAGE, "outeract_adapters", "benchmarks"])
def test_no_module_imports_itself_by_a_detour(package: str) -> None:
    """No circle of imports, lazy and type-checking ones included."""
    found = _modules(package)
    assert len(found) > 20
    assert _circle(found) == []


HIDDEN = {
    "in a function": "def late():\n    from . import above\n",
    "for type checking": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import above\n",
}


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_circle_cannot_hide(hidden: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A circle is found whose way back is an import in a function, or one for type checking only."""
    name = f"planted_{hidden.replace(' ', '_')}"
    (tmp_path / name).mkdir()
    for file, text in {
        "__init__": "",
        "above": "from . import below\n",
        "below": HIDDEN[hidden],
    }.items():
        (tmp_path / name / f"{file}.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert set(_circle(_modules(name))) == {f"{name}.above", f"{name}.below"}


def test_a_circle_in_the_package_would_be_found() -> None:
    """One arrow back from the bottom closes a circle, and it is told."""
    planted = {**imports(), f"{PACKAGE}.errors": frozenset({f"{PACKAGE}._api.outeract"})}
    assert f"{PACKAGE}.errors" in _circle(planted)


def test_no_room_imports_itself_by_a_detour() -> None:
    """No circle between rooms either, and one that is planted is told."""
    assert _circle(_rooms(arrows())) == []
    planted = arrows() | {("_store.records", "_store.reading")}
    assert {"_store.records", "_store.reading"} <= set(_circle(_rooms(planted)))


# ── sizes ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("folder", "most"), [("outeract_core", 30), ("outeract_core/_store", 8)])
def test_a_folder_is_read_at_a_glance(folder: str, most: int) -> None:
    """So many entries at most."""
    entries = [entry for entry in (ROOT / folder).iterdir() if entry.name != "__pycache__"]
    assert len(entries) <= most


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_no_room_is_too_full(folder: Path) -> None:
    """Twenty modules at most."""
    assert sum(path.parent == folder and path.suffix == ".py" for path in FILES) <= 20


# ── doors ─────────────────────────────────────────────────────────────────────────────────────


SPEAKING = {
    "outeract_core",
    "outeract_core/_cli",
    "outeract_core/testing",
    "outeract_core/text",
    "adapters/outeract_adapters/slack",
    "adapters/outeract_adapters/telegram",
    "adapters/outeract_adapters/whatsapp",
    "benchmarks/peers",
    "benchmarks/readers",
}
"""Rooms whose `__init__` is more than a door: public modules, a program, an adapter's name, a port."""
ALIKE = {"benchmarks/scenarios", "benchmarks/peers", "benchmarks/readers"}
"""Rooms of files that are alike: there is no order in which to read them."""
WHOLE = {"outeract_core"}
"""Its docstring is what a host reads; the rooms in it are named on the page with the picture."""


def _doc(room: Path) -> str:
    return ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""


def _held(room: Path) -> set[str]:
    """The files and rooms in a room, but for those that Python itself names."""
    inside = {path for path in room.glob("*.py") if not path.name.startswith("__")}
    rooms = {folder for folder in FOLDERS if room in folder.parents}
    return {path.relative_to(room).parts[0].removesuffix(".py") for path in inside | rooms}


def unnamed(doc: str, held: set[str]) -> set[str]:
    """What stands in a room and is not named at its door."""
    return held - set(re.findall(r"`(\w+)", doc))


@pytest.mark.parametrize("room", ROOMS, ids=_name)
def test_every_door_says_what_the_room_knows(room: Path) -> None:
    """It says what the room knows, and what it does not."""
    doc = " ".join(_doc(room).split())
    assert re.search(r"\b(This room knows|Knows:) ", doc)
    assert re.search(r"\b(it does not know|Does not know:) ", doc, re.IGNORECASE)


@pytest.mark.parametrize("room", ROOMS, ids=_name)
def test_every_door_names_what_is_inside(room: Path) -> None:
    """Each file and each room in it, so that the order of reading leaves nothing out."""
    if _name(room) not in ALIKE | WHOLE:
        assert unnamed(_doc(room), _held(room)) == set()


def test_a_file_that_no_door_names_is_found() -> None:
    """A new file has to be put into the order of reading."""
    room = ROOT / PACKAGE / "_inbound"
    assert unnamed(_doc(room), _held(room) | {"brand_new"}) == {"brand_new"}


@pytest.mark.parametrize("room", ROOMS, ids=_name)
def test_a_door_hands_nothing_on(room: Path) -> None:
    """There is nothing in it but its docstring; imports name the file that they mean."""
    if _name(room) not in SPEAKING:
        tree = ast.parse((room / "__init__.py").read_text("utf-8"))
        assert [type(node) for node in tree.body] == [ast.Expr]
