"""Any order of claims, expiries, thefts, settlements and crashes: no part leaves twice without proof."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
from attrs import define, field
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from outeract_core import Outeract
from outeract_core._store.writing import claims, outbox
from outeract_core._store.writing.claims import Row
from outeract_core.errors import LeaseLost
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.stepped import Stepwise, Wire
from tests.support.store import claimed

LEASE = 1_000
TEXTS = ("short", "a text that needs several parts")


@define
class Holder:
    """One task of some process: what it claimed, and how far it is with the row in its hands."""

    rows: list[Row] = field(factory=list)
    until: float = 0.0
    begun: bool = False
    left: bool = False
    """Whether its request has left."""


class Claims(RuleBasedStateMachine):
    """Three holders on the rows of two chats, over the library's own units of work."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        path = Path(self._folder.name) / "bot.db"
        self.core = Outeract(
            path,
            clock=self.clock,
            ids=SequentialIds(),
            durability="normal",
            transport=Wire(),
            allow_private_addresses=True,
        )
        self.core.register("stepwise", Stepwise)
        self.app = self.core.app("support")
        self.connection = self.app.connect("stepwise")
        self.conn = self.core.runtime.conns(self.app.key)[0]
        self.holders = [Holder() for _ in range(3)]
        self.requests: Counter[tuple[int, int]] = Counter()
        self.excused: Counter[tuple[int, int]] = Counter()
        self.order: dict[int, list[tuple[int, int]]] = {}
        self.time = 0.0

        async def fill() -> None:
            for chat in "ab":
                for text in TEXTS:
                    await self.app.send((self.connection, chat), text)

        anyio.run(fill)

    def teardown(self) -> None:
        """Close the file."""
        self.core.close()
        self._folder.cleanup()

    def _do(self, unit: Any) -> Any:
        return self.core.runtime.database.write_now(unit)

    def _settle(self, who: int, unit: Any) -> Row | str | None:
        """What a settlement leaves; "lost" when the claim was lost, and nothing was written."""
        try:
            left: Row | None = self._do(unit)
        except LeaseLost:
            return "lost"
        return left

    # ── what may happen ──

    @rule(who=st.integers(0, 2))
    def claim(self, who: int) -> None:
        """A task without work looks for some; it never takes what the process's other tasks hold."""
        holder = self.holders[who]
        if not holder.rows:
            shares = {self.conn.id: 1}
            lanes = self._do(lambda tx: claims.claim(tx, f"process {who}", shares, LEASE))
            rows = lanes[0] if lanes else []
            self.holders[who] = Holder(rows, self.time + LEASE)

    @rule(seconds=st.sampled_from([0.3, 0.8, 1.1, 5.0]))
    def wait(self, seconds: float) -> None:
        """Time passes; leases may end."""
        self.clock.advance(seconds)
        self.time += seconds * 1000

    @rule(who=st.integers(0, 2))
    def beat(self, who: int) -> None:
        """The heartbeat of a living task."""
        holder = self.holders[who]
        keys = [row.id for row in holder.rows]
        kept = self._do(lambda tx: claims.renew(tx, keys, f"process {who}", LEASE))
        if keys and set(kept) == set(keys):
            holder.until = self.time + LEASE

    @rule(who=st.integers(0, 2))
    def begin(self, who: int) -> None:
        """Just before a request. A row that was left while sending is not begun: it is resolved."""
        holder = self.holders[who]
        if not holder.rows or holder.begun:
            return
        row = holder.rows[0]
        if row.state == "sending":
            self._resolve(who, row)
            return
        try:
            self._do(lambda tx: claimed.begin(tx, row, LEASE, LEASE))
        except LeaseLost:
            self.holders[who] = Holder()
            return
        holder.begun, holder.until = True, self.time + LEASE

    def _resolve(self, who: int, row: Row) -> None:
        left = self._settle(who, lambda tx: outbox.part_unknown(tx, self.conn, row, "left"))
        self._next(who, left)

    @rule(who=st.integers(0, 2))
    def request(self, who: int) -> None:
        """The first byte: only while the claim holds, by the steady clock."""
        holder = self.holders[who]
        if holder.begun and not holder.left and self.time < holder.until:
            row = holder.rows[0]
            holder.left = True
            self.requests[row.id, row.done] += 1
            self.order.setdefault(row.lane, []).append((row.id, row.done))

    @rule(who=st.integers(0, 2), how=st.sampled_from(["done", "unknown", "refused", "not done"]))
    def settle(self, who: int, how: str) -> None:
        """The answer, or none."""
        holder = self.holders[who]
        if not holder.left:
            return
        row = holder.rows[0]
        if how == "not done":  # the platform has said so: that is the proof
            self.excused[row.id, row.done] += 1
        unit = {
            "done": lambda tx: claimed.part_done(tx, self.conn, row, (f"{row.id}.{row.done}",)),
            "unknown": lambda tx: outbox.part_unknown(tx, self.conn, row, "lost"),
            "refused": lambda tx: outbox.end(tx, self.conn, row, "message.failed", "no"),
            "not done": lambda tx: outbox.retry(tx, row, tx.now, "later"),
        }[how]
        left = self._settle(who, unit)
        if how == "not done" and left != "lost":
            self._release(who)
        else:
            self._next(who, left)

    @rule(who=st.integers(0, 2))
    def hold_back(self, who: int) -> None:
        """Begun, and certainly not left: put back."""
        holder = self.holders[who]
        if holder.begun and not holder.left:
            row = holder.rows[0]
            self._settle(who, lambda tx: outbox.retry(tx, row, tx.now, "held back"))
            self._release(who)

    @rule(who=st.integers(0, 2))
    def put_off(self, who: int) -> None:
        """As it was, later."""
        holder = self.holders[who]
        if holder.rows and not holder.begun:
            row = holder.rows[0]
            self._settle(who, lambda tx: outbox.postpone(tx, row, tx.now + 100, "paced"))
            self._release(who)

    @rule(who=st.integers(0, 2))
    def crash(self, who: int) -> None:
        """It forgets everything; its leases end by themselves."""
        self.holders[who] = Holder()

    @rule(who=st.integers(0, 2))
    def found_dead(self, who: int) -> None:
        """A process that has crashed is found dead, and its rows are free at once."""
        if not self.holders[who].rows:
            self._do(lambda tx: claims.release_owner(tx, f"process {who}"))

    def _next(self, who: int, left: Row | str | None) -> None:
        holder = self.holders[who]
        if left == "lost":
            self.holders[who] = Holder()
            return
        rows = holder.rows[1:] if left is None else [left, *holder.rows[1:]]  # type: ignore[list-item]
        self.holders[who] = Holder(rows, holder.until)

    def _release(self, who: int) -> None:
        rest = self.holders[who].rows[1:]
        self._do(lambda tx: claims.release(tx, rest))
        self.holders[who] = Holder()

    # ── what must be true ──

    @invariant()
    def no_part_leaves_twice(self) -> None:
        """Not without the platform's word that it was not done."""
        for part, count in self.requests.items():
            assert count <= 1 + self.excused[part], part

    @invariant()
    def a_chat_keeps_its_order(self) -> None:
        """Parts leave in order; one that is repeated was never overtaken."""
        for left in self.order.values():
            assert left == sorted(left)


TestClaims = Claims.TestCase
TestClaims.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
