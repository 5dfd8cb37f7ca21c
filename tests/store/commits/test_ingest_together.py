"""What comes together leaves what it would have left one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core.events import Fact
from outeract_core.testing import ManualClock
from tests.store.test_projection import _agrees
from tests.support.reading.world import about, arrive, connect, everything, said

WHO = st.sampled_from(["ann", "bob", "system"])
FACT = st.tuples(
    st.sampled_from(["said", "said", "said", "in a group", "reply", "edited", "echo"]),
    st.integers(0, 6), WHO,
)  # fmt: skip


def _fact(kind: str, number: int, who: str) -> Fact:
    key = f"m{number}"
    if kind == "edited":
        return about("message.edited", f"e{number}", key, {"message": {"text": "better"}}, who)
    group = f"g{number % 2}" if kind == "in a group" else None
    reply = f"m{(number + 3) % 7}" if kind == "reply" else None
    return said(
        key, f"text {number}", who, group=group, at=number, reply_to=reply, echo=kind == "echo"
    )


async def _told(app: App) -> dict[str, Any]:
    """Everything that can be seen of an application, without keys and ids."""
    events = await everything(app)
    names = {event.id: event.external_message_id or event.event_type for event in events}
    edges = set()
    for event in events:
        for edge in (await app.graph.neighbours(event, direction="out")).edges:
            end = getattr(edge.target, "external_id", None) or names.get(edge.target_node_id)
            edges.add((names[event.id], edge.edge_type, end))
    summaries = (await app.conversations.recent(first=50)).nodes
    return {
        "events": [(e.event_type, e.external_message_id, e.text, e.occurred_at) for e in events],
        "edges": edges,
        "conversations": [
            (s.peer.external_id, s.last_message.text, s.inbound, s.outbound, s.unread,
             sorted(one.external_id for one in s.participants))
            for s in summaries
        ],
    }  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(FACT, min_size=2, max_size=14))
def test_together_or_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[str, int, str]]
) -> None:
    """The same facts in one delivery and in many: the same events, edges and conversations."""
    facts = [_fact(*one) for one in drawn]

    async def play(path: Path, batches: list[list[Fact]]) -> dict[str, Any]:
        async with Outeract(path, clock=ManualClock(), durability="normal") as core:
            app = core.app("support")
            connection = connect(core, app)
            for batch in batches:
                await arrive(core, connection, *batch)
            _agrees(core)
            return await _told(app)

    folder = tmp_path_factory.mktemp("together")
    together = anyio.run(play, folder / "a.db", [facts])
    alone = anyio.run(play, folder / "b.db", [[fact] for fact in facts])
    assert together == alone
