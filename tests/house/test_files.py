"""Every file is short, says what it knows, and has a name that says what it is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import outeract_core

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [ROOT / "outeract_core", ROOT / "adapters" / "outeract_adapters"]
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
OWN = [
    *MODULES,
    ROOT / "dev.py",
    *sorted((ROOT / "benchmarks").rglob("*.py")),
    *sorted((ROOT / "docs").glob("*.py")),
]
TEXTS = sorted(
    path
    for path in subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode().split("\0")
    if path and "samples" not in Path(path).parts and path != "tests/house/test_files.py"
) if (ROOT / ".git").exists() else []  # fmt: skip
WRITTEN = {".py", ".md", ".toml", ".sql", ".json", ".cfg", ".yaml", ".yml", ".svg", ""}
"""The endings of files that people write; `.importlinter` and its like have none."""


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_is_short_and_says_what_it_knows(path: Path) -> None:
    """No module is over 400 lines, and its first lines say what it knows and what it does not."""
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    if path.name in ("__main__.py",) and len(text.splitlines()) < 15:
        return
    doc = ast.get_docstring(ast.parse(text)) or ""
    lone = path.name == "__init__.py" and not re.search(r"^(def|class) ", text, re.MULTILINE)
    assert doc, "a module opens with its docstring"
    if not lone:
        assert "Knows:" in doc
        assert "Does not know:" in doc


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_say_what_things_are(path: Path) -> None:
    """Nothing is called Manager, Helper, Util, Base, Impl or Service."""
    tree = ast.parse(path.read_text("utf-8"))
    names = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    bad = re.compile(r"(Manager|Helper|Utils?|Base|Impl|Service)$|^(helper|util)s?_")
    assert not [name for name in [*names, path.stem] if bad.search(name)]


@pytest.mark.skipif(not TEXTS, reason="not a checkout")
def test_nothing_names_a_machine() -> None:
    """No file names a path of some machine, or the host of a package registry."""
    place = re.compile(r"/(?:home|root|Users)/\w|/work/|/tmp/|pypi\.org|files\.pythonhosted")
    found = []
    for name in TEXTS:
        path = ROOT / name
        if path.is_file() and path.suffix in WRITTEN:
            lines = path.read_text("utf-8", "replace").splitlines()
            found += [f"{name}:{n}" for n, line in enumerate(lines, 1) if place.search(line)]
    assert found == []


def test_the_public_names_are_there_and_in_one_place() -> None:
    """Everything in `outeract_core.__all__` exists, and nothing else is public by accident."""
    for name in outeract_core.__all__:
        assert hasattr(outeract_core, name)
    assert sorted(outeract_core.__all__, key=str.lower) == sorted(
        set(outeract_core.__all__), key=str.lower
    )


def test_importing_the_library_stays_light() -> None:
    """Every public name loads neither the network, nor JSON Schema, nor Markdown, nor pytest."""
    heavy = ["httpx", "cattrs", "jsonschema", "markdown_it", "pytest", "trio", "outeract_adapters"]
    code = f"import sys\nfrom outeract_core import *\nprint([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
