"""Pages turn both ways: events, conversations, the list of them, and search in both orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from outeract_core import App, Outeract
from outeract_core import query as q
from tests.support.reading.world import arrive, connect, person, said

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("listing", ["events", "conversation", "recent", "newest", "rank"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
async def test_backward_pages_show_the_nodes_of_forward_pages(
    core: Outeract, app: App, listing: str, size: int
) -> None:
    """Turned to the end and back, every page has the same nodes in the same order; times may be equal."""
    conns = [connect(core, app), connect(core, app, "raven")]
    for n in range(23):
        await arrive(core, conns[n % 2], said(f"m{n}", "some word", f"p{n % 7}", at=0))
    conversation = await app.conversations.of(await person(app, conns[0], "p0"))
    asks: dict[str, Callable[..., Any]] = {
        "events": lambda **k: app.events.page(q.type_is("message.inbound"), **k),
        "conversation": conversation.page,
        "recent": app.conversations.recent,
        "newest": lambda **k: app.search("word", **k),
        "rank": lambda **k: app.search("word", order="rank", **k),
    }
    ask = asks[listing]
    whole = await ask(first=100, total=True)
    assert whole.total_count == len(whole)
    page = await ask(first=size)
    forward = list(page.positions)
    assert not page.has_previous
    while page.has_next:
        page = await ask(first=size, after=page.end_cursor)
        assert page.has_previous
        forward += page.positions
    backward = list(page.positions)
    while page.has_previous:
        page = await ask(first=size, before=page.start_cursor)
        assert page.has_next
        backward = [*page.positions, *backward]
    assert backward == forward
    assert len(forward) == len(whole)
