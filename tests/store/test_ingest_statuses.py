"""Statuses in any order fold to the same state; own echoes are recognised by receipt or token.

Knows: sends of the test platform, facts about them. Does not know: how a status is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._domain.rules.delivery import RANK
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.reading import states
from outeract_core._store.records.conn import Conn
from outeract_core._store.writing import claims, delivery, ingest, sending
from outeract_core._store.writing.bulk import DUPLICATE
from outeract_core.content import Content
from outeract_core.events import Fact, Party
from outeract_core.model import DeliveryState, PlatformConnection
from tests.support.store import claimed
from tests.support.store.platform import connect, events, external_name, kinds, said, status, take

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOLD = ("sent", "delivered", "read", "failed")


@frozen
class Sent:
    """A message of ours: its key, and what the platform calls its parts."""

    key: int
    id: Any
    names: tuple[str, ...]


class Bench:
    """A store to ingest into without a loop, so that many histories can be tried in little time."""

    def __init__(self, core: Outeract, app: App) -> None:
        self.app = app
        self.connection = connect(core, app)
        self.conn: Conn = core.runtime.conns(app.key)[0]
        self.database = core.runtime.database

    def send(self, parts: int = 1) -> Sent:
        """An outbound message that is on its way."""
        intent = sending.Intent(
            self.app.new_id(), self.conn, Party("alice"), {"message": Content("hi").message()},
            [{}] * parts,
        )  # fmt: skip
        key, event_id = self.database.write_now(lambda tx: sending.send(tx, intent))
        tokens = [delivery.token(str(event_id), part) for part in range(parts)]
        return Sent(key, event_id, tuple(map(external_name, tokens)))

    def take(self, *facts: Fact) -> list[int]:
        """Facts of one delivery."""
        items = [ingest.prepare(fact, fact.raw) for fact in facts]
        return self.database.write_now(lambda tx: ingest.ingest(tx, self.conn, items))

    def receipt(self, sent: Sent, part: int = 0) -> None:
        """The platform's answer to our request."""

        def unit(tx: Connection) -> None:
            names = (sent.names[part],)
            delivery.receipts(
                tx, [delivery.Accepted(self.conn, sent.key, part, len(sent.names), names)]
            )

        self.database.write_now(unit)

    def state(self, sent: Sent) -> DeliveryState:
        """What has become of it."""
        return self.database.read(lambda tx: states.state_of(tx, self.app.key, sent.id))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One store for all histories of this module; each has a message of its own."""
    path: Path = tmp_path_factory.mktemp("bench") / "bot.db"
    core = Outeract(path, clock=lambda: NOON, durability="normal")
    yield Bench(core, core.app("support"))
    core.close()


def _fact(kind: str, sent: Sent, part: int = 0, **more: Any) -> Fact:
    """A status with a time of its own."""
    at = NOON + timedelta(minutes=1 + TOLD.index(kind))
    reason = {"reason": "no such number"} if kind == "failed" else {}
    return status(kind, sent.names[part], at=at, **reason, **more)


def _play(bench: Bench, sent: Sent, order: tuple[str, ...], **more: Any) -> None:
    """The receipt and statuses in this order; the status never moves backwards on the way."""
    before = bench.state(sent)
    for step in order:
        if step == "receipt":
            bench.receipt(sent)
        else:
            bench.take(_fact(step, sent, **more))
        after = bench.state(sent)
        assert RANK[after.status] >= RANK[before.status]
        before = after


STEPS = ("receipt", *TOLD)
CHOSEN = [tuple(s for i, s in enumerate(STEPS[1:]) if mask >> i & 1) for mask in range(16)]


@pytest.mark.parametrize("told", CHOSEN, ids=lambda told: "+".join(told) or "nothing")
def test_statuses_fold_to_the_same_in_every_order(bench: Bench, told: tuple[str, ...]) -> None:
    """Receipt and statuses, in all their permutations, give one state: the furthest, with all times."""
    expected = DeliveryState(
        told[-1] if told else "sent",  # type: ignore[arg-type]
        sent_at=NOON,
        delivered_at=NOON + timedelta(minutes=2) if "delivered" in told else None,
        read_at=NOON + timedelta(minutes=3) if "read" in told else None,
        failed_at=NOON + timedelta(minutes=4) if "failed" in told else None,
        reason="no such number" if "failed" in told else None,
    )
    for order in permutations(("receipt", *told)):
        sent = bench.send()
        _play(bench, sent, order)
        assert bench.state(sent) == expected, order


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "1001:42", "x' OR 1", "\x01"])
def test_what_waits_finds_its_message_whatever_that_is_called(bench: Bench, name: str) -> None:
    """Statuses that came before the receipt count once it is there, by any name that a platform makes up."""
    sent = bench.send()
    sent = evolve(sent, names=(name + sent.names[0],))
    _play(bench, sent, ("delivered", "sent", "receipt"))
    assert bench.state(sent).status == "delivered"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=12))
def test_statuses_may_repeat(bench: Bench, steps: list[str]) -> None:
    """Statuses that come again and again, before and after the receipt, change nothing more."""
    once, again = bench.send(), bench.send()
    _play(bench, once, tuple(dict.fromkeys(["receipt", *steps])))
    _play(bench, again, (*steps, "receipt", *steps))
    assert bench.state(once) == bench.state(again)


@settings(max_examples=60, deadline=None)
@given(st.permutations(STEPS))
def test_a_status_that_carries_our_token_is_a_receipt(bench: Bench, order: list[str]) -> None:
    """A platform that gives our token back tells the id with it, before its answer or instead of it."""
    with_answer, without = bench.send(), bench.send()
    for sent, steps in ((with_answer, order), (without, [s for s in order if s != "receipt"])):
        _play(bench, sent, tuple(steps), correlation=delivery.token(str(sent.id), 0))
        state = bench.state(sent)
        assert (state.status, state.reason) == ("failed", "no such number")
        assert None not in (state.delivered_at, state.read_at, state.failed_at)


@settings(max_examples=60, deadline=None)
@given(st.permutations([(step, part) for step in STEPS[:4] for part in range(3)]))
def test_a_message_of_parts_is_as_far_as_its_slowest(
    bench: Bench, order: list[tuple[str, int]]
) -> None:
    """Whatever the order of three parts' receipts and statuses: read when all are, never before."""
    sent = bench.send(parts=3)
    known: dict[int, set[str]] = {0: set(), 1: set(), 2: set()}
    for step, part in order:
        if step == "receipt":
            bench.receipt(sent, part)
        else:
            bench.take(_fact(step, sent, part))
        known[part].add(step)
        far = [_reached(steps) for steps in known.values()]
        assert bench.state(sent).status == min(far, key=RANK.__getitem__)
    state = bench.state(sent)
    assert state.status == "read"
    assert None not in (state.sent_at, state.delivered_at, state.read_at)


def _reached(steps: set[str]) -> str:
    """How far a part is: nothing counts before its receipt."""
    if "receipt" not in steps:
        return "queued"
    return max(steps - {"receipt"} or {"sent"}, key=RANK.__getitem__)


def test_one_failed_part_fails_the_message(bench: Bench) -> None:
    """A part that failed fails the whole, with its reason, and later good news does not help."""
    sent = bench.send(parts=2)
    bench.receipt(sent, 0)
    bench.receipt(sent, 1)
    bench.take(_fact("failed", sent, 1), _fact("read", sent, 0))
    state = bench.state(sent)
    assert (state.status, state.reason) == ("failed", "no such number")


def test_the_first_reason_and_the_first_time_stay(bench: Bench) -> None:
    """A second failure with another reason, a second reading at another time, change nothing."""
    sent = bench.send()
    bench.receipt(sent)
    for kind in ("read", "failed"):
        first = _fact(kind, sent)
        later = evolve(
            first, key=f"{first.key} again", occurred_at=NOON + timedelta(days=1),
            payload={"external_message_id": sent.names[0], "reason": "another"},
        )  # fmt: skip
        bench.take(first, later)
        assert bench.state(sent).reason == ("no such number" if kind == "failed" else None)
    state = bench.state(sent)
    assert state.read_at == NOON + timedelta(minutes=3)
    assert state.failed_at == NOON + timedelta(minutes=4)


def test_a_watermark_covers_what_was_sent_before_it(bench: Bench) -> None:
    """A status without ids is of all messages of the conversation that were sent up to its time."""
    before, failed = bench.send(), bench.send()
    for sent in (before, failed):
        bench.receipt(sent)
    bench.take(_fact("failed", failed))
    elsewhere = said("elsewhere", "bob")
    mark = Fact(
        "message.read", None, {}, sender=Party("alice"), watermark=NOON, occurred_at=NOON,
    )  # fmt: skip
    early = evolve(mark, watermark=NOON - timedelta(seconds=1))
    bench.take(elsewhere, early)
    assert bench.state(before).status == "sent"
    bench.take(mark, mark)
    assert bench.state(before).status == "read"
    assert bench.state(failed).status == "failed"


# ── own echoes ────────────────────────────────────────────────────────────────────────────────


def echo(name: str, correlation: str | None = None, text: str = "hi") -> Fact:
    """The platform shows the bot a message that the bot (or a colleague at the phone) has sent."""
    fact = said(name, text=text)
    return evolve(fact, sender=None, chat=fact.sender, echo=True, correlation=correlation)


def test_an_echo_after_its_receipt_is_known(bench: Bench) -> None:
    """An echo of what we have a receipt for is a duplicate, not a second message."""
    sent = bench.send()
    bench.receipt(sent)
    fates = bench.take(echo(sent.names[0]), echo(sent.names[0], text="edited on the way"))
    assert fates == [DUPLICATE, DUPLICATE]


def test_an_echo_with_our_token_is_the_receipt(bench: Bench) -> None:
    """An echo that carries our token before the answer came is that message's receipt."""
    sent = bench.send()
    assert bench.take(echo(sent.names[0], delivery.token(str(sent.id), 0))) == [DUPLICATE]
    assert bench.state(sent).status == "sent"
    bench.receipt(sent)
    bench.take(_fact("read", sent))
    assert bench.state(sent).status == "read"


@pytest.mark.parametrize("token", ["", "nonsense", "0" * 32 + ".0", ".", "0.0", "x.y"])
def test_a_token_that_is_not_ours_makes_a_message_of_its_own(bench: Bench, token: str) -> None:
    """A message that a person sent from the platform's own app is recorded as outbound, once."""
    fact = echo(f"from the phone {token}", token)
    first, second = bench.take(fact), bench.take(fact)
    assert first[0] > 0
    assert second == [DUPLICATE]
    (event,) = bench.app.events_at(first)
    assert event.event_type == "message.outbound"
    assert bench.app.sender_of(event).kind == "system"  # type: ignore[union-attr]


def test_a_token_with_a_part_that_is_none_is_not_ours(bench: Bench) -> None:
    """A part number beyond the message's parts claims nothing."""
    sent = bench.send()
    for part in (1, -1, 99):
        (fate,) = bench.take(echo(f"{sent.names[0]} {part}", delivery.token(str(sent.id), part)))
        assert fate > 0
    assert bench.state(sent).status == "queued"


@pytest.mark.anyio
@pytest.mark.parametrize("ours", [True, False])
async def test_an_echo_during_a_request_waits_for_the_receipt(
    core: Outeract, app: App, ours: bool
) -> None:
    """While a request is under way an echo may be its own: it is held, then judged, never lost."""
    connection: PlatformConnection = connect(core, app)
    database, conn = core.runtime.database, core.runtime.conns(app.key)[0]
    sent = await app.send((connection, "alice"), "hi")

    def under_way(tx: Connection) -> claims.Row:
        ((row,),) = claims.claim(tx, "me", {conn.id: 1}, 1000)
        claimed.begin(tx, row, 1000, 1000)
        return row

    row = await database.write(under_way)
    name = external_name(delivery.token(str(sent.id), 0))
    answer = await take(core, connection, echo(name if ours else "from the phone"))
    assert answer.status == 200
    assert await kinds(app) == ["message.outbound"]
    await database.write(lambda tx: claimed.part_done(tx, conn, row, (name,)))
    assert await core.replay(app) == (1, 0)
    assert await core.replay(app) == (0, 0)
    outbound = [e for e in await events(app) if e.event_type == "message.outbound"]
    assert len(outbound) == (1 if ours else 2)
    assert outbound[0].status == "sent"
