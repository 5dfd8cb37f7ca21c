"""A handler as it was registered: whom it answers, how its turns are cut, how often it may fail.

Knows: what a host may ask for with `App.on`, and what is nonsense.
Does not know: lanes, turns, what has arrived.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from attrs import field

from .._domain.rules.patterns import fits
from .._domain.rules.waking import wakes
from .._domain.values.classes import define, frozen
from .._store.reading.arrivals import Arrived
from ..errors import BadInput
from .current import CHAIN

MESSAGES, CHARACTERS = 20, 8_000
"""What a burst holds at most, unless `burst=` says otherwise."""


@frozen
class Burst:
    """How much one turn is given at most. A message that alone is longer has a turn of its own."""

    messages: int = MESSAGES
    characters: int = CHARACTERS


@define(eq=False)
class Manners:
    """What the runs of a handler have shown.

    leaves_open  it has left a cancel scope or a task group open, which then is its task's for good.
    """

    leaves_open: bool = False
    told: bool = False


@frozen
class Handler:
    """A function of the host.

    attempts    how often it may raise before the event is parked.
    settle      milliseconds of quiet before a burst is handed over.
    own, bots   whether it is also for what the application itself, and other bots, have done.
    timeout     seconds that a run may take.
    chain       how many turns in a row may lead to it without a person.
    process     it runs in a worker process.
    plain       it runs in a thread.
    """

    name: str
    pattern: str
    call: Callable[[Any], Any]
    overlap: str | None = None
    attempts: int = 5
    burst: Burst = field(default=Burst())
    settle: int = 0
    own: bool = False
    bots: bool = False
    timeout: float | None = None
    chain: int = CHAIN
    process: bool = False
    plain: bool = field(init=False)
    manners: Manners = field(factory=Manners, init=False, eq=False, repr=False)

    @plain.default
    def _(self) -> bool:
        return not self.process and not self.awaited

    @property
    def awaited(self) -> bool:
        """Whether it is an async function."""
        return inspect.iscoroutinefunction(_function(self.call))

    def wants(self, event_type: str) -> bool:
        """Whether the pattern fits."""
        return fits(self.pattern, event_type)

    def takes(self, arrived: Arrived) -> bool:
        """Whether it is for this event. What is told again wakes nobody a second time."""
        return not arrived.old and wakes(
            self.pattern, arrived.type, mine=arrived.mine, bot=arrived.bot, own=self.own,
            bots=self.bots, told=arrived.told,
        )  # fmt: skip


def burst_of(given: int | tuple[int, int] | None) -> Burst:
    """`burst=` as given: so many messages, or (messages, characters). Raises BadInput."""
    if given is None:
        return Burst()
    pair = given if isinstance(given, tuple) else (given, CHARACTERS)
    whole = [n for n in pair if isinstance(n, int) and not isinstance(n, bool) and n >= 1]
    if len(pair) != 2 or len(whole) != 2:
        raise BadInput(f"burst is a number of messages or (messages, characters), not {given!r}")
    return Burst(*whole)


def milliseconds(seconds: float, name: str) -> int:
    """A span of seconds. Raises BadInput unless it is 0 or more, and at most a day."""
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 <= seconds <= 86_400:
        raise BadInput(f"{name} is a number of seconds from 0 to 86400, not {seconds!r}")
    return round(seconds * 1000)


def _function(call: Callable[..., Any]) -> Callable[..., Any]:
    """What is run when it is called: behind `partial`, or the `__call__` of an object."""
    while isinstance(call, functools.partial):
        call = call.func
    if inspect.isroutine(call) or inspect.isclass(call):
        return call
    return getattr(call, "__call__", call)  # noqa: B004 - it is asked for its kind


def whole(number: int, name: str) -> int:
    """A count. Raises BadInput unless it is a whole number from 1 on."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise BadInput(f"{name} is a whole number from 1 on, not {number!r}")
    return number
