"""The house as drawn: layers, sizes, names, what every file says of itself."""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import outeract_core
from outeract_core._store.engine import statements
from outeract_core._store.reading import views
from outeract_core._store.transfer import rebuild

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = [ROOT / "outeract_core", ROOT / "adapters" / "outeract_adapters"]
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
OWN = [*MODULES, ROOT / "dev.py", *sorted((ROOT / "benchmarks").rglob("*.py"))]
TEXTS = sorted(
    path
    for path in subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode().split("\0")
    if path and not path.startswith("tests/samples/") and path != "tests/test_house.py"
) if (ROOT / ".git").exists() else []  # fmt: skip


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
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".sql", ".json", ".cfg", ""}:
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


def test_every_statement_has_one_owner() -> None:
    """No SQL lies about unused, and none is loaded under two names."""
    store = ROOT / "outeract_core" / "_store"
    code = "".join(path.read_text("utf-8") for path in store.glob("*.py"))
    loaded = re.findall(r'statement\(\s*"(\w+)"', code)
    assert len(loaded) == len(set(loaded))
    named = {*loaded, *rebuild.TABLES.values(), *(s.name for s in views._MESSAGES.values())}
    assert set(statements.texts()) == named


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()",
         "--no-cache"],
        cwd=folder, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": f"{folder}:{folder / 'adapters'}", "PATH": "", "PYTHONUTF8": "1"},
    )  # fmt: skip


PLANTED = {
    "layers": ("outeract_core/_store/log.py", "from .._app import App"),
    "apsw": ("outeract_core/_app.py", "import apsw"),
    "httpx": ("outeract_core/_sender.py", "import httpx"),
    "colour": ("outeract_core/_store/people.py", "import threading"),
    "core": ("outeract_core/_plugins.py", "import outeract_adapters.slack"),
    "public": ("adapters/outeract_adapters/slack/send.py", "import outeract_core._codec"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and the contracts in a folder of their own."""
    folder = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(package, folder / package.relative_to(ROOT))
    shutil.copy(ROOT / ".importlinter", folder)
    return folder


def test_every_contract_is_kept_and_has_a_planted_fault(copy: Path) -> None:
    """The import contracts hold, and for each of them a breach is tried below."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    named = {name.rsplit(":", 1)[1] for name in contracts.sections() if ":contract:" in name}
    assert named == set(PLANTED)
    done = _lint(copy)
    assert done.returncode == 0, done.stdout


def test_adapters_are_kept_from_every_private_module() -> None:
    """The contract names each module of core whose name begins with an underscore."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    named = contracts["importlinter:contract:public"]["forbidden_modules"].split()
    private = {path.stem for path in (ROOT / "outeract_core").glob("_*") if path.stem[1] != "_"}
    assert set(named) == {f"outeract_core.{name}" for name in private}


@pytest.mark.parametrize("contract", PLANTED)
def test_a_forbidden_import_breaks_its_contract(copy: Path, contract: str) -> None:
    """A forbidden import is found."""
    path, line = PLANTED[contract]
    file = copy / path
    before = file.read_text("utf-8")
    file.write_text(f"{before}\n{line}\n", "utf-8")
    try:
        done = _lint(copy)
    finally:
        file.write_text(before, "utf-8")
    assert done.returncode != 0
    assert "BROKEN" in done.stdout
