"""Whatever goes wrong is told: a row for each place that tells, how it is provoked and what must stand there.

Knows: every place in the library that writes to the log (they are read from its code), its logger, its level.
Does not know: how a thing is made to go wrong (`tests/support/wrongs.py`), what is done about it.

A place without a row, or without the name of a test that provokes it, fails here.
"""

from __future__ import annotations

import ast
import logging
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from outeract_core import Outeract
from outeract_core._io.log import Log
from outeract_core.testing import ManualClock
from tests.support import wrongs
from tests.support.places import ROOT


@frozen
class Row:
    """`place` tells it when it is provoked so, in this room at this level."""

    place: str
    provoke: wrongs.Provoke
    room: str
    level: int = logging.WARNING


INFO, ERROR = logging.INFO, logging.ERROR
TABLE = [
    Row("_handlers/outcomes.py:Outcomes._tell", wrongs.handler_raises, "handlers"),
    Row("_handlers/outcomes.py:Outcomes._tell", wrongs.handler_parked, "handlers"),
    Row("_handlers/outcomes.py:Outcomes._tell", wrongs.handler_takes_too_long, "handlers"),
    Row("_handlers/outcomes.py:Outcomes._tell", wrongs.handler_hangs, "handlers"),
    Row("_handlers/outcomes.py:Outcomes._tell", wrongs.handler_lost_its_lease, "handlers"),
    Row("_handlers/outcomes.py:Outcomes.skipped", wrongs.skipped, "handlers", INFO),
    Row(
        "_handlers/dispatcher.py:Dispatcher._turn",
        wrongs.handler_waits_for_the_store,
        "handlers",
        ERROR,
    ),
    Row("_handlers/dispatcher.py:Dispatcher._given", wrongs.loop, "handlers"),
    Row("_outbound/settle.py:Settle.report", wrongs.unreachable, "outbound"),
    Row("_outbound/settle.py:Settle.report", wrongs.unauthorised, "outbound"),
    Row("_outbound/settle.py:Settle.report", wrongs.active_again, "outbound", INFO),
    Row("_outbound/settle.py:Settle._warn", wrongs.failed, "outbound"),
    Row("_outbound/settle.py:Settle._warn", wrongs.secret_is_missing, "outbound"),
    Row("_outbound/settle.py:Settle._warn", wrongs.unknown, "outbound"),
    Row("_outbound/settle.py:Settle._warn", wrongs.sending_broke, "outbound"),
    Row("_outbound/attempt.py:Attempts._lost", wrongs.claim_lost, "outbound"),
    Row("_outbound/attempt.py:Attempts._lost", wrongs.claim_lost_and_refused, "outbound"),
    Row("_outbound/sender.py:Sender._broke", wrongs.lane_broke, "outbound", ERROR),
    Row("_io/runtime.py:Runtime.begin", wrongs.handed_over_and_lost, "store"),
    Row("_inbound/poller.py:Poller.failed", wrongs.poll, "inbound"),
    Row("_inbound/receiver.py:Receiver._tell_kept", wrongs.kept, "inbound"),
    Row(
        "_inbound/receiver.py:Receiver._acknowledged", wrongs.acknowledging_broke, "inbound", ERROR
    ),
    Row("_inbound/refusals.py:Refusals._tell", wrongs.not_verified, "inbound"),
    Row("_inbound/refusals.py:Refusals._tell", wrongs.not_ready, "inbound"),
    Row("_inbound/refusals.py:Refusals._tell", wrongs.too_large, "inbound"),
    Row("_inbound/refusals.py:Refusals._tell", wrongs.too_large_for_the_server, "inbound"),
    Row("_inbound/refusals.py:Refusals.answer", wrongs.verifying_broke, "inbound", ERROR),
    Row("_inbound/downloader.py:Downloader._give_up", wrongs.file_failed, "inbound"),
    Row("_inbound/downloader.py:Downloader._held", wrongs.file_waits, "inbound", ERROR),
    Row("_inbound/downloader.py:Downloader._transcribe", wrongs.transcript_failed, "inbound"),
    Row("_api/workers.py:Workers._trouble", wrongs.retention, "pump", ERROR),
    Row("_api/workers.py:Workers._told", wrongs.retention_served, "serve", ERROR),
    Row("_api/doing/checking.py:_failed", wrongs.check_broke, "check", ERROR),
    Row("_api/doing/checking.py:_told", wrongs.check_not_told, "check", ERROR),
    Row("_io/processes/ownership.py:Ownership._give_up", wrongs.lease_not_given_back, "ownership"),
    Row("_io/processes/ownership.py:Ownership._keep", wrongs.leases_not_renewed, "ownership"),
    Row("_io/processes/ownership.py:Ownership._note", wrongs.application_lost, "ownership"),
    Row("_api/doing/registering.py:registered", wrongs.misspelt, "handlers"),
]
ELSEWHERE = {
    "_handlers/outcomes.py:Outcomes.hangs": "handlers/test_endings.py::test_that_it_hangs_and_cannot_be_kept_ends_no_other",
    "_handlers/dispatcher.py:Dispatcher._drain": "handlers/test_cancelled.py::test_whenever_it_is_cancelled_it_is_handled_once_or_told",
    "_io/runtime.py:Runtime._waits": "api/test_full_disk.py::test_serving_goes_on_when_there_is_room_again",
    "_io/secrets/mended.py:look": "security/test_mended.py::test_what_is_looked_at_is_no_secret",
    "_inbound/pinning.py:_told": "inbound/test_routing.py::test_the_first_delivery_says_it_where_nobody_can_be_asked",
    "_inbound/receiver.py:Receiver._tell": "inbound/test_routing.py::test_what_nobody_owns_leaves_a_hash",
    "_io/runtime.py:Runtime.begin": "io/test_handed_over.py::test_what_fails_is_told",
    "_inbound/reactions.py:tell.limited": "security/test_link_codes.py::test_all_of_an_application_guess_within_a_limit",
    "_inbound/quotas.py:tell": "security/test_quotas.py::test_a_flood_is_delivered_again_and_nothing_is_lost",
    "_inbound/profiles.py:Profiles._warn": "inbound/test_profiles.py::test_a_missing_scope_is_told_once",
    "_inbound/downloader.py:Downloader.__init__": "inbound/test_download_leases.py::test_who_has_lost_a_download_settles_nothing",
    "_outbound/sender.py:Sender.__init__": "outbound/test_claims.py::test_a_heartbeat_keeps_every_row_of_a_lane",
    "_api/workers.py:Workers._measure": "io/threads/test_handover.py::test_serving_says_it_once",
    "_api/outeract.py:Outeract._last_words": "api/test_run.py::test_a_handler_that_never_returns_does_not_keep_it",
    "_api/doing/registering.py:_enrol": "handlers/test_since.py::test_the_first_handler_begins_now_and_what_it_leaves_behind_is_told_once",
    "_api/queries/matching.py:_type": "queries/test_matching.py::test_a_name_of_the_hosts_own_that_nothing_has_yet_is_warned_of",
    "_api/queries/matching.py:_edge_type": "queries/test_matching.py::test_a_name_of_the_hosts_own_that_nothing_has_yet_is_warned_of",
}
"""Places that are provoked by a test of their own room."""


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A program that has not configured any logging: what Python does then, caught."""
    root, last = logging.getLogger(), logging.lastResort
    assert last is not None
    wrongs.STDERR.clear()
    monkeypatch.setattr(last, "emit", lambda record: wrongs.STDERR.append(last.format(record)))
    kept, root.handlers[:] = root.handlers[:], []
    yield
    root.handlers[:] = kept


@pytest.mark.anyio
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.provoke.__name__)
async def test_it_is_told(
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    unconfigured: None,
    row: Row,
) -> None:
    """By its logger, at its level, with what names it and without a secret; from WARNING on, on stderr."""
    monkeypatch.setattr(wrongs.Odd, "does", {})
    async with Outeract(tmp_path / "a.db", clock=clock) as core:
        core.register("odd", wrongs.Odd)
        core.runtime.secrets.hide(wrongs.SECRET)
        app = core.app("support")
        world = wrongs.World(
            core, app, app.connect("odd", name="shop", account="s", poll=True), clock, monkeypatch
        )
        lines = _listening(world)
        named = await row.provoke(world)
        mine = [
            text for place, level, room, text in lines
            if (place, level, room) == (row.place, row.level, f"outeract_core.{row.room}")
        ]  # fmt: skip
        found = [text for text in mine if all(part in text for part in named)]
        assert found, (named, lines)
        if row.level >= logging.WARNING:
            assert set(found) <= set(wrongs.STDERR)
        else:
            assert not set(found) & set(wrongs.STDERR)
        events = [str(event.payload) async for event in app.events.all()]
    for text in (*wrongs.STDERR, *events, *(line[3] for line in lines)):
        assert not [form for form in wrongs.FORMS if form in text]


def _listening(world: wrongs.World) -> list[tuple[str, int, str, str]]:
    """What is told from now on: by which place, at which level, by which logger, in which words."""
    lines: list[tuple[str, int, str, str]] = []
    tell = Log._tell

    def told(self: Log, level: int, room: str, text: str, error: Any) -> None:
        frame = sys._getframe(2)
        place = f"{_short(frame.f_code.co_filename)}:{frame.f_code.co_qualname.partition('.<locals>')[0]}"
        logger = logging.getLogger(f"outeract_core.{room}")
        catch = _Catch(partial(lines.append), place)
        logger.addHandler(catch)
        before, logger.level = logger.level, logging.INFO
        logging.root.manager._clear_cache()  # type: ignore[attr-defined]
        try:
            tell(self, level, room, text, error)
        finally:
            logger.removeHandler(catch)
            logger.level = before
            logging.root.manager._clear_cache()  # type: ignore[attr-defined]

    world.patch.setattr(Log, "_tell", told)
    return lines


class _Catch(logging.Handler):
    """Notes a record, and hands it to nobody."""

    def __init__(self, into: Callable[[Any], None], place: str) -> None:
        super().__init__()
        self._into, self._place = into, place

    def emit(self, record: logging.LogRecord) -> None:
        """Note it; and what Python does where nobody has configured anything."""
        self._into((self._place, record.levelno, record.name, record.getMessage()))
        if record.levelno >= logging.lastResort.level:  # type: ignore[union-attr]
            logging.lastResort.emit(record)  # type: ignore[union-attr]


def _short(path: str) -> str:
    return Path(path).relative_to(ROOT / "outeract_core").as_posix()


def places() -> set[str]:
    """Every function of the library that writes to the log, or hands that over."""
    found = set()
    for path in (ROOT / "outeract_core").rglob("*.py"):
        found |= {f"{_short(str(path))}:{name}" for name in _telling(ast.parse(path.read_text()))}
    return found


def _telling(node: ast.AST, name: str = "") -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        inner = name
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{name}.{child.name}".strip(".")
        tells = isinstance(child, ast.Attribute) and child.attr in ("info", "warning", "error")
        if tells and ast.unparse(child.value).split(".")[-1] == "log":  # type: ignore[attr-defined]
            yield name
        yield from _telling(child, inner)


def test_every_place_that_tells_is_provoked() -> None:
    """The table has a row for each, or names a test of its room that is there."""
    named = {row.place for row in TABLE} | set(ELSEWHERE)
    assert places() - named == set(), "a new place that tells needs a row in TABLE"
    assert named - places() == set(), "these tell nothing any more"
    for test in ELSEWHERE.values():
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / "tests" / path).read_text(), test


def test_nobody_tells_past_the_log() -> None:
    """One door: no print, no warning, no logger of its own outside the log and the command line."""
    for path in (ROOT / "outeract_core").rglob("*.py"):
        inside = _short(str(path))
        if inside.startswith(("_cli/", "testing/")) or inside == "_io/log.py":
            continue
        tree = ast.parse(path.read_text())
        calls = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
        if inside == "_io/web/http.py":
            calls -= {"print"}  # what the console platform says to the person in front of it
        if inside == "_io/web/loggers.py":
            calls -= {"logging.getLogger"}  # other libraries' loggers, which it keeps from telling
        past = calls & {"print", "warnings.warn", "logging.getLogger", "getLogger"}
        assert past == set(), inside
