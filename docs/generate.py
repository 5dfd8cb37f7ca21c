"""Writes the pages that follow from the code: API, command line, platforms, the life of a delivery.

Knows: docstrings, signatures, the parsers of the command line, manifests, the table of statuses.
Does not know: the pages that people write.

    python docs/generate.py         write them
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs

from outeract_core import _delivery, errors
from outeract_core._cli import _parser
from outeract_core._delivery import EVENT_STATUS, RANK, Progress, advance

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- Made by docs/generate.py; edit the docstrings instead. -->\n"
FIRST = ("Outeract", "Organisation", "App", "Message", "Delivery")
SUBJECTS = {
    "app.events": "_events:Events",
    "app.conversations": "_conversations:Conversations",
    "Conversation": "_conversations:Conversation",
    "app.graph": "_graph:Graph",
    "app.people": "_people:People",
    "app.files": "_file_access:Files",
}
RESULTS = {
    "Pumped": "_outeract:Pumped",
    "Plan": "_plan:Plan",
    "Erased": "_people:Erased",
    "Moment": "graph:Moment",
}
MODULES = ("blocking", "query", "content", "model", "adapter", "events", "text", "testing")
PLAYERS = {
    "fake.telegram": "testing.telegram:FakeTelegram",
    "fake.whatsapp": "testing.whatsapp:FakeWhatsApp",
    "fake.slack": "testing.slack:FakeSlack",
}
HIDDEN = {
    "Outeract": ("replay_connection",),
    "App": ("new_id", "commit", "in_turn", "events_at", "on_processed", "reaction", "typing_now", "mark_events"),
    "FakePlatform": ("respond", "connected"),
    **dict.fromkeys(("FakeTelegram", "FakeWhatsApp", "FakeSlack"), ("speaks", "answer")),
}
"""What the parts of the library need of each other."""


def pages() -> dict[Path, str]:
    """Every generated page as it should be."""
    delivery = DOCS / "explanation" / "delivery.md"
    return {
        DOCS / "reference" / "api.md": api(),
        DOCS / "reference" / "command-line.md": command_line(),
        DOCS / "reference" / "platforms.md": platforms(),
        delivery: between(delivery.read_text("utf-8"), "life", life()),
    }


# ── the API ───────────────────────────────────────────────────────────────────────────────────


def api() -> str:
    """Every public name with its signature and docstring."""
    core = importlib.import_module("outeract_core")
    own = [n for n in (*FIRST, *sorted(set(core.__all__) - {*FIRST, "errors", "query"}))]
    done: dict[Any, str] = {}
    text = [NOTE, "# API\n", "Everything public, from the docstrings. What begins with an underscore may change.\n"]
    text += ["## outeract_core\n", *(entry(name, getattr(core, name), done) for name in own)]
    text += ["## What an application holds\n"]
    text += ["Reached through an `App`, not made by hand.\n"]
    text += [entry(name, found(where), done) for name, where in SUBJECTS.items()]
    text += ["## What some calls return\n"]
    text += [entry(name, found(where), done) for name, where in RESULTS.items()]
    text += ["## outeract_core.errors\n", *error_tree()]
    for name in MODULES:
        text += list(module(name, done))
    text += ["## Players of FakePlatform\n"]
    text += [entry(name, found(where), done) for name, where in PLAYERS.items()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(text))


def found(where: str) -> Any:
    """The object behind `module:Name`."""
    name, _, attribute = where.partition(":")
    return getattr(importlib.import_module(f"outeract_core.{name}"), attribute)


def module(name: str, done: dict[Any, str]) -> Iterator[str]:
    """One public module; names that were described before are only named."""
    loaded = importlib.import_module(f"outeract_core.{name}")
    yield f"## outeract_core.{name}\n"
    yield prose((inspect.getdoc(loaded) or "").partition("\n")[0])
    known = [n for n in loaded.__all__ if getattr(loaded, n) in done.values()]
    if known:
        yield "Described above: " + ", ".join(f"`{n}`" for n in known) + ".\n"
    for each in loaded.__all__:
        if each not in known:
            yield entry(f"{name}.{each}", getattr(loaded, each), done)


def entry(title: str, thing: Any, done: dict[Any, str]) -> str:
    """A class, function or constant."""
    if inspect.isclass(thing):
        done[title] = thing
        return "\n".join([f"### {title}\n", *class_text(title, thing)])
    if inspect.isfunction(thing):
        return "\n".join([f"### {title}\n", code(signed(title, thing)), prose(doc(thing))])
    return f"### {title}\n\n{code(f'{title} = {shown(thing)}')}"


def class_text(title: str, thing: type) -> Iterator[str]:
    """Its construction, docstring, properties and methods."""
    made = construction(title.rpartition(".")[2], thing)
    if made:
        yield code(made)
    yield prose(doc(thing))
    members = [(n, inspect.getattr_static(thing, n)) for n in ordered(thing)]
    for name, member in members:
        if isinstance(member, property):
            yield f"* `{name}`: {flowing(doc(member.fget))}"
        elif not callable(member) and not isinstance(member, staticmethod | classmethod):
            yield f"* `{name}`"
    yield ""
    for name, member in members:
        call = getattr(member, "__func__", member)
        if inspect.isfunction(call):
            yield f"#### {title.rpartition('.')[2]}.{name}\n"
            yield code(signed(name, call))
            yield prose(doc(call))


def ordered(thing: type) -> list[str]:
    """Public members written in this library, in the order of the source; fields left out."""
    fields = {f.name for f in attrs.fields(thing)} if attrs.has(thing) else set()
    names: list[str] = []
    for cls in thing.__mro__:
        if not cls.__module__.startswith("outeract_") or issubclass(cls, BaseException):
            continue
        names += [n for n in vars(cls) if not n.startswith(("_", "test_")) and n not in names]
    return [n for n in names if n not in fields and n not in HIDDEN.get(thing.__name__, ()) and is_told(thing, n)]


def is_told(thing: type, name: str) -> bool:
    """Whether a member is a property, a function, or something else with a docstring."""
    member = inspect.getattr_static(thing, name)
    call = getattr(member, "__func__", member)
    return isinstance(member, property) or inspect.isfunction(call)


def construction(name: str, thing: type) -> str:
    """How one is made, or its fields; empty when hosts never make one."""
    if attrs.has(thing):
        fields = [f for f in attrs.fields(thing) if f.init and not f.name.startswith("_")]
        return wrapped(name, [field_text(f) for f in fields], "")
    init = vars(thing).get("__init__")
    if init is None or name in ("Message", "Delivery", "App", "Organisation") or getattr(thing, "_is_protocol", False):
        return ""
    if thing.__module__.rpartition(".")[2].startswith("_") and name != "Outeract":
        return ""
    return signed(name, init)


def field_text(field: Any) -> str:
    """A field of an attrs class."""
    kind = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", "Any")
    if field.default is attrs.NOTHING:
        return f"{field.name}: {kind}"
    return f"{field.name}: {kind} = {shown(field.default)}"


def signed(name: str, call: Any) -> str:
    """`name(parameters) -> result` as in the source."""
    signature = inspect.signature(call)
    parameters = [p for p in signature.parameters.values() if p.name != "self"]
    texts, keyword = [], False
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not keyword:
            keyword = True
            texts.append("*")
        keyword = keyword or p.kind is p.VAR_POSITIONAL
        texts.append(parameter(p))
    result = "" if signature.return_annotation in (None, "None", signature.empty) else f" -> {bare(signature.return_annotation)}"
    prefix = "async " if inspect.iscoroutinefunction(call) else ""
    return prefix + wrapped(name.rpartition(".")[2], texts, result)


def parameter(p: inspect.Parameter) -> str:
    """One parameter as in the source."""
    stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    text = stars + p.name
    if p.annotation is not p.empty:
        text += f": {bare(p.annotation)}"
    if p.default is not p.empty:
        text += f" = {shown(p.default)}"
    return text


def wrapped(name: str, parts: list[str], result: str) -> str:
    """On one line, or with one part to a line."""
    line = f"{name}({', '.join(parts)}){result}"
    if len(line) <= 96:
        return line
    inside = "".join(f"    {part},\n" for part in parts)
    return f"{name}(\n{inside}){result}"


def bare(annotation: Any) -> str:
    """An annotation as it was written."""
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def shown(value: Any) -> str:
    """A default or a constant, the same on every machine."""
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        return "…"
    if inspect.isfunction(value) or inspect.isclass(value):
        return "…" if value.__name__ == "<lambda>" else str(value.__name__)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, frozenset | set):
        return "{" + ", ".join(sorted(map(repr, value))) + "}"
    text = repr(value)
    return text if len(text) <= 400 and " at 0x" not in text and "typing." not in text else "…"


def error_tree() -> Iterator[str]:
    """Every exception below its parent."""
    def below(cls: type, depth: int) -> Iterator[str]:
        yield f"{'  ' * depth}* `{cls.__name__}`: {flowing(doc(cls))}"
        inner = [getattr(errors, n) for n in vars(errors) if inspect.isclass(getattr(errors, n))]
        for child in inner:
            if cls in child.__bases__:
                yield from below(child, depth + 1)

    yield "\n".join(below(errors.OuteractError, 0)) + "\n"


# ── docstrings into Markdown ──────────────────────────────────────────────────────────────────

_ITEM = re.compile(r"^(?P<name>[\w.*, ]*[\w.*]) {2,}(?P<text>\S.*)$")
_NAMED = re.compile(r"^(?P<name>\w+(?:, \w+)*): (?P<text>\S.*)$")


def doc(thing: Any) -> str:
    """Its own docstring; empty for one that attrs or Python has made."""
    text = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    return inspect.cleandoc(text) if text and not text.startswith("Method generated") else ""


def prose(text: str) -> str:
    """A docstring as Markdown: columns become lists, indented examples become blocks."""
    return "\n\n".join(map(paragraph, re.split(r"\n\s*\n", text))).rstrip() + "\n"


def paragraph(text: str) -> str:
    """One paragraph of a docstring."""
    lines = text.splitlines()
    if all(line.startswith("    ") for line in lines):
        return "```text\n" + inspect.cleandoc("\n" + text) + "\n```"
    if lines and lines[0].startswith(">>>"):
        return "```text\n" + text + "\n```"
    items: list[str] = []
    for line in lines:
        match = _ITEM.match(line) or (_NAMED.match(line) if items else None)
        if match:
            items.append(f"* `{match['name']}`: {match['text']}")
        elif items and line.startswith("  "):
            items[-1] += " " + line.strip()
        elif items and _NAMED.match(items[-1].replace("`", "").removeprefix("* ")):
            items[-1] += " " + line.strip()
        else:
            return escaped(text)
    return escaped("\n".join(items)) if items else escaped(text)


def flowing(text: str) -> str:
    """A docstring on one line."""
    return escaped(" ".join(text.split()))


def escaped(text: str) -> str:
    """Outside of code, what Markdown would take for markup."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else p.replace("*", r"\*").replace("<", r"\<").replace(r"\* `", "* `") for p in pieces).replace("\n\\* `", "\n* `").replace("\\* ", "* ")


def code(text: str) -> str:
    """A block that is shown and not run."""
    return f"```py\n{text}\n```\n"


# ── the command line ──────────────────────────────────────────────────────────────────────────


def command_line() -> str:
    """Every command with its arguments."""
    parser = _parser()
    text = [NOTE, "# Command line\n", f"{parser.description} `outeract` and `python -m outeract_core` are the same.\n"]
    text += ["Exit code 0: done; 1: something is not well; 2: wrong arguments or a refused file; 130: interrupted.", "Only `demo` and `chat` create a file. `EVENT` is an id, as `tail` prints it.\n"]
    (choices,) = [a.choices for a in parser._actions if a.choices]
    for name, verb in dict(choices).items():
        text += [f"## outeract {name}\n", f"{sentence(verb.description)}\n", code(usage(name, verb)), "| argument | meaning |", "|---|---|"]
        text += [f"| `{argument(a)}` | {a.help} |" for a in verb._actions if a.dest != "help"]
        text += [""]
    return "\n".join(text)


def usage(name: str, verb: argparse.ArgumentParser) -> str:
    """One line with everything that may be given."""
    words = [f"[{argument(a)}]" if a.option_strings or a.nargs == "?" else argument(a) for a in verb._actions if a.dest != "help"]
    return " ".join(["outeract", name, *words])


def argument(action: argparse.Action) -> str:
    """`FILE`, `--json`, `-n N`."""
    if not action.option_strings:
        return action.dest.upper()
    option = ", ".join(action.option_strings)
    return option if action.nargs == 0 else f"{option} {action.metavar or action.dest.upper()}"


def sentence(text: str | None) -> str:
    """With a capital and a full stop."""
    return f"{(text or '')[:1].upper()}{(text or '')[1:]}."


# ── platforms ─────────────────────────────────────────────────────────────────────────────────


def platforms() -> str:
    """What the manifests of the built-in adapters say."""
    entries = [e for e in entry_points(group="outeract_core.adapters") if e.value.startswith("outeract_adapters.")]
    manifests = [e.load().manifest for e in sorted(entries, key=lambda e: e.name)]
    names = [m.platform for m in manifests]
    text = [NOTE, "# Platforms side by side\n", "From the manifests; each platform has a page of its own: " + ", ".join(f"[{n}]({n}.md)" for n in names) + ".\n"]
    text += ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    facts = {
        "text limit": lambda m: "none" if m.text_limit is None else f"{m.text_limit} {m.text_unit}",
        "counted": lambda m: m.text_counts,
        "caption limit": lambda m: "as text" if m.caption_limit is None else m.caption_limit,
        "buttons": lambda m: m.buttons,
        "button title": lambda m: m.button_title,
        "menu rows": lambda m: m.menu_rows,
        "files in one message": lambda m: m.album,
        "webhook": lambda m: m.webhook,
        "unknown outcome": lambda m: m.idempotency,
        "pace per connection, seconds": lambda m: round(m.pace_connection, 4),
        "pace per chat, seconds": lambda m: m.pace_chat,
    }
    text += [f"| {label} | " + " | ".join(str(read(m)) for m in manifests) + " |" for label, read in facts.items()]
    text += ["\nWhat `unknown outcome` means: `native`: a repeated request is harmless; `reconcile`: the platform can be asked; `none`: the outcome stays unknown.\n", "## Capabilities\n"]
    text += ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    every = sorted(set().union(*(m.capabilities for m in manifests)))
    text += [f"| {c} | " + " | ".join("yes" if c in m.capabilities else "" for m in manifests) + " |" for c in every]
    text += ["\nA capability that a platform lacks is said in words where words can say it, and named in the payload's `degraded`; else `send` raises `Unsupported`.\n"]
    return "\n".join(text)


# ── the life of a delivery ────────────────────────────────────────────────────────────────────


def life() -> str:
    """The diagram and the table, both from `advance`."""
    way = [s for s in sorted(RANK, key=RANK.__getitem__) if s not in ("failed", "cancelled")]
    arrows = [*zip(way, way[1:], strict=False), *((s, "failed") for s in way), ("queued", "cancelled")]
    lines = ["stateDiagram-v2", "  [*] --> queued"]
    for start, end in arrows:
        assert _delivery.further(start, end) == end, (start, end)
        lines.append(f"  {start} --> {end}")
    kinds = list(EVENT_STATUS)
    table = ["| from | " + " | ".join(f"`{kind.removeprefix('message.')}`" for kind in kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for start in RANK:
        ends = [after(start, kind) for kind in kinds]
        table.append(f"| **{start}** | " + " | ".join("·" if end == start else end for end in ends) + " |")
    return "```mermaid\n" + "\n".join(lines) + "\n```\n\n" + "\n".join(table)


def after(status: str, kind: str) -> str:
    """Where a message of one part stands after one more child event."""
    told = EVENT_STATUS[kind]
    return advance(Progress(status), told, 0, None, [told]).status


def between(page: str, name: str, text: str) -> str:
    """The page with what stands between two marks replaced."""
    start, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
    assert start in page and end in page, f"the page has no marks for {name}"
    before, _, rest = page.partition(start)
    return f"{before}{start}\n\n{text}\n\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, "utf-8")
