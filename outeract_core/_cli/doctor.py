"""`outeract doctor`: is this file well, is everything there that its connections need?

Knows: what to look at, and what to advise.
Does not know: how anything is mended.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from attrs import asdict

from .. import query
from .._api.app import App
from .._api.outeract import Outeract
from .._domain.values.ids import from_ms
from .._domain.values.paths import shown_path
from .._io.secrets.key import readable_by_others
from .._io.secrets.references import HOST
from .._io.threads.handover import HandOver
from .._store.engine import checks, schema
from .._store.reading import enrolment, health, queries
from .._store.reading.undelivered import Among, counted, listed
from .._store.transfer import importing, rebuild
from ..adapter import Finding
from ..errors import OuteractError, UnfinishedImport
from .opening import Progress, applications, opened
from .printing import give, tell

_DAY = 86_400_000
_ROOM = 10_000_000
"""Bytes: with less than that left a disk is as good as full."""


def run(options: argparse.Namespace) -> int:
    """Print the findings; 1 when something is not well."""
    with opened(options.file, options.key) as core:
        progress = Progress("checking")
        file = _file(core, progress, deep=options.deep)
        apps = _whole(core, options.app)
        online = _online(core, options.timeout) if options.online else []
        findings = {
            "file": file,
            "applications": [_application(core, app) for app in apps],
            "adapters": {name: core.runtime.plugins.fault(name) for name in core.platforms()},
            "online": online,
            "key": _key(core),
            "queues": core.runtime.database.read(health.queues),
            "last_day": _last_day(core),
            "held_back": _held_back(core, apps),
            "newest": _newest(core),
            "foreign": core.runtime.database.read(health.foreign),
            "unfinished": core.runtime.database.read(importing.unfinished),
            "search": core.runtime.database.read(health.search),
            "hand_over": _hand_over(core.runtime.measure()),
        }
        progress.end()
    problems = list(_problems(findings))
    findings["problems"] = problems
    if options.json:
        give(findings)
    else:
        tell(_for_people(findings))
    return 1 if problems else 0


def _file(core: Outeract, progress: Progress, *, deep: bool) -> dict[str, Any]:
    """What SQLite says of the file; only a deep look reads all of it."""
    path = Path(core.path)
    wal = Path(f"{path}-wal")
    found = core.runtime.database.read(lambda tx: checks.integrity(tx, progress)) if deep else []
    drift = core.runtime.database.read(rebuild.check) if deep and not found else []
    return {
        "path": shown_path(path), "bytes": path.stat().st_size,
        "free_bytes": shutil.disk_usage(path.parent).free,
        "wal_bytes": wal.stat().st_size if wal.exists() else 0,
        **core.runtime.database.read(checks.versions), "deep": deep, "integrity": found,
        "strange": core.runtime.database.read(schema.strange), "open_to_others": _open(path),
        "projections": drift,
    }  # fmt: skip


def _online(core: Outeract, timeout: float) -> list[dict[str, Any]]:
    """What the platforms say of each connection of the opened applications."""
    checks = anyio.run(partial(core.check, timeout=timeout))
    names = {conn.entity.id: conn.app for conn in core.runtime.conns()}
    apps = {app.key: f"{app.organisation}/{app.name}" for app in applications(core, None)}
    return [
        {
            "connection": f"{apps[names[one.connection.id]]} {one.connection.name}", "ok": one.ok,
            "account": one.account, "name": one.name,
            "findings": [asdict(finding) for finding in one.findings],
        }
        for one in checks
    ]  # fmt: skip


def _hand_over(found: HandOver) -> dict[str, Any]:
    """How long threads of this process wait: the program's own, where the doctor is called in it."""
    return {**asdict(found), "advice": found.advice}


def _key(core: Outeract) -> str | None:
    """What is wrong with the file's key, or None."""
    key = core.runtime.key
    if key.fault is None and key.path is not None and readable_by_others(key.path):
        return (
            f"{key.path} can be read by others: chmod 600, and `outeract new-key` if they may have"
        )
    return key.fault


def _open(path: Path) -> list[str]:
    """What other accounts of the machine may read or write, in rights that an older version has left."""
    if os.name == "nt":
        return []
    beside = (path, Path(f"{path}-wal"), Path(f"{path}-shm"), Path(f"{path}.files"))
    return [str(one) for one in beside if one.exists() and one.stat().st_mode & 0o077]


def _last_day(core: Outeract) -> dict[str, int]:
    """What went wrong in the last 24 hours: messages not delivered, turns given up, turns that hung."""
    since = core.runtime.now() - _DAY
    given_up, _event = core.runtime.database.read(partial(health.parked, since=since))
    found = {"failed": 0, "unknown": 0, "parked": given_up, "hung": 0}
    among = Among(since=since)
    conns = {conn.id: conn for conn in core.runtime.conns()}
    for app in {conn.app for conn in conns.values()}:
        found["hung"] += core.runtime.database.read(partial(health.hung, app=app, since=since))
        for one in core.runtime.database.read(
            partial(counted, app=app, among=among, width=_DAY, conns=conns)
        ):
            found[one.status] += one.count
    return found


def _held_back(core: Outeract, apps: list[App]) -> dict[str, int]:
    """How often in the last 24 hours applications were over a quota, by name."""
    since = query.between(from_ms(core.runtime.now() - _DAY), None)
    over = query.type_is("system.quota_reached") & since
    read, found = core.runtime.database.read, {}
    for app in apps:
        if count := read(partial(queries.count, app=app.key, where=over)):
            found[f"{app.organisation}/{app.name}"] = count
    return found


def _newest(core: Outeract) -> dict[str, str]:
    """The newest event of each kind that somebody may give a second chance."""
    read = core.runtime.database.read
    conns = {conn.id: conn for conn in core.runtime.conns()}
    since = core.runtime.now() - _DAY
    found = {"parked": read(health.parked)[1]}
    for status in ("failed", "unknown"):
        among = Among(status=status, since=since)
        for app in {conn.app for conn in conns.values()}:
            for one in read(partial(listed, app=app, among=among, limit=1, conns=conns)):
                found[status] = max(one.event.id, found.get(status) or one.event.id)
    return {kind: str(event) for kind, event in found.items() if event is not None}


def _whole(core: Outeract, wanted: str | None) -> list[App]:
    """The applications that can be opened."""
    try:
        return applications(core, wanted)
    except UnfinishedImport:
        return []


def _application(core: Outeract, app: Any) -> dict[str, Any]:
    return {
        "name": f"{app.organisation}/{app.name}",
        "config": dict(app.config),
        "counts": core.runtime.database.read(lambda tx: health.counts(tx, app.key)),
        "handlers": core.runtime.database.read(lambda tx: enrolment.told(tx, app.key)),
        "connections": [_connection(core, conn) for conn in core.runtime.conns(app.key)],
    }


def _connection(core: Outeract, conn: Any) -> dict[str, Any]:
    entity = conn.entity
    found: dict[str, Any] = {
        "platform": entity.platform, "name": entity.name, "status": entity.status, "secrets": {},
    }  # fmt: skip
    try:
        manifest = core.runtime.plugins.load(entity.platform).manifest
    except OuteractError as error:
        return {**found, "adapter": str(error)}
    found["adapter"] = "installed"
    for name in sorted(manifest.secrets):
        found["secrets"][name] = _secret(core, entity, name)
    return found


def _secret(core: Outeract, entity: Any, name: str) -> str:
    """`present`, `missing: why`, or that the host hands it over. Never the value."""
    reference = entity.config.get(name)
    if reference is None:
        return "not given"
    if reference.startswith(HOST):
        return "handed over by the host at start"
    try:
        return "present" if core.runtime.texts.value(entity, name) else "missing: empty"
    except OuteractError as error:
        return f"missing: {error}"


def _problems(findings: dict[str, Any]) -> Any:
    file = findings["file"]
    if file["free_bytes"] < _ROOM:
        yield (
            f"the disk is full, {file['free_bytes']:,} bytes are left: deliveries are refused and what "
            "is to be sent waits until some are freed"
        )
    for path in file["open_to_others"]:
        yield f"{path} can be read by other accounts: chmod go= {path}"
    for text in (*file["integrity"], *file["projections"], *file["strange"]):
        yield f"file: {text}"
    for one in findings["foreign"]:
        yield f"{one['items']} items of {one['platform']} were not kept: {one['reason']}"
    yield from filter(None, (findings["key"], *findings["adapters"].values()))
    for name in findings["unfinished"]:
        yield f"{name} is an unfinished import: run outeract import again with the same file"
    yield from _of_connections(findings)
    yield from _of_level(findings, "error")
    for name in ("unparsed", "parked"):
        if findings["queues"].get(name):
            verb = "replay" if name == "unparsed" else "retry"
            yield f"{findings['queues'][name]} {name} ({_command(findings, verb, name)})"


def _of_connections(findings: dict[str, Any]) -> Iterator[str]:
    for app in findings["applications"]:
        for conn in app["connections"]:
            where = f"{app['name']} {conn['name']}"
            if conn["adapter"] not in ("installed", *findings["adapters"].values()):
                yield f"{where}: {conn['adapter']}"
            if conn["status"] != "active":
                yield f"{where}: the connection is {conn['status']}"
            for name, state in conn["secrets"].items():
                if state.startswith("missing"):
                    yield f"{where}: {name} is {state}"


def _of_level(findings: dict[str, Any], level: str) -> Iterator[str]:
    """What platforms have said of this gravity, each with its remedy."""
    for one in findings["online"]:
        for found in one["findings"]:
            if found["level"] == level:
                yield f"{one['connection']}: {Finding(**found)}"


def _for_people(findings: dict[str, Any]) -> list[str]:
    file = findings["file"]
    lines = [
        f"{file['path']}: {file['bytes']:,} bytes, log {file['wal_bytes']:,} bytes, "
        f"schema {file['schema']}, SQLite {file['sqlite']}"
    ]
    for app in findings["applications"]:
        counts = ", ".join(f"{value} {name}" for name, value in app["counts"].items())
        lines.append(f"{app['name']}: {counts}")
        for conn in app["connections"]:
            secrets = ", ".join(f"{k} {v}" for k, v in conn["secrets"].items()) or "no secrets"
            lines.append(f"  {conn['platform']}/{conn['name']}: {conn['status']}; {secrets}")
        lines += map(_handler, app["handlers"])
    lines += [f"asked: {one['connection']}: {_answer(one)}" for one in findings["online"]]
    lines += [f"  {text}" for text in _of_level(findings, "info")]
    lines.append("queues: " + ", ".join(f"{v} {k}" for k, v in findings["queues"].items()))
    lines.append("search: " + _search(findings["search"]))
    lines += _advice(findings)
    problems = [f"✗ {text}" for text in findings["problems"]]
    return lines + (problems or ["✓ all is well"])


_ANSWERS = {True: "works", False: "does not work", None: "not known"}


def _answer(one: dict[str, Any]) -> str:
    whose = " ".join(part for part in (one["name"], one["account"]) if part)
    return _ANSWERS[one["ok"]] + (f", {whose}" if whose else "")


def _handler(found: dict[str, Any]) -> str:
    since = f"{from_ms(found['since']):%Y-%m-%d %H:%M}"
    left = enrolment.in_words(found["left_behind"], found["older"])
    behind = f"; {left} before that were left behind" if found["left_behind"] else ""
    return f"  handler {found['name']}: known since {since}{behind}"


def _advice(findings: dict[str, Any]) -> Iterator[str]:
    """What is no fault of the file, and yet wants somebody's eyes."""
    for text in _of_level(findings, "warning"):
        yield f"! {text}"
    if findings["hand_over"]["advice"]:
        yield f"! {findings['hand_over']['advice']}"
    day = findings["last_day"]
    if day["failed"]:
        why = f"{_command(findings, 'deliveries')} --status failed"
        yield (
            f"! {day['failed']} failed in the last day: {why} says why, "
            f"{_command(findings, 'resend', 'failed')} sends the newest again"
        )
    if day["unknown"]:
        which = f"{_command(findings, 'deliveries')} --status unknown"
        yield (
            f"! {day['unknown']} in the last day may or may not have arrived: {which} says which; "
            f"look, then {_command(findings, 'resend', 'unknown')} --marked"
        )
    if day["parked"]:
        which = f"{_command(findings, 'turns')} --status parked"
        yield f"! {day['parked']} turns were given up in the last day: {which} says which"
    if day["hung"]:
        which = f"{_command(findings, 'tail')} --type system.handler_hangs"
        yield (
            f"! {day['hung']} turns took longer than a minute in the last day: {which} says which; "
            "on(…, timeout=) ends them"
        )
    for name, count in findings["held_back"].items():
        why = f"{_command(findings, 'tail')} --type system.quota_reached"
        yield f"! {name} was held back {count} times in the last day by its quotas: {why} says by which"
    if findings["queues"]["retrying"]:
        which = f"{_command(findings, 'turns')} --status retrying"
        yield (
            f"! {findings['queues']['retrying']} turns have failed and are run again by themselves: "
            f"{which} says which, the program's log has their tracebacks"
        )


def _command(findings: dict[str, Any], verb: str, kind: str | None = None) -> str:
    """The command as it is typed; with the newest event of its kind when it takes one."""
    event = findings["newest"].get(kind)
    return shlex.join(["outeract", verb, findings["file"]["path"], *([event] if event else [])])


def _search(found: dict[str, Any]) -> str:
    if found["tokenizer"] is None:
        return "no index yet, the first search makes it"
    waits = f", {found['behind']} nodes to be indexed at the next search" if found["behind"] else ""
    return f"indexed by {found['tokenizer']}{waits}"
