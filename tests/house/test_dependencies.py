"""What the project needs: within bounds, of which the lowest is tried; and a bill of it."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import dev
import supply

ALL = sorted({one for found in dev.requirements().values() for one in found})


@pytest.mark.parametrize("text", ALL)
def test_every_dependency_has_a_lowest_and_a_highest_version(text: str) -> None:
    """`>=` what is tried by `dev.py lowest`, and `<` what nobody has seen; an exact bound counts for both."""
    bounds = {one.operator: Version(one.version) for one in Requirement(text).specifier}
    assert set(bounds) == {">=", "<"}, text
    assert bounds[">="] < bounds["<"]
    assert dev.lowest_of(text) == f"{Requirement(text).name}=={bounds['>=']}"


def test_ci_tries_the_newest_and_the_oldest() -> None:
    """The command of the CI runs both."""
    text = (dev.ROOT / ".ci" / "run").read_text()
    assert "dev.py test" in text
    assert "dev.py lowest" in text


@pytest.mark.parametrize("path", dev.QUICK)
def test_what_is_tried_with_the_oldest_is_there(path: str) -> None:
    """A test that was moved is still found."""
    assert (dev.ROOT / path).exists()


def test_the_bill_names_everything_that_the_library_needs() -> None:
    """It is CycloneDX, the same each time, and has what pyproject.toml asks for with all extras."""
    made = supply.bill()
    assert json.dumps(made) == json.dumps(supply.bill())
    names = {one["name"] for one in made["components"]}
    asked = dev.requirements()
    wanted = [one for extra in ("", "schema", "markdown", "fast") for one in asked[extra]]
    assert {supply.normal(Requirement(one).name) for one in wanted} <= names
    references = {one["bom-ref"] for one in made["components"]}
    drawn = {ref for one in made["dependencies"] for ref in one["dependsOn"]}
    assert drawn <= references
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert all(
        one["purl"].startswith("pkg:pypi/") and one["licenses"] for one in made["components"]
    )


SKIPPED = {"name": "attrs", "skip_reason": "Dependency not found on PyPI and could not be audited"}
FAULT = {"name": "attrs", "version": "1", "vulns": [{"id": "PYSEC-1"}]}


@pytest.mark.parametrize(
    ("answer", "told", "ends"),
    [
        ("ConnectionError: Max retries exceeded", "NOT LOOKED UP: anyio, apsw", 2),
        (json.dumps({"dependencies": [SKIPPED]}), "NOT LOOKED UP: anyio, apsw, attrs", 2),
        (json.dumps({"dependencies": [FAULT]}), "attrs 1: PYSEC-1", 1),
        ("all", "attrs 1: nothing known", 0),
    ],
)
def test_an_audit_that_nobody_answered_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, told: str,
    ends: int,
) -> None:  # fmt: skip
    """A service that is not reached, or does not know a version, is told so; never as "no faults"."""

    class Installed:
        version = "1"

    names = supply.closure()
    if answer == "all":
        found = [{"name": name, "version": "1", "vulns": []} for name in names]
        answer = json.dumps({"dependencies": found})

    def run(*_args: Any, **_more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, answer, "")

    monkeypatch.setattr(supply, "closure", lambda: names)
    monkeypatch.setattr(supply, "distribution", lambda _name: Installed)
    monkeypatch.setattr(supply.subprocess, "run", run)
    assert supply.audit() == ends
    said = capsys.readouterr()
    assert told in said.out + said.err
