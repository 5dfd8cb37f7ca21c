"""What the list of conversations shows as last is what was last said, by every way in which a message is not said.

Knows: that the page of a conversation tells of each message whether it was said.
Does not know: how the list finds it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product
from pathlib import Path

import httpx
import pytest

from outeract_core import Outeract, PlatformConnection
from outeract_core._store.reading.views import LOOKED
from outeract_core.adapter import Flow, Outgoing, Sent
from outeract_core.errors import Rejected
from outeract_core.events import Fact
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.world import START, Loft, Pigeon, about, arrive, said

pytestmark = pytest.mark.anyio
KINDS = (
    "heard", "sent", "queued", "later", "cancelled", "refused", "refused at the end", "failed afterwards",
    "taken back",
)  # fmt: skip


class Choosy(Pigeon):
    """Takes nothing with a z in it."""

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        if "z" in outgoing.text:
            raise Rejected("no z")
        return (yield from super().send(outgoing))


@pytest.fixture
async def choosy(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Outeract]:
    """A store with one connection, whose platform refuses some messages."""
    async with Outeract(
        tmp_path / "bot.db", clock=clock, ids=SequentialIds(), durability="normal",
        transport=httpx.MockTransport(Loft()), allow_private_addresses=True,
    ) as core:  # fmt: skip
        core.register("choosy", Choosy)
        core.app("support").connect("choosy")
        yield core


async def happen(core: Outeract, conn: PlatformConnection, kind: str, who: str, key: str) -> None:
    """One message with somebody, which comes to what `kind` says."""
    app, to = core.app("support"), (conn, who)
    if kind in ("heard", "taken back"):
        await arrive(core, conn, said(key, "hello", who))
    if kind == "taken back":
        await arrive(core, conn, about("message.deleted", f"d{key}", key, {}))
    elif kind in ("later", "cancelled"):
        later = await app.send(to, "later", not_before=START + timedelta(days=9))
        assert kind == "later" or await later.cancel()
    elif kind == "queued":
        await app.send(to, "hello")
    elif kind != "heard":
        text = {"refused": "z", "refused at the end": "x " * 2500 + "z"}.get(kind, "hello")
        sent = await app.send(to, text)
        await core.pump()
        if kind == "failed afterwards":
            name = (await sent.state()).parts[0].external_message_id
            told = {"external_message_id": name, "reason": "blocked"}
            await arrive(core, conn, Fact("message.failed", f"f{key}", told, target=name))


async def agree(core: Outeract) -> list[bool]:
    """The list, the summaries, analytics and the pages tell the same of what was said last; of each whether anything was."""
    app = core.app("support")
    found = []
    recent = await app.conversations.recent(first=1000)
    up = await app.conversations.recent(first=1000, before=recent.end_cursor)
    assert up.nodes == recent.nodes[:-1]
    for line in recent:
        conversation = await app.conversations.of(line.peer)
        newest = (await conversation.page(first=LOOKED)).nodes
        told = [one for one in newest if one.said or one.deleted]
        assert line.last_message == (told or newest)[0]
        assert await conversation.summary() == line
        counts, whole = await conversation.analytics(), [one async for one in conversation.all()]
        heard = [one for one in whole if one.event_type == "message.inbound"]
        mine = [one for one in whole if one not in heard and (one.said or one.deleted)]
        assert (counts.inbound, counts.outbound) == (len(heard), len(mine))
        times = [one.occurred_at for one in heard + mine]
        assert (counts.first_message_at, counts.last_message_at) == (
            min(times, default=None), max(times, default=None),
        )  # fmt: skip
        found.append(bool(told))
    return found


async def test_what_is_shown_as_last_was_said(choosy: Outeract) -> None:
    """Of every two messages that come to whatever they may, the last that was said; where none was, the newest."""
    (conn,) = choosy.app("support").connections()
    for who, (first, then) in enumerate(product(KINDS, KINDS)):
        await happen(choosy, conn, first, f"p{who}", f"a{who}")
        await happen(choosy, conn, then, f"p{who}", f"b{who}")
    assert (await agree(choosy)).count(False) == len(
        {"later", "cancelled", "refused", "failed afterwards"}
    ) ** 2


async def test_a_thread_counts_what_was_said_in_it(choosy: Outeract) -> None:
    """Whatever it hangs below: a root that was cancelled is none that was said."""
    app = choosy.app("support")
    (conn,) = app.connections()
    await arrive(choosy, conn, said("m", "hello", "ann"))
    root = await app.send((conn, "ann"), "root", not_before=START + timedelta(days=9))
    await app.send((conn, "ann"), "said", thread=root.id)
    gone = await app.send(
        (conn, "ann"), "gone", thread=root.id, not_before=START + timedelta(days=9)
    )
    thread = await app.conversations.thread(root.id)
    assert [one.text async for one in thread.all()] == ["root", "said", "gone"]
    assert (await thread.page(total=True)).total_count == 3
    assert (await thread.analytics()).outbound == 1
    assert await gone.cancel()
    assert (await thread.analytics()).outbound == 1


async def test_a_look_back_has_an_end(choosy: Outeract) -> None:
    """However many have failed since: a list costs what its lines cost."""
    (conn,) = choosy.app("support").connections()
    for who, unsaid in (("ann", LOOKED - 1), ("bob", LOOKED)):
        await arrive(choosy, conn, said(who, "hello", who))
        for number in range(unsaid):
            await happen(choosy, conn, "later", who, f"{who}{number}")
    assert await agree(choosy) == [False, True]
