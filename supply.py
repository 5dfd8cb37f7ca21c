"""What the library is made of: a bill of materials, and known faults of what it needs.

Knows: the metadata of installed distributions, CycloneDX 1.6, how pip-audit ends.
Does not know: environments, how anything is installed (`dev.py`, which runs this in one).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

NAME = "outeract-core"
UNREACHED = 2


def needed(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What a distribution needs here, with the extras of it that are asked for."""
    for text in distribution(name).requires or ():
        asked = Requirement(text)
        marker = asked.marker
        if marker is None or any(marker.evaluate({"extra": one}) for one in (*extras, "")):
            yield asked.name, frozenset(asked.extras)


def closure() -> dict[str, list[str]]:
    """Everything that the wheel with all extras needs, each with what it needs itself."""
    found: dict[str, list[str]] = {}
    todo = [(NAME, frozenset({"all", "schema", "markdown", "fast"}))]
    while todo:
        name, extras = todo.pop()
        if normal(name) not in found:
            inner = [one for one in needed(name, extras) if normal(one[0]) != NAME]
            found[normal(name)] = sorted({normal(one) for one, _extras in inner})
            todo += inner
    return found


def normal(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def component(found: Distribution, kind: str) -> dict[str, Any]:
    """One distribution as CycloneDX has it."""
    name, about = normal(found.metadata["Name"]), found.metadata
    licence = about.get("License-Expression") or next(
        (one.rpartition(" :: ")[2] for one in about.get_all("Classifier", []) if one.startswith("License ::")),
        about.get("License", ""),
    )  # fmt: skip
    made: dict[str, Any] = {
        "type": kind, "bom-ref": reference(name, found.version), "name": name,
        "version": found.version, "purl": reference(name, found.version),
    }  # fmt: skip
    if about.get("Summary"):
        made["description"] = about["Summary"]
    if about.get("License-Expression"):
        made["licenses"] = [{"expression": licence}]
    elif licence:
        made["licenses"] = [{"license": {"name": licence.splitlines()[0]}}]
    return made


def reference(name: str, version: str) -> str:
    """The package URL of a distribution."""
    return f"pkg:pypi/{name}@{version}"


def bill() -> dict[str, Any]:
    """The bill of materials. The same for the same versions: it has no time, and no random number."""
    edges = closure()
    versions = {name: distribution(name).version for name in edges}
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": component(distribution(NAME), "library")},
        "components": [
            component(distribution(name), "library") for name in sorted(edges) if name != NAME
        ],
        "dependencies": [
            {"ref": reference(name, versions[name]),
             "dependsOn": [reference(one, versions[one]) for one in edges[name]]}
            for name in sorted(edges)
        ],
    }  # fmt: skip


def sbom() -> int:
    """Write it into dist/."""
    made = bill()
    target = Path("dist") / f"{NAME}-{distribution(NAME).version}.cdx.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    print(f"{target}: {len(made['components'])} components")
    return 0


def audit() -> int:
    """Ask about each version that is installed. 0: nothing known; 1: faults; 2: not all were looked up.

    An index that does not know a version is no answer either: pip-audit calls that "no known faults".
    """
    versions = {name: distribution(name).version for name in sorted(closure()) if name != NAME}
    answer = _asked("".join(f"{name}=={version}\n" for name, version in versions.items()))
    known = {
        one["name"]: [each["id"] for each in one["vulns"]]
        for one in answer.get("dependencies", [])
        if "vulns" in one
    }
    for name, faults in known.items():
        print(f"{name} {versions.get(name, '')}: {', '.join(faults) or 'nothing known'}")
    missing = sorted(versions.keys() - known.keys())
    if missing:
        print(f"NOT LOOKED UP: {', '.join(missing)}: {answer['why']}", file=sys.stderr)
    return 1 if any(known.values()) else UNREACHED if missing else 0


def _asked(wanted: str) -> dict[str, Any]:
    """What pip-audit says, and `why` it says no more."""
    try:
        distribution("pip-audit")
    except PackageNotFoundError:
        return {"why": "pip-audit is not installed and could not be had"}
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "-f", "json"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as asked:
        asked.write(wanted)
        asked.flush()
        done = subprocess.run(
            [*command, "-r", asked.name], text=True, capture_output=True, check=False
        )
    last = (done.stderr.strip().splitlines() or ["it has said nothing"])[-1]
    try:
        return {
            "why": "the service does not know these versions, or was not reached",
            **json.loads(done.stdout),
        }
    except ValueError:
        return {"why": last}


if __name__ == "__main__":
    sys.exit({"sbom": sbom, "audit": audit}[sys.argv[1]]())
