"""Random conversations, and the test's own memory of them in plain lists.

Knows: how a story is made to happen, what pages and figures must then say.
Does not know: how a conversation is read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

from attrs import define
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._api.queries.conversations import Conversation
from outeract_core.model import Event, PlatformConnection
from outeract_core.pages import Page
from outeract_core.testing import ManualClock
from tests.support.reading.world import START, arrive, connect, event, person, said

__all__ = ["STORY", "Line", "World", "counted", "filled", "pages", "same", "shown", "vars_of"]

_number = count()


@define
class Line:
    """One message as the test remembers it."""

    id: Any
    position: int
    peer: tuple[int, str]
    sender: str | None
    at: Any
    root: Any

    @property
    def inbound(self) -> bool:
        return self.sender is not None


PEOPLE, PLACES = ["ann", "bob"], [None, None, "g1", "c1"]
SAY = st.tuples(
    st.just("say"), st.sampled_from(PEOPLE), st.sampled_from(PLACES), st.integers(0, 1),
    st.none() | st.integers(0, 9), st.integers(0, 150).map(lambda n: n * 600),
)  # fmt: skip
BOT = st.tuples(st.just("bot"), st.integers(0, 9), st.booleans(), st.integers(0, 5000))
READ = st.tuples(st.just("read"), st.integers(0, 9))
STORY = st.lists(st.one_of(SAY, SAY, BOT, READ), min_size=1, max_size=14)


class World:
    """An application in which a story has happened, and the test's own memory of it."""

    def __init__(self, core: Outeract, clock: ManualClock) -> None:
        self.core, self.clock = core, clock
        self.app = core.app(f"app{next(_number)}")
        self.conns = [connect(core, self.app, "pigeon"), connect(core, self.app, "raven")]
        self.lines: list[Line] = []
        self.marks: dict[tuple[int, str], int] = {}

    async def happen(self, story: list[Any]) -> World:
        self.clock.set(START)
        for one in story:
            await getattr(self, one[0])(*one[1:])
        return self

    async def say(
        self, who: str, place: str | None, conn: int, thread: int | None, at: int
    ) -> None:
        mine = [line for line in self.lines if line.peer == (conn, place or who)]
        root = mine[thread % len(mine)] if mine and thread is not None else None
        ext = None if root is None else await self._external(root)
        key = f"m{len(self.lines)}"
        fact = said(key, f"text {key}", who, group=place, at=at, thread=ext)
        await arrive(self.core, self.conns[conn], fact)
        found = await event(self.app, self.conns[conn], key)
        self._add(
            found, (conn, place or who), who, None if ext is None or root is None else root.id
        )

    async def bot(self, which: int, in_thread: bool, later: int) -> None:
        if not self.lines:
            return
        to = self.lines[which % len(self.lines)]
        self.clock.advance(later)
        thread = to.id if in_thread else None
        delivery = await self.app.send(to.id, "answer", thread=thread, sandbox=True)
        root = (to.root or to.id) if in_thread else None
        self._add(await self.app.events.get(delivery.id), to.peer, None, root)

    async def read(self, which: int) -> None:
        if self.lines:
            line = self.lines[which % len(self.lines)]
            await self.app.mark_read(line.id)
            self.marks[line.peer] = max(self.marks.get(line.peer, 0), line.position)

    def _add(self, found: Event, peer: tuple[int, str], sender: str | None, root: Any) -> None:
        self.lines.append(Line(found.id, found.position, peer, sender, found.occurred_at, root))

    async def _external(self, line: Line) -> str | None:
        found = await self.app.events.get(line.id)
        return found.external_message_id

    async def peer(self, peer: tuple[int, str]) -> Conversation:
        return await self.app.conversations.of(await person(self.app, self.conns[peer[0]], peer[1]))


async def pages(read: Callable[..., Any], first: int, **options: Any) -> list[Any]:
    """The nodes of all pages."""
    found: list[Any] = []
    after: str | None = None
    for _ in range(1000):
        page: Page[Any] = await read(first=first, after=after, **options)
        assert len(page) <= first
        found += page.nodes
        if not page.has_next:
            return found
        assert len(page) == first
        after = page.end_cursor
    raise AssertionError("pages without end")


async def same(conversation: Conversation, lines: list[Line], first: int) -> None:
    """The conversation is these lines, in both directions, page by page and all at once."""
    wanted = [line.id for line in lines]
    newest = [e.id for e in await pages(conversation.page, first, order="newest")]
    oldest = [e.id for e in await pages(conversation.page, first, order="oldest")]
    assert newest[::-1] == oldest == wanted
    assert [e.id async for e in conversation.all()] == wanted
    assert [e.id async for e in conversation.all(order="newest")] == wanted[::-1]


def counted(lines: list[Line]) -> dict[str, Any]:
    """What analytics must say of these lines, in their order."""
    waits, asked = [], None
    for line in lines:
        if line.inbound:
            asked = asked if asked is not None else line.at
        elif asked is not None:
            waits.append(max(line.at - asked, timedelta()))
            asked = None
    ordered = sorted(waits)
    half = len(ordered) // 2
    return {
        "inbound": sum(line.inbound for line in lines),
        "outbound": sum(not line.inbound for line in lines),
        "first_message_at": min((line.at for line in lines), default=None),
        "last_message_at": max((line.at for line in lines), default=None),
        "first_response": waits[0] if waits else None,
        "median_response": (ordered[half] + ordered[~half]) / 2 if waits else None,
        "active_days": len({line.at.date() for line in lines}),
    }


def vars_of(analytics: Any) -> dict[str, Any]:
    """The fields of an `Analytics`."""
    return {name: getattr(analytics, name) for name in counted([])}


async def filled(core: Outeract, app: App, count: int) -> tuple[PlatformConnection, Conversation]:
    """A direct conversation of `count` messages a minute apart."""
    conn = connect(core, app)
    facts = [said(f"m{n}", f"text {n}", "ann", at=n * 60) for n in range(count)]
    await arrive(core, conn, *facts)
    return conn, await app.conversations.of(await person(app, conn, "ann"))


async def shown(conversation: Conversation, **options: Any) -> list[tuple[str, str]]:
    """The context as (role, content)."""
    turns = await conversation.context(**options)
    assert [turn.as_dict() for turn in turns] == [
        {"role": turn.role, "content": turn.content} for turn in turns
    ]
    return [(turn.role, turn.content) for turn in turns]
