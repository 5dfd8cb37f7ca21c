"""A subject of an application (`app.events`, `app.people`, …) whose modules are not read yet.

Knows: that a property cannot wait, and a verb can; which verbs are no coroutines.
Does not know: the subjects, where they stand (`later.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from .._io.threads.aside import is_loaded, loaded
from .._io.wakeup import in_a_loop

__all__ = ["AT_ONCE", "STREAMS", "Unread", "unread"]

STREAMS = frozenset({"all"})
"""Verbs that give one after the other."""
AT_ONCE = frozenset({"cursor"})
"""Verbs that wait for nothing; who has what they ask for has mostly read the subject."""
Load = Callable[[], Callable[[Any], Any]]


def unread(load: Load) -> bool:
    """Whether reading it now would hold an event loop."""
    return not is_loaded(load) and in_a_loop()


class Unread:
    """It reads the subject beside the event loop when a verb is awaited, which then is the subject's own."""

    def __init__(self, app: Any, load: Load) -> None:
        self._app, self._load = app, load

    def __repr__(self) -> str:
        return repr(self._load()(self._app))

    async def _subject(self) -> Any:
        return (await loaded(self._load))(self._app)

    def __getattr__(self, verb: str) -> Any:
        if verb.startswith("_"):
            raise AttributeError(verb)
        if verb in AT_ONCE:
            return getattr(self._load()(self._app), verb)

        async def stream(*args: Any, **options: Any) -> AsyncIterator[Any]:
            async for one in getattr(await self._subject(), verb)(*args, **options):
                yield one

        async def call(*args: Any, **options: Any) -> Any:
            return await getattr(await self._subject(), verb)(*args, **options)

        return stream if verb in STREAMS else call
