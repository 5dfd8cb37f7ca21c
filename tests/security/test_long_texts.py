"""Text that is long or crooked costs what it is long, is bounded, and never holds the loop or a thread.

Knows: the attacks of who writes texts, schemas' subjects and filters. Does not know: platforms' markup.

Work is counted: lines of Python that are run, and characters that are measured. Nothing is timed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, SimpleNamespace
from typing import Any

import anyio
import pytest

from outeract_adapters.slack import Slack
from outeract_adapters.telegram import Telegram
from outeract_adapters.whatsapp import WhatsApp
from outeract_core import Content, Outeract
from outeract_core._api.app import App
from outeract_core._api.queries import expressions, schemas
from outeract_core._domain.planning.losses import losses
from outeract_core._domain.planning.plan import plan
from outeract_core.errors import BadInput, InvalidEvent
from outeract_core.text.commonmark import markdown
from outeract_core.text.document import Paragraph, Str
from outeract_core.text.graphemes import boundary
from outeract_core.text.split import _SENTENCE, split
from tests.support.stopping import left_after

pytestmark = pytest.mark.anyio

SMALL, GROWTH = 1_000, 2.6
"""Characters, and by how much the work may grow when they are doubled (sorting and halving included)."""

MARKDOWN: dict[str, Callable[[int], str]] = {
    **{
        piece: lambda n, piece=piece: (piece * (n // len(piece) + 1))[:n]  # type: ignore[misc]
        for piece in (
            "*", "_", "~", "`", "[", "]", "![", "<", "&", "\\", "#", ">", "|", "-", "\n", "\t", " x",
            "_a", "_a ", "*a ", "a* ", "a**b", "*a_ ", "**x* ", "~~a~ ", "`a", "`` `", "```\n", "[a](",
            "[a](<b", "[a][", "[a]: b\n", "![a](b) ", "<a:", "<!--", "<b>x</b>", "&amp;", "&#x41;",
            "\\*", "> a\n>> b\n", "- a\n", "1. a\n", "- a\n\n", "# a\n", "a\n=\n", "---\n", "a\n", "a  \n",
            "    a\n\n", "|a|b|\n|-|-|\n", "**word** ", "http://a.b ", "[a](http://b.c) ", "> - a\n",
        )
    },
    "runs of `": lambda n: "".join("`" * i + " " for i in range(1, int((2 * n) ** 0.5))),
    "ladder of >": lambda n: "".join(">" * (i % 39) + "a\n" for i in range(n // 20)),
    "table": lambda n: "|a|b|\n|-|-|\n" + "|c|d|\n" * (n // 6),
    "labels": lambda n: "".join(f"[{i}]: b\n" for i in range(n // 8)),
    "one label": lambda n: "[a]: b\n\n" + "[a]" * (n // 3),
    "nested": lambda n: "*a **b " * (n // 14) + "c** d* " * (n // 14),
    "lazy quote": lambda n: "> a\n" + "b\n" * (n // 2),
}  # fmt: skip
PLAIN: dict[str, Callable[[int], str]] = {
    "words": lambda n: "word " * (n // 5),
    "one word": lambda n: "x" * n,
    "dots": lambda n: "." * n,
    "quoted dots": lambda n: '."' * (n // 2),
    "flags": lambda n: "\U0001f1e6" * n,
    "marks": lambda n: "e" + "\u0301" * n,
    "joiners": lambda n: "\u200d" * n,
    "blank": lambda n: "x" + " " * n + "y",
    "lines": lambda n: "x" + "\n" * n + "y",
    "blank lines": lambda n: "x" + " \n" * (n // 2) + "y",
}


def lines(work: Callable[[], Any]) -> int:
    """How many lines of Python `work` runs."""
    count = 0

    def trace(_frame: FrameType, event: str, _what: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("form", sorted(MARKDOWN))
def test_hostile_markdown_costs_what_it_is_long(form: str) -> None:
    """Twice the text is twice the work, whatever stands in it, from parsing to what is lost."""
    make = MARKDOWN[form]

    def read(text: str) -> None:
        list(losses(markdown(text), WhatsApp.manifest))

    read(make(50))
    first, second = (lines(lambda n=n: read(make(n))) for n in (SMALL, 2 * SMALL))
    assert second <= GROWTH * first + 2_000, (form, first, second)


@pytest.mark.parametrize("form", sorted(PLAIN))
@pytest.mark.parametrize("adapter", [Telegram, Slack, WhatsApp], ids=lambda one: one.__name__)
def test_a_long_text_is_split_in_what_it_is_long(adapter: Any, form: str) -> None:
    """Twice the text is twice the lines that are run: how far it has come costs nothing."""
    make, render = PLAIN[form], adapter.__new__(adapter).render

    def say(n: int) -> None:
        plan(Content(make(n)), adapter.manifest, render)

    first, second = (lines(lambda n=n: say(n)) for n in (10_000, 20_000))
    assert second <= GROWTH * first + 2_000, (form, first, second)


@pytest.mark.parametrize("form", sorted(PLAIN))
def test_what_is_measured_is_a_few_times_the_text(form: str) -> None:
    """Each character is rendered and measured a bounded number of times."""
    text, seen = PLAIN[form](100_000), 0

    def render(document: Any) -> str:
        nonlocal seen
        told = "".join(node.text for block in document for node in block.children)
        seen += len(told)
        return told

    split((Paragraph((Str(text),)),), 4_000, len, render)
    assert seen <= 12 * len(text)


class Counted(str):
    """Text that tells how much of it is copied."""

    __slots__ = ()
    copied = 0

    def __getitem__(self, key: Any) -> str:
        found = str.__getitem__(self, key)
        Counted.copied += len(found)
        return found


def test_flags_are_counted_from_the_last_cut() -> None:
    """A cut far into flags looks at the flags of its own piece, not at all that came before."""
    text, Counted.copied = Counted("\U0001f1e6" * 100_000), 0
    assert boundary(text, 90_002, 90_000)
    assert not boundary(text, 90_003, 90_000)
    assert Counted.copied < 20


def test_a_run_of_marks_is_looked_at_once() -> None:
    """The end of a sentence is looked for from the first of several marks, and never from within them."""
    assert _SENTENCE.search("and so on... ") is not None
    assert _SENTENCE.search(f"{'.' * 50}x") is None
    assert all(_SENTENCE.match("." * 50 + " ", at) is None for at in range(1, 50))


@pytest.mark.parametrize("mark", ["*a ", "_a ", "~a ", "`a ", "*a_ ~b ` "])
def test_marks_are_looked_for_once_a_line(mark: str) -> None:
    """Marks that open and never close are gone through once: an expression would try each with each.

    The expression that found them took 11 seconds for 40,000 characters; here a million are nothing.
    """
    list(losses((Paragraph((Str(mark * (1_000_000 // len(mark))),)),), WhatsApp.manifest))


def test_styles_that_nest_without_end_stay_text() -> None:
    """What nobody nests is shown as it was written, and no recursion ends in an error."""
    text = "*a **b " * 2_000 + "c** d* " * 2_000
    assert markdown(text) == (Paragraph((Str(text),)),)


@pytest.mark.parametrize("format", ["plain", "markdown"])
def test_a_text_has_a_longest_length(format: Any) -> None:
    """What is longer is refused with its length, the limit and the remedy."""
    Content("x" * 1_000_000, format=format)
    with pytest.raises(BadInput, match=r"2,000,001 characters.*send it as a file"):
        Content("x" * 2_000_001, format=format)


# ── beside the loop ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def core(tmp_path: Any) -> Iterator[Outeract]:
    """A store with one application."""
    core = Outeract(tmp_path / "bot.db", console=lambda _said: None)
    yield core
    core.close()


@pytest.fixture
def app(core: Outeract) -> App:
    """Its application, connected to the console."""
    app = core.app("support")
    app.connect("console", name="here")
    return app


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each content that is planned: whether that was in the event loop's own thread."""
    from outeract_core._outbound import compose, preview

    own, seen = threading.get_ident(), []

    def watched(*args: Any) -> Any:
        seen.append(threading.get_ident() == own)
        return plan(*args)

    monkeypatch.setattr(compose, "plan", watched)
    monkeypatch.setattr(preview, "plan", watched)
    return seen


async def test_a_long_text_is_planned_beside_the_loop(app: App, threads: list[bool]) -> None:
    """A megabyte, or a page of markdown, is cut in a worker thread; a short message where it is."""
    for content in ("short", "word " * 200_000, Content("**word** " * 100, format="markdown")):
        await app.send(("here", "1"), content)
        await app.can(("here", "1"), content)
    assert threads == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    "work",
    [
        lambda: markdown("*a " * 3_000),
        lambda: markdown("- a\n" * 3_000),
        lambda: plan(
            Content("word " * 20_000), Telegram.manifest, Telegram.__new__(Telegram).render
        ),
    ],
)
def test_what_nobody_waits_for_stops(work: Callable[[], Any]) -> None:
    """Parsing and cutting look again and again whether they are still wanted."""
    with left_after(20):
        work()


async def test_a_cancelled_send_of_a_long_text_leaves_nothing(app: App) -> None:
    """Who gives up waiting for a long text has said nothing, and the next message goes its way."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        await app.send(("here", "1"), "word " * 200_000)
    assert await app.events.count() == 0
    await app.send(("here", "1"), "short")
    assert await app.events.count() == 1


# ── JSON Schema ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "draft",
    ["https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"],
)
async def test_a_schema_that_doubles_at_each_level_is_given_up(
    app: App, draft: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An anyOf within itself, and a payload as deep as it likes: so many steps, and no more."""
    monkeypatch.setattr(schemas, "STEPS", 2_000)
    within = {"properties": {"a": {"$ref": "#"}}, "required": ["a"]}
    deep = {"$schema": draft, "anyOf": [within, within, {"type": "integer"}]}
    await app.event_schema("deep.one", deep)
    payload: Any = {}
    for _ in range(60):
        payload = {"a": payload}
    with pytest.raises(InvalidEvent, match="cannot be checked: it takes more than 2,000 steps"):
        await app.emit("deep.one", payload)


@pytest.mark.parametrize("expression", ["^(a+)+$", "^(a|aa)+$", "^([a-z]+)*$", r"^(\w+\s?)*$"])
async def test_an_expression_cannot_run_away(
    app: App, expression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would take hours for sixty letters is refused with the expression and what helps."""
    monkeypatch.setitem(sys.modules, "regex", None)
    expressions._search.cache_clear()
    await app.event_schema("named.one", {"properties": {"n": {"pattern": expression}}})
    await app.emit("named.one", {"n": "aaaa"})
    with pytest.raises(InvalidEvent, match="is not tried on a text of 61 characters"):
        await app.emit("named.one", {"n": "a" * 60 + "!"})
    await app.event_schema("keyed.one", {"patternProperties": {expression: {"type": "integer"}}})
    with pytest.raises(InvalidEvent, match="is not tried on a text of 61 characters"):
        await app.emit("keyed.one", {"a" * 60 + "!": 1})


async def test_where_expressions_can_be_stopped_they_are(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the package regex each is tried on any text, for a quarter of a second."""
    asked: list[dict[str, Any]] = []

    class Compiled:
        def __init__(self, _expression: str) -> None:
            """As `regex.compile` does."""

        def search(self, _text: str, **options: Any) -> None:
            asked.append(options)
            raise TimeoutError

    monkeypatch.setitem(sys.modules, "regex", SimpleNamespace(compile=Compiled))
    expressions._search.cache_clear()
    await app.event_schema("named.one", {"properties": {"n": {"pattern": "^(a+)+$"}}})
    with pytest.raises(InvalidEvent, match=r"takes more than 0.25 seconds"):
        await app.emit("named.one", {"n": "a" * 60})
    expressions._search.cache_clear()
    assert asked == [{"timeout": 0.25, "concurrent": True}]


@pytest.mark.parametrize("expression", ["^(a|aa)+$", "^(.*a){25}$"])
async def test_what_the_extra_brings_stops_an_expression(app: App, expression: str) -> None:
    """The package itself gives up what would take hours for a long text, and tries what ends."""
    expressions._search.cache_clear()
    await app.event_schema("named.one", {"properties": {"n": {"pattern": expression}}})
    await app.emit("named.one", {"n": "a" * 60})
    with pytest.raises(InvalidEvent, match=r"takes more than 0.25 seconds"):
        await app.emit("named.one", {"n": "a" * 2_000 + "!"})


@pytest.mark.parametrize(
    ("expression", "hard"),
    [
        ("^[a-z]+$", False), ("^[^@]+@[^@]+$", False), ("(ab)+", False), (r"^\(a+\)+$", False),
        ("[(a+)]+", False), ("(a{2})*", False), ("(a+)?b", False), ("(a|b)c", False),
        ("(a+)+", True), ("(a|aa)*", True), ("((a*)b)+", True), ("(a+){2,}", True), ("(?:a+b?)*", True),
    ],
)  # fmt: skip
def test_a_repeat_inside_of_a_repeat_is_known(expression: str, hard: bool) -> None:
    """Only where a group that can be read in several ways is repeated can work double with each letter."""
    assert expressions.repeats_repeats(expression) is hard


async def test_unique_objects_are_each_looked_at_once(app: App) -> None:
    """UniqueItems over objects costs what they are many, and says what JSON says of equality."""
    await app.event_schema("many.one", {"uniqueItems": True})

    def check(n: int) -> None:
        schemas.check_payload("many.one", [{"n": i} for i in range(n)], {"uniqueItems": True})

    check(5)
    assert lines(lambda: check(2_000)) <= GROWTH * lines(lambda: check(1_000))
    await app.emit("many.one", [1, True, {"a": 1}, {"a": [1]}, {"a": [True]}, "1", None])
    for same in ([1, 1.0], [{"a": 1, "b": 2}, {"b": 2, "a": 1.0}], [[{}], [{}]]):
        with pytest.raises(InvalidEvent, match="non-unique"):
            await app.emit("many.one", same)


async def test_faults_are_told_up_to_a_hundred(app: App) -> None:
    """A payload that is wrong throughout does not come back as an error many times its size."""
    await app.event_schema("wrong.one", {"items": {"type": "integer"}})
    with pytest.raises(InvalidEvent) as refused:
        await app.emit("wrong.one", ["x" * 5_000] * 300)
    assert len(refused.value.faults) == schemas.FAULTS
    assert len(str(refused.value)) < 100_000


async def test_a_payload_has_a_largest_size(app: App) -> None:
    """An event is no place for a file, and the error says where that goes."""
    with pytest.raises(BadInput, match="keep what is large as a file"):
        await app.emit("large.one", {"blob": "x" * (16 * 1024 * 1024)})
    assert await app.events.count() == 0
