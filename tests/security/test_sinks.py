"""What people wrote stays words wherever it is shown: no command of a terminal, no line, node or element more.

Knows: the attacks of whoever may write a message or bear a name. Does not know: how anything was found.
"""

from __future__ import annotations

import ast
import html
import json
import logging
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import outeract_core
from outeract_core import App, Outeract
from outeract_core._cli import main
from outeract_core._domain.values.sinks import block, dot, line, mermaid
from outeract_core._io.web.http import Http
from outeract_core.search import Hit
from tests.support.bots import talk

HOSTILE = (
    "\x1b]52;c;ZXZpbA==\x07 \x9b31m \x1b[2J\u202egnp.exe\u2066 \x00\x08\x7f\n2026-01-01 00:00:00 forged"
    "\r\noverwritten\x85next\u2028line\x0bvt\x0cff\x1cfs\u2029p \"]-->n9[\"x\\\" <b>&amp;`#35;|x| \U000e0041"
)  # fmt: skip
TEXTS = st.text(max_size=80) | st.text(
    st.sampled_from('\x1b\x9b\x07\x00\n\r\x85\u2028\u202e\u2066\u200b\ufeff\ud800"\\<>&#;|`[]{}()*_~- ax\t'),
    max_size=60,
)  # fmt: skip
BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def harmless(text: str) -> bool:
    """Whether a terminal does nothing with it but show it, in one direction, on one line."""
    return not any(
        ord(one) < 32 or 127 <= ord(one) < 160 or one in BIDI or one in "\u2028\u2029"
        or "\ud800" <= one <= "\udfff"
        for one in text
    )  # fmt: skip


@given(TEXTS)
@example(HOSTILE)
def test_a_line_stays_one_line(text: str) -> None:
    """No control of a terminal, no C1, no override of direction, no line break of anybody's; the rest stays."""
    told = line(text)
    assert harmless(told)
    assert told.splitlines() in ([told], [])
    told.encode()
    assert line(told) == told
    words = re.findall(r"[a-z]+", text)
    assert [word for word in words if word not in told] == []


@given(TEXTS)
@example(HOSTILE)
def test_a_block_is_none_of_our_lines(text: str) -> None:
    """Several lines stand to the right of ours, whichever break they were made with."""
    for each in block(text).splitlines():
        assert harmless(each)
        assert not each or each.startswith("  ")


@given(TEXTS)
@example(HOSTILE)
def test_a_mermaid_label_is_one_string(text: str) -> None:
    """Read back as Mermaid reads it, the label says what was written; it ends where it should."""
    told = mermaid(text)
    assert harmless(told)
    inner = told[1:-1]
    assert not set(inner) & set('"<>&`\\')
    back = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), inner)
    assert back == line(text)


@given(TEXTS)
@example(HOSTILE)
def test_a_dot_label_is_one_string(text: str) -> None:
    """Read back as Graphviz reads a quoted string, it ends where it should and says what was written."""
    told = dot(text)
    assert harmless(told)
    found = re.match(r'"((?:[^"\\]|\\.)*)"', told)
    assert found is not None
    assert found[0] == told
    back = html.unescape(
        re.sub(r"\\(.)", r"\1", found[1].replace("&", "&amp;").replace("&amp;amp;", "&amp;"))
    )
    assert back == line(text)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TEXTS, name=TEXTS)
@example(text=HOSTILE, name=HOSTILE)
def test_no_drawing_has_a_node_more(tmp_path_factory: Any, text: str, name: str) -> None:
    """A whole graph in both notations: as many lines as nodes and edges, whatever they are called."""
    folder = tmp_path_factory.mktemp("graph")
    found = anyio.run(_walk, folder / "g.db", text, name)
    drawn = found.to_mermaid().split("\n")
    assert len(drawn) == 1 + len(found.nodes) + len(found.edges) + 1
    assert all(harmless(each) for each in drawn)
    node = re.compile(r'  n\d+(\(\[|\[/|\[|\()"[^"]*"(\]\)|/\]|\]|\))')
    assert all(node.fullmatch(each) for each in drawn[1 : 1 + len(found.nodes)])
    dotted = found.to_dot().split("\n")
    assert len(dotted) == 2 + len(found.nodes) + len(found.edges) + 2
    assert json.loads(json.dumps(found.to_json()))["nodes"]


async def _walk(path: Path, text: str, name: str) -> Any:
    bot = talk(path)
    async with bot.core:
        await bot.says(text or "x", user=name if name.strip() and "\ud800" not in name else "ann")
        events = await bot.events("message.inbound")
        assert text != HOSTILE or events
        assume(events)  # what the console does not take for a message is not drawn
        event = events[0]
        return await bot.app.graph.walk(event, direction="both", depth=3)


# ── the command line ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in which everything that people can write is hostile."""

    async def fill() -> None:
        bot = talk(tmp_path / "a.db")
        async with bot.core:

            @bot.app.on("message.inbound", name="h", attempts=1)
            def fails(message: Any) -> None:
                raise ValueError(message.text)

            await bot.says(HOSTILE, user="eve\x1b[2J\n2026-01-01 00:00:00  forged")
            await bot.core.pump()
            await bot.app.send(("console", "ann"), HOSTILE)
            await bot.core.pump()

    anyio.run(fill)
    return tmp_path / "a.db"


def _commands(file: Path) -> list[list[str]]:
    core = Outeract(file)
    events = anyio.run(_events, core.app("support"))
    core.close()
    per_event = [[verb, str(file), str(one)] for verb in ("show", "graph") for one in events]
    dots = [["graph", str(file), str(one), "--dot"] for one in events]
    plain = [["tail", str(file)], ["conversations", str(file)], ["doctor", str(file)],
             ["turns", str(file)], ["undelivered", str(file)], ["retention", str(file)],
             ["tail", str(file), "--app", HOSTILE.replace("\x00", "")]]  # fmt: skip
    return [*plain, *per_event, *dots]


async def _events(app: App) -> list[Any]:
    return [event.id async for event in app.events.all()]


def test_no_command_prints_a_control_or_a_forged_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command that looks, over every event: what people wrote begins no line and moves no cursor."""
    for arguments in _commands(file):
        try:
            main(arguments)
        except SystemExit:
            continue
        told = "".join(capsys.readouterr())
        for each in told.split("\n"):
            assert harmless(each), arguments
            assert not each.startswith(("2026-01-01 00:00:00 forged", "overwritten", "next", "p "))
            assert not each.startswith("2026-01-01 00:00:00  forged")


def test_nobody_else_prints() -> None:
    """One module prints for the command line, one for the console platform: the next print is found here."""
    root = Path(outeract_core.__file__).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "testing" not in path.relative_to(root).parts
        and _prints(ast.parse(path.read_text("utf-8")))
    }
    assert found == {"_cli/printing.py", "_io/web/http.py"}


def _prints(tree: ast.AST) -> bool:
    """Whether it prints, or writes to the streams as text; bytes of an export are no text."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "print"
        ):
            return True
        stream = isinstance(node, ast.Attribute) and node.attr == "write"
        if stream and ast.unparse(node.value) in ("sys.stdout", "sys.stderr"):
            return True
    return False


def test_nobody_writes_a_notation_by_hand() -> None:
    """HTML, CSV and the graph's notations: no module makes one but through its sink."""
    root = Path(outeract_core.__file__).parent
    for path in root.rglob("*.py"):
        text = path.read_text("utf-8")
        names = {
            alias.name.partition(".")[0]
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert "csv" not in names, path
        if "digraph" in text or "flowchart LR" in text:
            assert path.name == "graph.py"


# ── other places ──────────────────────────────────────────────────────────────────────────────


def test_the_console_shows_words(capsys: pytest.CaptureFixture[str]) -> None:
    """What the bot says in a terminal may quote anybody: its lines are kept, and nothing else of them."""
    http = Http()
    http._console({"text": f"first\n{HOSTILE}", "id": 1})
    told = capsys.readouterr().out
    assert told.startswith("first\n")
    assert all(harmless(each) for each in told.split("\n"))


async def _told(path: Path) -> None:
    bot = talk(path)
    async with bot.core:
        bot.core.runtime.log.error("x", f"it said {HOSTILE}", ValueError(HOSTILE))


def test_no_line_of_the_log_is_forged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A record is one line, and below it what was raised, to the right of every line of ours."""
    caplog.set_level(logging.DEBUG)
    anyio.run(_told, tmp_path / "l.db")
    (text,) = [r.getMessage() for r in caplog.records if r.name == "outeract_core.x"]
    first, *rest = text.split("\n")
    assert first.startswith("it said ")
    assert harmless(first)
    assert rest
    assert all(harmless(each) and (not each or each.startswith("  ")) for each in rest)


class _Text(HTMLParser):
    """The text of a page, and its elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags = "", list[str]()

    def handle_data(self, data: str) -> None:
        """Words."""
        self.text += data

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """An element."""
        self.tags.append(tag)


@given(TEXTS)
@example("<script>alert(1)</script> & x")
def test_a_hit_marked_for_a_page_has_no_element_more(text: str) -> None:
    """`marked` with `html.escape` gives the host's own elements, and the text as it was."""
    at = len(text) // 2
    marked = _marked(text, at)
    reader = _Text()
    reader.feed(marked)
    reader.close()
    assert reader.tags == ["b"]
    assert reader.text == text.replace("\r\n", "\n") or reader.text == text


def _marked(text: str, at: int) -> str:
    """What `Hit.marked` gives for a snippet with one mark in it."""

    class Shown:
        snippet = text
        marks = ((0, at),)

    return Hit.marked(Shown(), "<b>", "</b>", html.escape)  # type: ignore[arg-type]
