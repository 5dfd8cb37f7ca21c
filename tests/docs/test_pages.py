"""The documentation: its snippets run, its output is real, its links lead somewhere, its commands exist.

Knows: Markdown fences, links and anchors, the two command lines.
Does not know: what the pages are about.

Every `python` block of a page runs, in order, in one namespace and a folder of its own; `await` may
stand outside functions. `core` and `app` are there beforehand: an empty store and an application. A
block that begins with a comment like `# bot.py` is a file: it is also written. An `output` block is
what the block before it has printed; `…` stands for anything.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import inspect
import io
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import apsw
import pytest
from attrs import frozen

from benchmarks.__main__ import parser as bench_parser
from outeract_core import Outeract, blocking
from outeract_core._cli import _parser
from outeract_core._store.engine.migrations import EDGE_TYPES
from outeract_core._store.reading.walks import BELONGS_TO
from outeract_core._store.writing.tenants import CONFIG
from outeract_core.events import EVENT_TYPES
from outeract_core.testing import FakePlatform
from tests.support.patience import PATIENCE
from tests.support.places import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)\s*$")
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_FILE = re.compile(r"# (?P<name>[\w-]+\.py)\n")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@frozen
class Fence:
    """A fenced block: its language, its text, and the number of its first line."""

    language: str
    text: str
    line: int


def fences(page: Path) -> list[Fence]:
    """The fenced blocks of a page, in order."""
    found: list[Fence] = []
    lines = iter(enumerate(page.read_text("utf-8").splitlines(), 1))
    for number, line in lines:
        opening = _FENCE.match(line)
        if opening is None:
            continue
        inside: list[str] = []
        for _, text in lines:
            if text.strip() == "```":
                break
            inside.append(text.removeprefix(opening["indent"]))
        found.append(Fence(opening["language"], "\n".join(inside) + "\n", number))
    return found


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    kept, inside = [], False
    for line in page.read_text("utf-8").splitlines():
        if line.strip().startswith("```"):
            inside = not inside
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


# ── snippets ──────────────────────────────────────────────────────────────────────────────────


async def run_page(page: Path) -> None:
    """Run the page's Python, compare its output."""
    async with Outeract("page.db") as core:
        namespace: dict[str, Any] = {"__name__": "page", "core": core, "app": core.app("page")}
        printed = ""
        try:
            for fence in fences(page):
                if fence.language == "python":
                    printed = await run_block(page, fence, namespace)
                elif fence.language == "output":
                    assert_printed(printed, fence.text, f"{page.name}:{fence.line}")
                elif fence.language == "console":
                    await anyio.to_thread.run_sync(run_shown, fence, f"{page.name}:{fence.line}")
        finally:
            await close_all(namespace)


async def run_block(page: Path, fence: Fence, namespace: dict[str, Any]) -> str:
    """Run one block; what it printed."""
    named = _FILE.match(fence.text)
    if named:
        await anyio.Path(named["name"]).write_text(fence.text, "utf-8")
    source = "\n" * fence.line + fence.text
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(source, str(page), "exec", flags=flags, dont_inherit=True)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        made = eval(code, namespace)
        if inspect.iscoroutine(made):
            await made
    return out.getvalue()


def assert_printed(printed: str, shown: str, where: str) -> None:
    """What the page shows is what was printed, line by line; `…` matches anything."""
    pattern = ".*?".join(map(re.escape, shown.strip().split("…")))
    assert re.fullmatch(pattern, printed.strip(), re.DOTALL), f"{where} printed:\n{printed}"


def run_shown(fence: Fence, where: str) -> None:
    """Run an `outeract` command whose output the page shows; lines after `>` are typed into it."""
    command, *lines = fence.text.splitlines()
    if not lines or not command.startswith("$ outeract "):
        return
    words = shlex.split(command.removeprefix("$ outeract "))
    child = subprocess.Popen(
        [sys.executable, "-m", "outeract_core", *words],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    patience = threading.Timer(PATIENCE, child.kill)
    patience.daemon = True
    patience.start()
    assert child.stdin
    assert child.stdout
    with child:
        printed = ""
        for typed, said in _exchanges(lines):
            if typed is not None:
                print(typed, file=child.stdin, flush=True)
                printed += "".join(f"{child.stdout.readline()}" for _ in said)
        child.stdin.close()
        printed += child.stdout.read()
    patience.cancel()
    shown = "\n".join(line for line in lines if not line.startswith("> "))
    assert_printed(printed, shown, where)


def _exchanges(lines: list[str]) -> list[tuple[str | None, list[str]]]:
    """What is typed, each with the lines that answer it."""
    found: list[tuple[str | None, list[str]]] = [(None, [])]
    for line in lines:
        if line.startswith("> "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


async def close_all(namespace: dict[str, Any]) -> None:
    """Close every store that the page has opened."""
    for value in list(namespace.values()):
        if isinstance(value, Outeract):
            await value.aclose()
        elif isinstance(value, blocking.Outeract):
            await anyio.to_thread.run_sync(value.close)


@each_page
def test_every_snippet_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page's Python runs from top to bottom and prints what the page says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Outeract, "run", lambda _core, **_options: None)
    for folder in (ROOT / "docs" / "examples").glob("*/"):
        monkeypatch.syspath_prepend(str(folder))
    anyio.run(run_page, page)


def test_the_bot_of_the_readme_runs_as_a_program(tmp_path: Path) -> None:
    """The first program of the README answers a message and ends at Ctrl-C."""
    program = next(fence for fence in fences(ROOT / "README.md") if fence.language == "python").text
    with FakePlatform() as fake:
        local = program.replace("poll=True", f"poll=True, base_url={fake.url!r}")
        assert local != program
        (tmp_path / "bot.py").write_text(local, "utf-8")
        fake.telegram.say(7, "hello")
        bot = subprocess.Popen(
            [sys.executable, "bot.py"], cwd=tmp_path, env={"TELEGRAM_TOKEN": "1:token"}
        )
        try:
            (reply,) = fake.wait(1, timeout=PATIENCE)
            assert (reply.chat, reply.text) == ("7", "You said: hello")
            bot.send_signal(signal.SIGINT)
            assert bot.wait(PATIENCE) == 0
        finally:
            bot.kill()
            bot.wait()


# ── links ─────────────────────────────────────────────────────────────────────────────────────


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Where the page's relative links lead: (file, anchor)."""
    for match in _LINK.finditer(re.sub(r"`[^`\n]*`", "", prose(page))):
        target, _, anchor = match["target"].partition("#")
        if not re.match(r"[a-z]+:", match["target"]):
            yield (page.parent / target).resolve() if target else page, anchor


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for title in re.findall(r"^#{1,6} +(.+?)\s*$", prose(page), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        count = found[slug] = found.get(slug, -1) + 1
        if count:
            found[f"{slug}-{count}"] = 0
    return set(found)


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    """Every relative link names a file that exists, and every anchor a heading of it."""
    for target, anchor in links(page):
        assert target.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {target}#{anchor}"


def test_every_page_can_be_reached() -> None:
    """From docs/index.md, links lead to every page of docs/."""
    reached, ahead = set[Path](), [ROOT / "docs" / "index.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            ahead += [target for target, _anchor in links(page)]
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert pages - reached - set((ROOT / "docs" / "examples").rglob("*.md")) == set()


# ── commands ──────────────────────────────────────────────────────────────────────────────────


def shown_commands(page: Path) -> Iterator[tuple[list[str], bool]]:
    """The command lines that a page names: (words, whether it is shown as typed in full)."""
    for fence in fences(page):
        if fence.language == "console":
            for line in re.findall(r"^\$ ((?:outeract|python3 dev\.py)\b.*)$", fence.text, re.M):
                yield shlex.split(re.split(r" [|>&]", line)[0], comments=True), True
    for code in re.findall(r"`((?:outeract|python3 dev\.py) [^`]+)`", prose(page)):
        yield code.split(), False


def verbs() -> dict[str, Any]:
    """The parsers behind `outeract`, by command."""
    (choices,) = [action.choices for action in _parser()._actions if action.choices]
    return dict(choices)


def loaded(path: Path) -> ModuleType:
    """A Python file as a module."""
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@each_page
def test_every_command_exists(page: Path) -> None:
    """Every `outeract …` and `python3 dev.py …` that a page names is understood by its parser."""
    for words, whole in shown_commands(page):
        if words[0] == "outeract":
            check_outeract(words[1:], whole)
            continue
        name, rest = words[2], words[3:]
        assert name in loaded(ROOT / "dev.py").COMMANDS, words
        if name == "demo":
            check_outeract([name, *rest], whole)
        if name == "bench":
            bench_parser().parse_args(rest)


def check_outeract(words: list[str], whole: bool) -> None:
    """A full command line is parsed; of a mention the name and the options must exist."""
    if whole:
        _parser().parse_args(words)
        return
    options = set(verbs()[words[0]]._option_string_actions)
    assert {word for word in words if word.startswith("-")} <= options, words


# ── generated pages ───────────────────────────────────────────────────────────────────────────


def test_the_generated_pages_are_up_to_date() -> None:
    """What docs/generate.py would write is what is there."""
    for path, text in loaded(ROOT / "docs" / "generate.py").pages().items():
        stale = f"{path.name} is out of date: run python docs/generate.py"
        assert path.read_text("utf-8") == text, stale


def rows_of(page: str) -> set[str]:
    """The names in the first column of a reference page's tables."""
    text = (ROOT / "docs" / "reference" / page).read_text("utf-8")
    return set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))


def test_the_reference_names_every_event_edge_config_and_table(tmp_path: Path) -> None:
    """Each event type, edge type, config name and table has a row, and no row is about nothing."""
    Outeract(tmp_path / "bot.db").close()
    file = apsw.Connection(str(tmp_path / "bot.db"))
    tables = {row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    file.close()
    assert rows_of("events.md") == {*EVENT_TYPES, *EDGE_TYPES, BELONGS_TO}
    assert rows_of("database.md") == tables
    assert set(CONFIG) <= rows_of("config.md")
