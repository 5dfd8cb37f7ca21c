"""The storage port: what a unit of work may ask of a database, whichever it is.

Knows: statements by name, transactions, key allocation.
Does not know: SQLite, threads, what the rows mean.

A *unit of work* is a plain function of a `Tx`. It is short, has no outside effects, and may be run
again from the start: everything it decides, it decides from what it reads in its transaction. Each
names the application that it is for, so that an engine with several writers can choose one by it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from attrs import Factory, field

from ._domain.values.classes import frozen

__all__ = ["Dialect", "Keys", "Statement", "Tx", "Whose"]

Row = TypeVar("Row")
Whose: TypeAlias = int | frozenset[int] | None
"""Whose a unit of work is: the application's (its key), of several, or None: the whole file's."""
Keys: TypeAlias = Sequence[int] | Sequence[str] | Sequence[bytes]
"""A list that a statement is given: of numbers, of texts without NUL or of bytes, never of several of these."""


@frozen
class Statement(Generic[Row]):
    """One SQL text with a name; `Row` is the shape of what it returns.

    `lists`: those of its parameters that are lists (`Keys`); every other one is a value.
    """

    name: str
    sql: str = field(repr=False)
    lists: tuple[str, ...] = ()


@frozen(eq=False)
class Dialect:
    """What engines write differently, each as a text in which its arguments are put.

    In named statements these stand as macros (`_store/engine/dialect.py`), in composed queries they are
    called. `types`: what the two kinds of elements of a list are called where an array has a type.

    A path is a text such as `$.a[0]`. Of what stands at one, `json_kind` is 'text', 'integer', 'real',
    'true', 'false', 'null', 'array', 'object', or NULL; `json_number` must not end the query where there
    is no number, in whatever order conditions are asked. `places` are those of a list as a table, of which
    only rows that satisfy `is_place` count; from one of them a path goes on in `place_doc`, its text behind
    `place_path`. `folded` is the text as `str.casefold` has it, of NULL the empty one.
    """

    each: str
    within: str
    pin: str
    is_text: str
    empty: str
    json_kind: str
    json_text: str
    json_number: str
    places: str
    is_place: str
    place_doc: str
    place_path: str
    contains: str
    folded: str
    types: Mapping[str, str] = Factory(dict)


class Tx(Protocol):
    """One transaction. `now`: its time in milliseconds. `dialect`: what its composed queries are made of.

    Parameters are given by name. A statement's lists are given as sequences, and travel as arrays: an
    empty one has no members, so that nothing is in it, and everything is not. `whose`: what the unit that is
    running has named. `optimistic`: what is added by a statement that refuses what is there already need not be
    asked for before; where it is there, nothing is written, and the units run again with this False.
    """

    now: int
    whose: Whose
    optimistic: bool
    dialect: Dialect

    def all(self, statement: Statement[Row], **params: Any) -> list[Row]:
        """All rows of a query."""

    def one(self, statement: Statement[Row], **params: Any) -> Row | None:
        """Its first row, or None."""

    def by_keys(self, statement: Statement[Row], keys: Keys, **params: Any) -> list[Row]:
        """All rows of a query whose one list is `keys`, and which begins with it: none for no keys."""

    def run(self, statement: Statement[Any], **params: Any) -> None:
        """Execute a change of which nobody needs to know what came: it may be done with what follows, but before
        anything is asked.
        """

    def changed(self, statement: Statement[Any], **params: Any) -> int:
        """Execute a change now; the number of rows that it changed."""

    def changed_one(self, statement: Statement[Any], **params: Any) -> bool:
        """Execute a change that is made to one row; whether it was. One that is `optimistic` takes it to be, and runs
        the units again where it was not.
        """

    def many(
        self, statement: Statement[Any], rows: Iterable[Mapping[str, Any] | tuple[Any, ...]]
    ) -> None:
        """Execute a change once per row: by name, or in the order in which the SQL names them."""

    def add(self, statement: Statement[Row], rows: Sequence[tuple[Any, ...]]) -> list[Row]:
        """Add many rows by as few statements as can be; what these return, of the rows that are new.

        `rows`: a value for each parameter in the order of the SQL, the first of them never NULL.
        """

    def dynamic(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        """Rows of a composed query; values travel as parameters only."""

    def stream(self, sql: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """Rows of a composed query one by one, none of them kept, while the transaction lasts."""

    def expand(
        self, keys: Sequence[int], types: Sequence[int] | None, *, inward: bool
    ) -> list[tuple[int, int, int]]:
        """Every edge (source, type, target) that leaves `keys`, or (`inward`) arrives there."""

    def reach(
        self, start: int, types: Sequence[int], hubs: Collection[int], *, inward: bool, depth: int,
        most: int,
    ) -> list[tuple[int, int, int, int, int | None]]:  # fmt: skip
        """What is reached from `start` along edges of these types, at most `most` rows, nearest first.

        Each row: the node, its distance, the node before, the edge's type and time (None: its source's);
        of `start` itself 0, 0, 0, None. `hubs` are met, and not passed.
        """

    def allocate(self, app: int) -> int:
        """The next node key of an application. Raises RuntimeError in a unit of another one."""

    def release(self, app: int) -> None:
        """Give the last key back: what it was for did not come to be."""

    def new_id(self) -> UUID:
        """A fresh public id, made at `now`."""

    def new_uid(self) -> bytes:
        """The same as a column keeps it."""

    def kind(self, name: str) -> int:
        """The number of an interned name (event types, edge types); new names are added."""

    def known_kind(self, name: str) -> int | None:
        """The number of an interned name, or None; never writes."""

    def kind_name(self, number: int) -> str:
        """The name behind an interned number."""

    def unguarded(self, guards: Sequence[str]) -> AbstractContextManager[None]:
        """Without these triggers while the block lasts, for this transaction only.

        They keep what is never taken away; an import that is refused never was. What leaves the block
        by an error must not be committed.
        """

    def remember(self, key: Any, value: Any) -> None:
        """Cache something that is true once this transaction has committed."""

    def recall(self, key: Any) -> Any:
        """What was remembered under `key`, here or in an earlier commit, or None."""

    def forget(self, key: Any = None) -> None:
        """Drop what was remembered under `key`, or everything."""

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have `call` run once the commit is certain; it must not raise or wait."""
