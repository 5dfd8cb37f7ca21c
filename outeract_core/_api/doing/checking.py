"""Asks the platforms whether connections can work: credentials, how events come, what is missing.

Knows: that connections are asked side by side, within one time, and none takes another along; that
what is found is told as a connection's state.
Does not know: what a platform is asked (the adapter's `check`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any, TypeAlias
from uuid import UUID

import anyio
from attrs import evolve, field

from ..._domain.rules.guard import guarded
from ..._domain.values.classes import frozen
from ..._domain.values.sinks import worded
from ..._io.connections import connection as named
from ..._io.runtime import Runtime
from ..._io.secrets.references import HOST
from ..._store.records.conn import Conn
from ...adapter import Finding, Health
from ...errors import (
    BadInput,
    MissingSecret,
    OuteractError,
    Throttled,
    Unauthorised,
    Unreachable,
    Unsupported,
)
from ...model import PlatformConnection

_GRAVITY = ("error", "warning", "info")


def _gravest_first(some: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(some, key=lambda one: _GRAVITY.index(one.level)))


@frozen
class Check:
    """What came of asking a platform about a connection. No secret is in it.

    connection   as it is now: its `status` is told from this.
    ok           whether it can work: the credentials hold, and no finding is an `error`. None: it
                 could not be asked from here, the findings say why.
    account, name   whose credentials they are, as the platform says.
    findings     what is wrong or worth knowing, the gravest first.
    """

    connection: PlatformConnection
    ok: bool | None
    account: str | None = None
    name: str | None = None
    findings: tuple[Finding, ...] = field(default=(), converter=_gravest_first)


async def of_one(
    runtime: Runtime, app: int, connection: PlatformConnection | UUID | str, timeout: float  # noqa: ASYNC109
) -> Check:  # fmt: skip
    """One connection of an application. Raises NotFound, BadInput, StoreError."""
    runtime.database.here()
    return (await checked(runtime, [named(runtime, app, connection)], timeout))[0]


async def of_apps(runtime: Runtime, apps: Container[int], timeout: float) -> list[Check]:  # noqa: ASYNC109
    """Each connection of these applications. Raises BadInput, StoreError."""
    runtime.database.here()
    runtime.reload()
    mine = [conn for conn in runtime.conns() if conn.app in apps]
    return await checked(runtime, sorted(mine, key=lambda conn: conn.id), timeout)


async def checked(runtime: Runtime, conns: list[Conn], timeout: float) -> list[Check]:  # noqa: ASYNC109
    """Each of these, in their order. Raises BadInput, StoreError."""
    if not timeout > 0:
        raise BadInput("timeout is a number of seconds above 0")
    runtime.reload()  # another process may have told of a state meanwhile
    found: dict[int, Check] = {}
    async with runtime.on_the_line():
        with anyio.move_on_after(timeout):
            async with anyio.create_task_group() as group:
                for conn in conns:
                    group.start_soon(_one, runtime, conn, found)
    late = Finding("error", f"no answer within {timeout:g} seconds", "is the platform reached?")
    whole = [found.get(conn.id) or Check(conn.entity, False, findings=(late,)) for conn in conns]
    return [
        evolve(one, connection=runtime.conn(conn.id).entity)
        for one, conn in zip(whole, conns, strict=True)
    ]


async def _one(runtime: Runtime, conn: Conn, found: dict[int, Check]) -> None:
    state: tuple[str, str] | None
    try:
        health = await _asked(runtime, conn)
    except Exception as error:
        ok, said, state = _failed(runtime, conn, error)
        here = Check(conn.entity, ok, findings=said)
    else:
        state = ("active", "it was checked") if health.ok else ("unauthorised", _first(health))
        here = Check(conn.entity, health.ok, health.account, health.name, health.findings)
    found[conn.id] = _clean(runtime, _with(here, _missing(runtime, conn)))
    if state is not None:
        await _told(runtime, conn, *state)


async def _asked(runtime: Runtime, conn: Conn) -> Health:
    """What the adapter has found. Raises Unsupported, and whatever the adapter raises."""
    adapter: Any = runtime.ready(conn)
    if not hasattr(adapter, "check"):
        raise Unsupported(f"nothing was asked: the adapter of {conn.platform} has no check")
    with guarded:
        flow = adapter.check()
    health: Health = await runtime.http.run(flow, by=conn.id)
    return health


_Failed: TypeAlias = tuple[bool | None, tuple[Finding, ...], tuple[str, str] | None]
"""Whether it can work, what is to be said, and what it says of the connection's state, if anything."""


def _failed(runtime: Runtime, conn: Conn, error: Exception) -> _Failed:
    if isinstance(error, Unauthorised):
        return False, (Finding("error", error.reason),), ("unauthorised", error.reason)
    if isinstance(error, Unreachable):
        return False, (Finding("error", error.reason),), ("unreachable", error.reason)
    if isinstance(error, Throttled):
        after = "later" if error.after is None else f"in {error.after:g} seconds"
        return None, (Finding("warning", error.reason, f"ask again {after}"),), None
    if isinstance(error, Unsupported):
        return None, (Finding("warning", str(error)),), None
    if isinstance(error, MissingSecret) and any(_missing(runtime, conn)):
        return None, (), None  # which one it is, is said of each
    if isinstance(error, OuteractError):
        return False, (Finding("error", str(error)),), None
    runtime.log.error("check", f"{_where(conn)}: the check broke: {worded(error)}", error)
    return False, (Finding("error", f"the check broke: {worded(error)}"),), None


def _with(check: Check, more: Iterable[Finding]) -> Check:
    findings = (*check.findings, *more)
    broken = any(one.level == "error" for one in findings)
    return evolve(check, ok=False if broken else check.ok, findings=findings)


def _first(health: Health) -> str:
    return str(health.findings[0]) if health.findings else "the credentials are refused"


def _missing(runtime: Runtime, conn: Conn) -> Iterator[Finding]:
    """Secrets that lead to nothing. One that another program hands over is no fault of the connection."""
    try:
        names = runtime.plugins.load(conn.platform).manifest.secrets
    except OuteractError:
        return
    for name in sorted(names):
        reference = conn.entity.config.get(name)
        if reference is None:
            continue
        try:
            runtime.texts.value(conn.entity, name)
        except MissingSecret as error:
            elsewhere = reference.startswith(HOST)
            yield Finding("warning" if elsewhere else "error", f"{name}: {error}")


async def _told(runtime: Runtime, conn: Conn, status: str, reason: str) -> None:
    if runtime.report is None:
        return
    try:
        await runtime.report(conn, status, runtime.log.redact(reason))
    except OuteractError as error:
        runtime.log.error("check", f"{_where(conn)}: its state could not be told: {error}", error)
    if status == "active":
        runtime.rests.over(conn.id)
        runtime.try_at_once(conn.id)


def _clean(runtime: Runtime, check: Check) -> Check:
    """Without any secret, that of the webhook's path included."""

    def text(said: str | None) -> str | None:
        if said is None:
            return None
        return runtime.log.redact(said)

    return evolve(
        check, account=text(check.account), name=text(check.name),
        findings=tuple(
            Finding(one.level, text(one.what) or "", text(one.remedy)) for one in check.findings
        ),
    )  # fmt: skip


def _where(conn: Conn) -> str:
    return f"connection {conn.platform}/{conn.entity.name}"
