"""The contracts between rooms hold, name rooms, and each is shown to break."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from outeract_core._store.engine import statements
from outeract_core._store.reading import views

from .rooms import PACKAGE, imports

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [ROOT / "outeract_core", ROOT / "adapters" / "outeract_adapters"]
OUTSIDE = ("testing", "__main__")
"""What stands beside the layers: tools for authors, and the package's own entry."""


def test_every_statement_has_one_owner() -> None:
    """No SQL lies about unused, and none is loaded under two names."""
    store = ROOT / "outeract_core" / "_store"
    code = "".join(path.read_text("utf-8") for path in store.rglob("*.py"))
    loaded = re.findall(r'statement\(\s*"(\w+)"', code)
    assert len(loaded) == len(set(loaded))
    named = {*loaded, *(s.name for s in (*views._MESSAGES.values(), *views._ROOTS.values()))}
    together = store / "engine" / "composed" / "messages.py"
    named |= set(re.findall(r'of\(\s*"(\w+)"', together.read_text("utf-8")))
    assert set(statements.texts()) == named


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()",
         "--no-cache"],
        cwd=folder, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": f"{folder}:{folder / 'adapters'}", "PATH": "", "PYTHONUTF8": "1"},
    )  # fmt: skip


PLANTED = {
    "layers": ("outeract_core/_store/records/log.py", "from ..._api.app import App"),
    "api": ("outeract_core/_api/app.py", "from .message import Message"),
    "store": ("outeract_core/_store/records/log.py", "from ..writing import bulk"),
    "apsw": ("outeract_core/_api/app.py", "import apsw"),
    "port": ("outeract_core/_store/writing/people.py", "from ..engine.sqlite import Connection"),
    "httpx": ("outeract_core/_outbound/sender.py", "import httpx"),
    "colour": ("outeract_core/_store/writing/people.py", "import threading"),
    "core": ("outeract_core/_io/plugins.py", "import outeract_adapters.slack"),
    "public": ("adapters/outeract_adapters/slack/send.py", "import outeract_core._domain.values"),
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
    named = {name.rsplit(":", 1)[1] for name in _contracts().sections() if ":contract:" in name}
    assert named == set(PLANTED)
    done = _lint(copy)
    assert done.returncode == 0, done.stdout


def _contracts() -> configparser.ConfigParser:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", "utf-8")
    return contracts


def _contract(name: str, members: str) -> set[str]:
    """What of core a contract names."""
    text = _contracts()[f"importlinter:contract:{name}"][members]
    return set(re.findall(r"outeract_core[\w.]*", text))


def test_adapters_are_kept_from_every_private_room() -> None:
    """The contract names each room of core whose name begins with an underscore."""
    private = {path.stem for path in (ROOT / PACKAGE).glob("_*") if path.stem[1] != "_"}
    assert _contract("public", "forbidden_modules") == {f"{PACKAGE}.{name}" for name in private}


def test_every_module_stands_in_a_layer() -> None:
    """A new file is covered by its room; nothing stands outside but what is named here."""
    layers = _contract("layers", "layers")
    outside = [
        module
        for module in imports()
        if module != PACKAGE
        and module.split(".")[1] not in OUTSIDE
        and not any(f"{module}.".startswith(f"{layer}.") for layer in layers)
        and f"{module}." not in {f"{layer.rpartition('.')[0]}." for layer in layers}
    ]
    assert outside == []


def test_contracts_name_rooms() -> None:
    """No private module is named alone, but those that the application's handle is put together from, and
    what is behind the port.
    """
    private = re.compile(r"outeract_core\._\w+(?:\.\w+)*")
    named = set(private.findall((ROOT / ".importlinter").read_text("utf-8")))
    alone = {name for name in named if not (ROOT / name.replace(".", "/")).is_dir()}
    assert alone == {
        "outeract_core._api.app",
        "outeract_core._api.message",
        "outeract_core._api.outeract",
        *_contract("port", "forbidden_modules"),
    }


def test_whatever_must_not_wait_is_named() -> None:
    """Every public module, and each room below the doors: a new one cannot be forgotten."""
    waiting = {"_api", "_cli", "_handlers", "_inbound", "_io", "_outbound", "blocking"}
    entries = {name.split(".")[1] for name in imports() if name != PACKAGE}
    quiet = entries - waiting - set(OUTSIDE)
    assert _contract("colour", "source_modules") == {f"{PACKAGE}.{name}" for name in quiet}


def test_every_room_sees_the_port_alone() -> None:
    """Who may know an engine's connection is named here: the engine and door one. A new room may not."""
    engine, door = f"{PACKAGE}._store.engine", f"{PACKAGE}._io"
    named = _contract("port", "source_modules")
    private = {name for name in imports() if name.startswith(f"{PACKAGE}._") and "__" not in name}
    rooms = {".".join(name.split(".")[: 3 if "._store." in name else 2]) for name in private}
    assert named - {f"{PACKAGE}.testing"} == rooms - {engine, door, f"{PACKAGE}._store"}


def _broken(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The contracts that were told to be broken, by their short names."""
    told = set(re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE))
    return {
        name for name in PLANTED if _contracts()[f"importlinter:contract:{name}"]["name"] in told
    }


@pytest.mark.parametrize("contract", PLANTED)
def test_a_forbidden_import_breaks_its_contract(copy: Path, contract: str) -> None:
    """A forbidden import is found, by the very contract that forbids it."""
    path, line = PLANTED[contract]
    file = copy / path
    before = file.read_text("utf-8")
    file.write_text(f"{before}\n{line}\n", "utf-8")
    try:
        done = _lint(copy)
    finally:
        file.write_text(before, "utf-8")
    assert done.returncode != 0
    assert contract in _broken(done)


def test_a_new_file_is_covered_by_its_room(copy: Path) -> None:
    """A file that nobody has added anywhere may import no more than its neighbours."""
    file = copy / "outeract_core" / "_store" / "records" / "brand_new.py"
    file.write_text(
        "import threading\n\nimport apsw\n\nfrom ..._io import http\nfrom ..writing import bulk\n"
    )
    try:
        done = _lint(copy)
    finally:
        file.unlink()
    assert _broken(done) == {"apsw", "colour", "layers", "store"}
