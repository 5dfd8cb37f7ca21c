"""What engines write differently: in SQLite's SQL, and as macros in the named statements.

Knows: the macros, SQLite's words; that a list of keys travels as an array.
Does not know: which statements there are, how a list is bound.

    {each NAME}            the list NAME as rows, with one column, `value`: `FROM {each keys} j`
    {each NAME text}       the same for a list of texts
    {in NAME}              is one of the list NAME: `WHERE id {in keys}`, `NOT type {in notes}`
    {pin TABLE ALIAS ON …} a join whose left side is read first, whatever the planner believes
    {is_text COLUMN}       whether a column that holds numbers and texts holds a text
    {empty}                no bytes

There is no macro for the application of a row yet. SQLite's keys carry it, and a column of its own is dear
there; which rows an engine must be asked by it is known when its schema is (decision 45).
"""

from __future__ import annotations

import re

from ...driver import Dialect

__all__ = ["SQLITE", "Dialect", "lists", "macros", "translated"]

SQLITE = Dialect(
    each="carray(:{name})",
    within="IN (SELECT value FROM carray(:{name}))",
    pin="CROSS JOIN {table} {alias} ON {condition}",
    is_text="typeof({column}) = 'text'",
    empty="x''",
    json_kind="json_type({doc}, {path})",
    json_text="({doc} ->> {path})",
    json_number="({doc} ->> {path})",
    places="json_each({doc}, {path}) {name}",
    is_place="typeof({name}.key) = 'integer'",
    place_doc="{doc}",
    place_path="{name}.fullkey || ",
    contains="instr({text}, {part}) > 0",
    folded="casefold(CAST(coalesce({text}, '') AS BLOB))",  # as bytes: it may hold half a surrogate
)

_FORMS = {
    "each": (re.compile(r"each (?P<name>\w+)(?: (?P<type>text))?"), "each"),
    "in": (re.compile(r"in (?P<name>\w+)"), "within"),
    "pin": (
        re.compile(
            r"pin (?P<table>\w+|\(.*?\))\s+(?P<alias>\w+)\s+ON\s+(?P<condition>.*\S)", re.DOTALL
        ),
        "pin",
    ),
    "is_text": (re.compile(r"is_text (?P<column>[\w.]+)"), "is_text"),
    "empty": (re.compile(r"empty"), "empty"),
}
_PIECES = re.compile(r"'(?:[^']|'')*'|--[^\n]*|[{}]")
"""Texts and remarks, in which a brace is a brace; and the braces of macros."""
_LISTED = re.compile(r"\{(?:each|in) (\w+)")


def translated(sql: str, dialect: Dialect) -> str:
    """The same statement without macros. Raises ValueError for what is no macro."""
    open_ones, at = [list[str]()], 0
    for piece in _PIECES.finditer(sql):
        open_ones[-1].append(sql[at : piece.start()])
        at = piece.end()
        if piece[0] == "{":
            open_ones.append([])
        elif piece[0] != "}":
            open_ones[-1].append(piece[0])
        elif len(open_ones) == 1:
            raise ValueError("a } closes nothing")
        else:
            macro = "".join(open_ones.pop())
            open_ones[-1].append(_written(macro, dialect))
    if len(open_ones) > 1:
        raise ValueError("a { is not closed")
    return "".join([*open_ones[0], sql[at:]])


def _written(macro: str, dialect: Dialect) -> str:
    name = macro.partition(" ")[0]
    if name not in _FORMS:
        raise ValueError(f"there is no macro {{{macro:.40}}}; there are {', '.join(_FORMS)}")
    form, written = _FORMS[name]
    found = form.fullmatch(macro)
    if found is None:
        raise ValueError(f"{{{macro:.40}}} is not how {name} is written; see {__name__}")
    told = found.groupdict()
    element = dialect.types.get(told.pop("type", None) or "number", "")
    template: str = getattr(dialect, written)
    return template.format(**told, type=element)


def macros(sql: str) -> list[str]:
    """The names of the macros in a statement, in order."""
    return re.findall(rf"\{{({'|'.join(_FORMS)})\b", sql)


def lists(sql: str) -> tuple[str, ...]:
    """The names of the lists that a statement is given."""
    return tuple(sorted(set(_LISTED.findall(sql))))
