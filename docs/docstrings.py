"""The API page, made of signatures and docstrings.

Knows: what is public, how a docstring of this library is laid out.
Does not know: the other pages, where the page is written.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import attrs

from outeract_core import errors

NOTE = "<!-- Made by docs/generate.py; edit the docstrings instead. -->\n"
FIRST = ("Outeract", "Organisation", "App", "Message", "Delivery")
SUBJECTS = {
    "app.events": "_api.queries.events:Events",
    "app.conversations": "_api.queries.conversations:Conversations",
    "Conversation": "_api.queries.conversations:Conversation",
    "app.graph": "_api.queries.graph:Graph",
    "app.people": "_api.queries.people:People",
    "app.files": "_api.queries.files:Files",
    "app.retention": "_api.maintenance.retention:Retention",
}
RESULTS = {
    "Pumped": "_api.pumped:Pumped",
    "Plan": "_domain.planning.plan:Plan",
    "Erased": "_api.queries.people:Erased",
    "Backup": "_api.maintenance.backup:Backup",
    "Exported": "_api.maintenance.export:Exported",
    "RetentionRule": "retention:RetentionRule",
    "Dropped": "retention:Dropped",
    "Moment": "graph:Moment",
}
MODULES = ("blocking", "query", "content", "model", "adapter", "events", "text", "testing")
PLAYERS = {
    "fake.telegram": "testing.fakes.telegram:FakeTelegram",
    "fake.whatsapp": "testing.fakes.whatsapp:FakeWhatsApp",
    "fake.slack": "testing.fakes.slack:FakeSlack",
}
HIDDEN = {
    "Outeract": ("replay_connection",),
    "App": (
        "new_id",
        "commit",
        "in_turn",
        "events_at",
        "on_processed",
        "reaction",
        "typing_now",
        "mark_events",
    ),
    "FakePlatform": ("respond", "connected"),
    **dict.fromkeys(("FakeTelegram", "FakeSlack"), ("speaks", "answer")),
    "FakeWhatsApp": ("speaks", "answer", "told"),
}
"""What the parts of the library need of each other."""
ONLY = {"AdapterContract": ["samples", "tampered", "replies"]}
"""Where only what an author writes is of interest."""


def api() -> str:
    """Every public name with its signature and docstring."""
    core = importlib.import_module("outeract_core")
    own = [n for n in (*FIRST, *sorted(set(core.__all__) - {*FIRST, "errors", "query"}))]
    done: dict[str, Any] = {}
    text = [
        NOTE,
        "# API\n",
        "Everything public, from the docstrings. What begins with an underscore may change.\n",
    ]
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


def module(name: str, done: dict[str, Any]) -> Iterator[str]:
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


def entry(title: str, thing: Any, done: dict[str, Any]) -> str:
    """A class, function or constant."""
    if inspect.isclass(thing) and thing.__module__.startswith("outeract_"):
        done[title] = thing
        return "\n".join([f"### {title}\n", *class_text(title, thing)])
    if inspect.isfunction(thing):
        return "\n".join([f"### {title}\n", code(signed(title, thing)), prose(doc(thing))])
    return f"### {title}\n\n{constant(*title.split('.'))}"


def constant(owner: str, name: str) -> str:
    """A constant or an alias as in the source, with the text below it; imports are followed."""
    loaded = importlib.import_module(f"outeract_core.{owner}")
    body = ast.parse(inspect.getsource(loaded)).body
    for statement, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.ImportFrom) and name in [a.name for a in statement.names]:
            source = "." * statement.level + str(statement.module)
            full = importlib.util.resolve_name(source, loaded.__package__)
            return constant(full.removeprefix("outeract_core."), name)
        names = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        if name in [getattr(each, "id", None) for each in names]:
            value = code(f"{name} = {ast.unparse(statement.value)}")  # type: ignore[attr-defined]
            said = getattr(getattr(below, "value", None), "value", None)
            return value + (f"\n{prose(inspect.cleandoc(said))}" if isinstance(said, str) else "")
    raise LookupError(f"{name} is not set in {owner}")


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
            yield f"#### {title}.{name}\n"
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
    hidden, only = HIDDEN.get(thing.__name__, ()), ONLY.get(thing.__name__, names)
    kept = [n for n in names if n in only and n not in fields and n not in hidden]
    return [n for n in kept if is_told(thing, n)]


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
    if (
        init is None
        or name in ("Message", "Delivery", "App", "Organisation")
        or getattr(thing, "_is_protocol", False)
    ):
        return ""
    if "._" in thing.__module__ and name != "Outeract":
        return ""
    return signed(name, init)


def field_text(field: Any) -> str:
    """A field of an attrs class."""
    kind = bare(field.type)
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
    result = (
        ""
        if signature.return_annotation in (None, "None", signature.empty)
        else f" -> {bare(signature.return_annotation)}"
    )
    prefix = "async " if inspect.iscoroutinefunction(call) else ""
    return prefix + wrapped(name.rpartition(".")[2], texts, result)


def parameter(p: inspect.Parameter) -> str:
    """One parameter as in the source."""
    stars = "*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else ""
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
    if isinstance(annotation, str):
        return annotation
    return str(getattr(annotation, "__name__", annotation))


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
    if isinstance(value, tuple) and any(isinstance(each, frozenset) for each in value):
        return f"({', '.join(map(shown, value))})"
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
    """Outside of code, what Markdown would take for HTML."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else p.replace("<", r"\<") for p in pieces)


def code(text: str) -> str:
    """A block that is shown and not run."""
    return f"```py\n{text}\n```\n"
