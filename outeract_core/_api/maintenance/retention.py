"""Retention of one application, for the host: its rules, and their application, now and then.

Knows: when rules are due, that each stretch of the log is a commit of its own.
Does not know: what is old enough and what must stay (`_store/transfer/retention.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from attrs import evolve

from ..._domain.rules.patterns import checked
from ..._domain.values.ids import maybe_ms
from ..._handlers.handler import Handler
from ..._io import forgetting
from ..._io.connections import connection
from ..._io.runtime import Runtime
from ..._io.tenant import Tenant
from ..._store.transfer import retention, retention_rules
from ..._store.transfer.retention import Step, Task
from ..._store.transfer.retention_rules import Rule
from ..._store.writing import search
from ...errors import BadInput
from ...retention import Dropped, RetentionRule

HOUR = 3_600_000
"""Milliseconds between two applications of the rules."""
_MILLISECOND = timedelta(milliseconds=1)


class Retention:
    """What is kept for how long. Edges, types, times, statuses, counts and ids always stay."""

    def __init__(self, tenant: Tenant, runtime: Runtime, handlers: list[Handler]) -> None:
        self._tenant = tenant
        self._runtime = runtime
        self._handlers = handlers

    async def keep(
        self, pattern: str, for_: timedelta, *, connection_of: Any = None, raw_only: bool = False
    ) -> RetentionRule:
        """Content of events of this pattern is dropped when they were stored longer ago than `for_`.

        pattern        `message.inbound`, `message.*` or `*`; who is who (`user.*`, `link_code.*`,
                       `system.identity_changed`) never goes.
        connection_of  only what happened on this connection (an entity, id or name).
        raw_only       drop the platform's own item alone, and keep the payload.

        The same pattern, connection and `raw_only` again give that rule another time. The first
        rule that an event is too old for drops it. Raises BadInput, NotFound.
        """
        checked(pattern)
        if not isinstance(for_, timedelta) or for_ < timedelta():
            raise BadInput(f"for_ is a time that is not negative, not {for_!r}")
        conn = 0
        if connection_of is not None:
            conn = connection(self._runtime, self._tenant.key, connection_of).id
        ms = for_ // _MILLISECOND
        return await self._tenant.write(
            lambda tx, app: retention_rules.keep(tx, app, pattern, ms, conn, raw_only)
        )

    async def rules(self) -> list[RetentionRule]:
        """The rules of this application, oldest first."""
        return [rule.entity for rule in await self._rules()]

    async def remove(self, rule: RetentionRule | UUID | str) -> None:
        """Take a rule away. What it has dropped stays dropped. Raises NotFound, BadInput."""
        name = _name(rule)
        await self._tenant.write(lambda tx, app: retention_rules.remove(tx, app, name))

    async def apply(self, *, now: datetime | None = None, dry_run: bool = False) -> list[Dropped]:
        """Drop what the rules say, in short commits; what went, by rule.

        now      as if it were that time (aware; default: the clock).
        dry_run  drop nothing, and tell what would go. What two rules would drop is told by both.

        What is still to be sent stays until it is sent, what handlers have yet to handle until they
        have. In a program that registers no handlers, all that is known of them is how far those of
        another program have come. `core.serve()` and `core.pump()` do this every hour. Raises
        BadInput.
        """
        at = self._runtime.now() if now is None else maybe_ms(now)
        assert at is not None  # noqa: S101 - one of the two is given
        tasks = [self._task(rule, at) for rule in await self._rules()]
        if dry_run:
            traverse = self._tenant.database.traverse
            return [await traverse(partial(retention.foresee, task=task)) for task in tasks]
        gone = [await self._without_index(task) for task in tasks]
        done = [await self._apply(task) for task in tasks]
        for tokenizer in filter(None, gone):
            await self._runtime.write(
                partial(search.renew, wanted=tokenizer), app=None
            )  # it is one for all
        if any(each.events or each.deliveries for each in done):
            self._runtime.wake("handlers")
            if not self._runtime.copying:  # else the log is cut when the copy is made
                await self._tenant.database.truncate_log()
        return done

    async def _without_index(self, task: Task) -> str | None:
        """Where a rule takes most of the full-text index along, that goes first, as a whole."""
        find = partial(retention.takes_the_index, task=task)
        tokenizer = await self._runtime.database.traverse(find)
        if tokenizer is not None:
            await self._runtime.write(search.forget, app=None)  # it is one for all applications
        return tokenizer

    async def _rules(self) -> list[Rule]:
        return await self._tenant.read(retention_rules.rules)

    def _task(self, rule: Rule, at: int) -> Task:
        handlers = tuple((handler.name, handler.pattern) for handler in self._handlers)
        return Task(self._tenant.key, rule, at - rule.keep, handlers)

    async def _apply(self, task: Task) -> Dropped:
        """One commit after the other, until nothing more is due."""
        done, full, unhandled = Dropped(task.rule.entity), True, False
        while full:
            seen = await self._runtime.database.traverse(partial(retention.look, task=task))
            unhandled = seen.unhandled
            if seen.idle:
                break
            step = await self._runtime.write(partial(retention.step, task=task), app=task.app)
            done = _added(done, step)
            full, unhandled = step.full, step.unhandled
            if step.hashes:
                await forgetting.drop(self._runtime)
            task = evolve(task, rule=evolve(task.rule, position=step.position))
        left = partial(retention_rules.passed_by, rule=task.rule)
        unsent = await self._runtime.database.traverse(left)
        return evolve(done, unsent=unsent, unhandled=unhandled)


def _name(rule: RetentionRule | UUID | str) -> UUID:
    try:
        return rule.id if isinstance(rule, RetentionRule) else UUID(str(rule))
    except ValueError:
        raise BadInput(f"a rule, or the id of one, not {rule!r:.80}") from None


def _added(done: Dropped, step: Step) -> Dropped:
    return evolve(
        done, events=done.events + step.events, files=done.files + step.files,
        deliveries=done.deliveries + step.deliveries,
    )  # fmt: skip


class Keeper:
    """Applies the rules of applications by itself, each at most once an hour."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._last: dict[int, int] = {}

    async def keep(self, app: int, retention: Retention) -> None:
        """Apply an application's rules when an hour has passed since that was last tried here."""
        now, last = self._runtime.steady(), self._last.get(app)
        if last is None or now - last >= HOUR:
            self._last[app] = now
            await retention.apply()
