"""Retention goes through history once, a stretch at a time, and by itself.

Knows: how much a step looks at and drops, when rules are applied. Does not know: what goes.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import anyio
import pytest

from outeract_core import App, Outeract
from outeract_core._api.maintenance.retention import HOUR
from outeract_core._store.transfer import rebuild, retention, retention_rules
from outeract_core._store.transfer.retention import Task
from outeract_core.content import Attachment, Content
from outeract_core.model import PlatformConnection
from outeract_core.retention import Dropped
from outeract_core.testing import ManualClock
from tests.support.patience import soon
from tests.support.store.platform import events, kinds, said, take

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
DAY = 86_400
DAYS_90 = timedelta(days=90)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that are small enough to be many."""
    monkeypatch.setattr(retention, "CHUNK", 7)
    monkeypatch.setattr(retention, "WINDOW", 40)


def _numbers(done: list[Dropped]) -> list[tuple[int, int]]:
    return [(each.events, each.files) for each in done]


@pytest.mark.usefixtures("small")
async def test_many_short_commits_drop_everything(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """Each commit drops at most a chunk and says so; together they drop what a dry run has told."""
    await take(core, plain, *(said(f"m{n:03}", f"who{n % 5}") for n in range(60)))
    for n in range(9):
        content = Content("see", files=(Attachment(f"file {n % 4}".encode() * 9, "f.txt"),))
        await app.send((plain, f"who{n % 5}"), content)
    await core.pump()
    clock.advance(91 * DAY)
    await take(core, plain, *(said(f"n{n:03}") for n in range(20)))
    await app.retention.keep("message.*", DAYS_90)
    foreseen = await app.retention.apply(dry_run=True)
    before = await events(app)
    assert not any(event.payload == {"erased": True} for event in before)
    done = await app.retention.apply()
    assert _numbers(done) == _numbers(foreseen) == [(78, 9)]
    said_so = [e.payload for e in await events(app) if e.event_type == "system.retention_applied"]
    assert sum(payload["events"] for payload in said_so) == 78
    assert max(payload["events"] for payload in said_so) <= 7
    left = [e for e in await events(app) if e.event_type == "message.inbound" and e.text]
    assert len(left) == 20
    assert core.runtime.database.read(rebuild.check) == []


@pytest.mark.usefixtures("small")
async def test_history_is_looked_at_once(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """A rule goes on where it stopped; a stretch of other types is passed in windows."""
    for n in range(50):
        await app.emit("order.created", {"number": n})
    await take(core, plain, said("m1"))
    clock.advance(91 * DAY)
    await app.retention.keep("message.*", DAYS_90)
    assert _numbers(await app.retention.apply()) == [(1, 0)]
    (rule,) = core.runtime.database.read(partial(retention_rules.rules, app=app.key))
    old = next(event for event in await events(app) if event.event_type == "message.inbound")
    assert rule.position >= old.position
    task = Task(app.key, rule, core.runtime.now() - rule.keep)
    steps = [_steps(core, task)]
    await take(core, plain, *(said(f"n{n}") for n in range(300)))
    steps.append(_steps(core, task))
    assert steps[1] <= steps[0] * 1.02


def _steps(core: Outeract, task: Task) -> int:
    """What SQLite does for one look, in steps of its machine."""
    counted = 0

    def unit(tx: Any) -> int:
        nonlocal counted
        retention.look(tx, task)

        def count() -> bool:
            nonlocal counted
            counted += 1
            return False

        tx.db.set_progress_handler(count, 1)
        retention.look(tx, task)
        tx.db.set_progress_handler(None)
        return counted

    return core.runtime.database.read(unit)


async def test_a_shorter_time_drops_more_and_a_longer_one_waits(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """Changing a rule's time counts from then on; what is gone is gone."""
    for n in range(4):
        await take(core, plain, said(f"m{n}"))
        clock.advance(10 * DAY)
    await app.retention.keep("*", timedelta(days=35))
    assert _numbers(await app.retention.apply()) == [(1, 0)]
    await app.retention.keep("*", timedelta(days=15))
    assert _numbers(await app.retention.apply()) == [(2, 0)]
    await app.retention.keep("*", timedelta(days=100))
    clock.advance(20 * DAY)
    assert _numbers(await app.retention.apply()) == [(0, 0)]


async def test_as_if_it_were_another_time(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """`now` tells what a later day will drop."""
    await take(core, plain, said("m1"))
    await app.retention.keep("message.*", DAYS_90)
    later = clock() + timedelta(days=91)
    assert _numbers(await app.retention.apply(dry_run=True)) == [(0, 0)]
    assert _numbers(await app.retention.apply(dry_run=True, now=later)) == [(1, 0)]
    assert _numbers(await app.retention.apply(now=later)) == [(1, 0)]


async def test_pump_applies_rules_once_an_hour(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """A script under cron needs nothing else; between two hours nothing is looked at."""
    await take(core, plain, said("m1"))
    await app.retention.keep("message.*", timedelta(seconds=10))
    await core.pump()
    clock.advance(60)
    await core.pump()
    assert "system.retention_applied" not in await kinds(app)
    clock.advance(HOUR / 1000)
    await core.pump()
    assert "system.retention_applied" in await kinds(app)


async def test_serve_applies_rules_by_itself(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """A program that serves drops what is due when an hour has passed."""
    await take(core, plain, said("m1"))
    await app.retention.keep("message.*", timedelta(minutes=30))
    async with anyio.create_task_group() as group:
        group.start_soon(core.serve)
        await anyio.wait_all_tasks_blocked()
        clock.advance(HOUR / 1000)
        with soon():
            while "system.retention_applied" not in await kinds(app):
                core.runtime.wake("retention")
                await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()


async def test_dropped_words_are_not_found(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """The search index forgets what is dropped."""
    await take(core, plain, said("m1", text="a singular word"))
    assert len((await app.search("singular")).nodes) == 1
    clock.advance(91 * DAY)
    await take(core, plain, said("m2", text="another singular word"))
    await app.retention.keep("message.*", DAYS_90)
    await app.retention.apply()
    found = await app.search("singular")
    assert [hit.event.external_message_id for hit in found.nodes] == ["m2"]


async def test_a_rule_that_was_removed_meanwhile_drops_nothing(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """A step looks at the rule as it is in its own transaction."""
    await take(core, plain, said("m1"))
    rule = await app.retention.keep("message.*", DAYS_90)
    clock.advance(91 * DAY)
    (known,) = core.runtime.database.read(partial(retention_rules.rules, app=app.key))
    task = Task(app.key, known, core.runtime.now() - known.keep)
    await app.retention.keep("message.*", timedelta(days=100))
    assert (await core.runtime.write(partial(retention.step, task=task))).events == 0
    await app.retention.remove(rule)
    assert (await core.runtime.write(partial(retention.step, task=task))).events == 0
    assert [event.text for event in await events(app)] == ["hello"]
