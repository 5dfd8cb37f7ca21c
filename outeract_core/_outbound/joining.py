"""Verbs that join a handler's turn at the call, awaited or not.

Knows: that inside a turn a verb has nothing to wait for, so that it can be run at once.
Does not know: what a verb does, what a turn is.

Outside of a turn a verb is a coroutine as any other: it does nothing until it is awaited, and Python
warns when it never is. Inside, a plain function needs no loop for it, and nothing is lost when an
`await` was forgotten.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast
from uuid import UUID

from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .._io.threads.aside import loaded

P = ParamSpec("P")
T = TypeVar("T")


class Joining(Protocol):
    """Whoever knows whether this runs inside a turn."""

    @property
    def in_turn(self) -> bool:
        """Whether it does."""
        ...


class Committing(Joining, Protocol):
    """An application whose verbs commit something, now or with the turn that they are called in."""

    runtime: Runtime
    tenant: Tenant
    key: int

    @property
    def cause(self) -> int | None:
        """The event that the turn that this runs in is about."""
        ...

    def new_id(self) -> UUID:
        """A fresh id."""
        ...

    async def commit(self, unit: Any) -> Any:
        """Commit a unit or an action, now or with the turn that this runs in."""


S = TypeVar("S", bound=Joining)


class Joined(Generic[T]):
    """The result of a verb that is in its turn already. `await` it or not: it is the same."""

    def __init__(self, value: T) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, None, T]:
        yield from ()
        return self.value

    def __repr__(self) -> str:
        return f"<Joined {self.value!r}>"


def joins(
    verb: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """The same verb; inside a turn it takes effect, or raises, when it is called."""

    @functools.wraps(verb)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
        joining = self.in_turn
        coroutine = verb(self, *args, **kwargs)
        if not joining:
            return coroutine
        from .handle import Delivery  # what runs turns has read it

        try:
            coroutine.send(None)
        except StopIteration as ended:
            done = ended.value if isinstance(ended.value, Delivery) else Joined(ended.value)
            return cast("Coroutine[Any, Any, T]", done)
        coroutine.close()
        raise RuntimeError(f"{verb.__qualname__} has waited inside a turn")

    return call


async def at_hand(who: Joining, load: Callable[[], T]) -> T:
    """What `load` imports, which is read beside the event loop. Inside a turn there is nothing to wait for: it was
    read with what runs turns.
    """
    return load() if who.in_turn else await loaded(load)
