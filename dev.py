"""Everything that is done to this repository: `python3 dev.py COMMAND`, with nothing but Python.

Knows: how to make `.venv`, install the project into it, and run each command there.
Does not know: what any command does.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts" if os.name == "nt" else "bin") / "python"
STAMP = VENV / "installed"
SOURCES = ["outeract_core", "adapters", "tests", "benchmarks", "dev.py", "supply.py"]


def setup() -> None:
    """Make the environment; nothing to do while pyproject.toml is as it was installed."""
    wanted = hashlib.sha256(
        (ROOT / "pyproject.toml").read_bytes() + sys.version.encode()
    ).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted and PYTHON.exists():
        return
    print("setting up .venv (once) …", flush=True)
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-e", f"{ROOT}[dev]"], check=True)
    STAMP.write_text(wanted)


def run(*module: str) -> None:
    """A module in the environment, with its arguments."""
    checked(str(PYTHON), "-m", *module)


def checked(*command: str) -> None:
    """A command in the repository; ends this program with its status when it fails."""
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    if status:
        sys.exit(status)


def demo(arguments: list[str]) -> None:
    """The main job, from webhooks to delivered replies."""
    recorded = ROOT.parent / "shared" / "fixtures" / "recorded"
    more = ["--recorded", str(recorded)] if recorded.is_dir() else []
    run("outeract_core", "demo", *more, *arguments)


def lint(_arguments: list[str]) -> None:
    """Style, types, layers."""
    run("ruff", "check", *SOURCES)
    run("ruff", "format", "--check", *SOURCES)
    run("mypy")
    checked(str(PYTHON.parent / "lint-imports"), "--no-cache")


def test(arguments: list[str]) -> None:
    """Everything that must hold."""
    if not arguments:
        lint([])
        arguments = ["-n", str(min(8, os.cpu_count() or 1))]
    run("pytest", *arguments)


def docs(_arguments: list[str]) -> None:
    """Write the generated pages anew; then try every snippet and link of the documentation."""
    checked(str(PYTHON), "docs/generate.py")
    run("pytest", "tests/docs")


def bench(arguments: list[str]) -> None:
    """Measure: [NAME…] [--size 10k|1m|10m] [--rounds N] [--json]."""
    peers()
    run("benchmarks", *arguments)


def peers() -> None:
    """What the benchmarks compare with: the extra `bench`, into the same environment, once.

    A peer that cannot be had here is left out, and the benchmark says so.
    """
    import tomllib  # older Pythons have no such module, and are told so before this

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted: list[str] = project["optional-dependencies"]["bench"]
    stamp = VENV / "installed-bench"
    if stamp.exists() and stamp.read_text() == "\n".join(wanted):
        return
    print("installing what the benchmarks compare with (once) …", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if subprocess.run([*pip, *wanted], check=False).returncode:
        for each in wanted:
            subprocess.run([*pip, each], check=False)
    stamp.write_text("\n".join(wanted))


LOWEST = ROOT / ".venv-lowest"
"""An environment with the oldest versions that pyproject.toml allows."""
QUICK = [
    "tests/domain",
    "tests/inbound/test_quick_json.py",
    "tests/store/test_ingest.py",
    "tests/io/web/test_http.py",
    "tests/maintenance/test_import.py",
]
"""What is tried with them: what leans on each dependency, in about a minute."""
WITH = ("pytest", "pytest-timeout", "hypothesis", "trio")
"""What these tests need beside the library."""


def requirements() -> dict[str, list[str]]:
    """What pyproject.toml asks for: of the library (``), and by extra."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    own = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [one for one in found if "outeract" not in one] for extra, found in own.items()}


def lowest_of(requirement: str) -> str:
    """`name>=1.2,<2` as `name==1.2`."""
    name, _, bound = requirement.partition(">=")
    return f"{name}=={bound.partition(',')[0]}"


def lowest(arguments: list[str]) -> None:
    """Try the library with the oldest versions that it allows: [TESTS…]."""
    asked = requirements()
    tools = [one for one in asked["dev"] if one.split(">")[0] in WITH]
    wanted = [
        lowest_of(one) for extra in ("", "schema", "markdown", "fast") for one in asked[extra]
    ]
    wanted += [lowest_of(one) for one in tools]
    python = LOWEST / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = LOWEST / "installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(wanted):
        print("setting up .venv-lowest (once) …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(LOWEST)], check=True)
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        checked(*pip, *wanted)
        checked(*pip, "--no-deps", "-e", str(ROOT))
        stamp.write_text("\n".join(wanted))
    checked(str(python), "-m", "pytest", *(arguments or QUICK))


def audit(_arguments: list[str]) -> None:
    """Look up known faults of every dependency, as installed. 2: the service could not be asked."""
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "pip-audit>=2.7,<3"], check=False)
    checked(str(PYTHON), "supply.py", "audit")


def sbom(_arguments: list[str]) -> None:
    """A bill of materials (CycloneDX) of the wheel and what it needs, into dist/."""
    checked(str(PYTHON), "supply.py", "sbom")


def build(_arguments: list[str]) -> None:
    """A wheel and a source archive in dist/."""
    run("build")


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "setup": lambda _arguments: None,
    "demo": demo,
    "test": test,
    "lint": lint,
    "docs": docs,
    "bench": bench,
    "lowest": lowest,
    "audit": audit,
    "sbom": sbom,
    "build": build,
}


def main(arguments: list[str]) -> None:
    """Run one command."""
    if not arguments or arguments[0] not in COMMANDS:
        sys.exit("usage: python3 dev.py COMMAND [ARGUMENTS]\n\n" + "\n".join(
            f"  {name:6} {call.__doc__ or 'Only make the environment.'}"
            for name, call in COMMANDS.items()
        ))  # fmt: skip
    if sys.version_info < (3, 11):
        sys.exit("Python 3.11 or newer is needed")
    setup()
    COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
