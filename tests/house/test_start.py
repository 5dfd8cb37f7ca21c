"""A program starts quickly: what it does not use is not read, and what it uses is not read in its event loop.

Knows: which modules are loaded, in a fresh interpreter. Does not know: seconds (`dev.py bench start` has them).
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from outeract_core._api import later, subjects
from outeract_core._api.app import App
from tests.support.places import ROOT

MOST = 124
"""Modules of the library's own that opening a file takes. It was 243 once: 250 ms."""
HEAVY = (
    "asyncio", "bz2", "cattrs", "decimal", "email", "http.client", "httpx", "importlib.metadata", "jsonschema",
    "lzma", "markdown_it", "multiprocessing", "pickle", "socket", "ssl", "statistics", "subprocess", "tempfile",
    "trio", "urllib.request", "zipfile",
)  # fmt: skip
"""Some of other people's: each is read by a verb that needs it."""
LATER = (
    "_api.workers", "_domain.planning", "_domain.transcript", "_handlers.dispatcher", "_inbound", "_outbound.acting",
    "_outbound.compose", "_outbound.sender", "_store.reading", "_store.transfer.erasure", "_store.transfer.load",
    "adapter", "blocking", "content", "exchange", "standing", "testing", "text",
)  # fmt: skip
"""And rooms and words of our own."""
SUBJECTS = ("events", "conversations", "graph", "people", "files", "retention")


def _run(*arguments: str) -> Any:
    told = {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, cwd=ROOT, env=told
    )
    return json.loads(done.stdout)


def test_what_opening_a_file_takes_is_bounded() -> None:
    """Neither the network nor a loop, nothing that receives, works or says, and not many modules at all."""
    found = _run(
        "-c",
        "import json, sys; from outeract_core import Outeract; print(json.dumps([*sys.modules]))",
    )
    own = {
        name.removeprefix("outeract_core.") for name in found if name.startswith("outeract_core.")
    }
    assert [name for name in LATER if name in own] == []
    assert len(own) <= MOST
    if (
        sys.platform == "linux"
    ):  # elsewhere the system is asked for proxies, by what is on this list
        assert [name for name in HEAVY if name in found] == []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_no_verb_reads_modules_in_the_event_loop(tmp_path: Path, backend: str) -> None:
    """Not the first time either: they are read beside it, or were before it ran."""
    assert _run("-m", "tests.support.watched", backend, str(tmp_path)) == []


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_subject_that_is_not_read_yet_has_the_same_verbs(name: str) -> None:
    """What is no coroutine is known by name, since it cannot be looked up before it is read."""
    app = SimpleNamespace(tenant=None, runtime=None, handlers=[])
    subject = getattr(later, name)()(app)
    unread: Any = subjects.Unread(app, getattr(later, name))
    for verb, member in inspect.getmembers(subject, callable):
        if verb.startswith("_"):
            continue
        assert (verb in subjects.AT_ONCE) is not (
            inspect.iscoroutinefunction(member) or inspect.isasyncgenfunction(member)
        ), verb
        same = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
        assert [of(getattr(unread, verb)) for of in same] == [of(member) for of in same], verb
    assert isinstance(getattr(App, name), property)
