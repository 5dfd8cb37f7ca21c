"""Rooms: no circle, none too full, each with a door that says what is inside, as the pictures draw them."""

from __future__ import annotations

import ast
import graphlib
import re
from pathlib import Path

import grimp
import pytest

from .rooms import PACKAGE, arrows, imports

ROOT = Path(__file__).resolve().parents[2]
CODE = ["outeract_core", "adapters", "benchmarks", "tests", "docs"]
FOLDERS = sorted({
    path.parent for name in CODE for path in (ROOT / name).rglob("*.py")
})  # fmt: skip
ROOMS = [
    folder
    for folder in FOLDERS
    if folder.is_relative_to(ROOT / PACKAGE) or "outeract_adapters" in folder.parts
]
SPEAKING = {"outeract_core", "text", "testing", "_cli", "slack", "telegram", "whatsapp"}
"""Rooms whose `__init__` is more than a door: public modules, a program, an adapter's name."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _circles(arrows: dict[str, frozenset[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", [PACKAGE, "outeract_adapters", "benchmarks"])
def test_no_module_imports_itself_by_a_detour(package: str) -> None:
    """No circle of imports, lazy and type-checking ones included."""
    graph = grimp.build_graph(package, cache_dir=None, exclude_type_checking_imports=False)
    found = {
        module: frozenset(graph.find_modules_directly_imported_by(module))
        for module in graph.modules
    }
    assert len(found) > 20
    assert _circles(found) == []


def test_a_circle_would_be_found() -> None:
    """One arrow back from the bottom closes a circle, and it is told."""
    planted = dict(imports())
    planted[f"{PACKAGE}.errors"] = frozenset({f"{PACKAGE}._api.outeract"})
    assert f"{PACKAGE}.errors" in _circles(planted)


def test_no_room_imports_itself_by_a_detour() -> None:
    """No circle between rooms either."""
    rooms: dict[str, set[str]] = {}
    for one, other in arrows():
        rooms.setdefault(one, set()).add(other)
    assert _circles({name: frozenset(targets) for name, targets in rooms.items()}) == []


@pytest.mark.parametrize(("folder", "most"), [("outeract_core", 30), ("outeract_core/_store", 8)])
def test_a_folder_is_read_at_a_glance(folder: str, most: int) -> None:
    """So many entries at most."""
    entries = [entry for entry in (ROOT / folder).iterdir() if entry.name != "__pycache__"]
    assert len(entries) <= most


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_no_room_is_too_full(folder: Path) -> None:
    """Twenty files of code at most."""
    assert len(list(folder.glob("*.py"))) <= 20


@pytest.mark.parametrize("room", ROOMS, ids=_name)
def test_every_room_has_a_door_that_names_its_files(room: Path) -> None:
    """What the room knows and does not, and in which order to read; nothing is re-exported."""
    text = (room / "__init__.py").read_text("utf-8")
    tree = ast.parse(text)
    doc = ast.get_docstring(tree) or ""
    if room.name in SPEAKING:
        assert doc
        return
    inside = [path.stem for path in room.glob("*.py") if path.name != "__init__.py"]
    if inside:
        assert "does not know" in doc or "Does not know" in doc
    words = set(re.findall(r"`(\w+)", doc))
    assert not [name for name in inside if name not in words and not name.startswith("__")]
    assert not [node for node in tree.body if not isinstance(node, ast.Expr)]
