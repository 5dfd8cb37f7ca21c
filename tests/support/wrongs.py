"""Whatever can go wrong, provoked: one coroutine each, which tells what must then stand in the log.

Knows: a platform that goes wrong in each of its methods, handlers, leases, files, a store that fails.
Does not know: which place tells it, at which level (`tests/api/test_log_table.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar
from urllib.parse import quote

import anyio
import pytest
from attrs import define, evolve

from outeract_core import App, Outeract, PlatformConnection
from outeract_core.adapter import Flow, Health, Inbound, Manifest, Outgoing, Polled, Response, Sent
from outeract_core.errors import (
    Ambiguous,
    MissingSecret,
    Rejected,
    SignatureError,
    StoreCorrupt,
    StoreError,
    Unauthorised,
    Unreachable,
)
from outeract_core.events import FileRef
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.support.patience import BRIEFLY, let_go_on, soon
from tests.support.raising import raises
from tests.support.reading.world import about
from tests.support.store.platform import Plain, said, take

SECRET = "123:a secret/with+signs&more"
FORMS = (SECRET, quote(SECRET), quote(SECRET, safe=""), quote(SECRET, safe="").lower())
LEAK = " ".join(FORMS)
STDERR: list[str] = []
"""What a program that configures no logging has on stderr."""


class Odd(Plain):
    """A platform each of whose methods does what the test says, when it says something."""

    manifest: ClassVar[Manifest] = evolve(
        Plain.manifest, platform="odd", idempotency="none",
        capabilities=Plain.manifest.capabilities | {"media"},
    )  # fmt: skip
    does: ClassVar[dict[str, Callable[[], Any]]] = {}

    def _at(self, place: str) -> None:
        if place in self.does:
            self.does[place]()

    def verify(self, inbound: Inbound) -> None:
        """Everybody is trusted."""
        self._at("verify")

    def parse(self, inbound: Inbound) -> Any:
        """The facts."""
        self._at("parse")
        return super().parse(inbound)

    def acknowledge(self, inbound: Inbound) -> Response:
        """As usual."""
        self._at("acknowledge")
        return Response()

    def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
        """Nothing is new."""
        yield from ()
        self._at("poll")
        return Polled((), "1")

    def check(self) -> Flow[Health]:
        """It works."""
        yield from ()
        self._at("check")
        return Health(True)

    def fetch(self, handle: Any) -> Flow[Any]:
        """Nothing is there."""
        yield from ()
        self._at("fetch")
        raise Rejected("it is gone")

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Accepted."""
        yield from ()
        self._at("send")
        return Sent(f"out-{outgoing.token}")


@define
class World:
    """An application with one connection, and how often somebody has written."""

    core: Outeract
    app: App
    connection: PlatformConnection
    clock: ManualClock
    patch: pytest.MonkeyPatch
    said: int = 0

    async def heard(self, **more: Any) -> str:
        """Somebody writes; the event's id."""
        await take(self.core, self.connection, said(f"m{self.said}", **more))
        self.said += 1
        return str((await self.app.events.page(type_is("message.inbound"))).nodes[0].id)

    async def sent(self, how: BaseException | None = None) -> str:
        """A message goes out, and this is what becomes of it; its id as the log has it."""
        if how is not None:
            Odd.does["send"] = raises(how)
        delivery = await self.app.send((self.connection, "bob"), "hello")
        await self.core.pump()
        return delivery.id.hex

    def sql(self, text: str) -> None:
        """What another process would do."""
        self.core.runtime.database.write_now(lambda tx: tx.script(text))


Provoke = Callable[[World], Awaitable[tuple[str, ...]]]


async def _handler(
    world: World, how: Callable[[Any], Any], *, pumps: int = 1, **options: Any
) -> tuple[str, ...]:
    world.app.on("message.inbound", name="greet", **options)(how)
    event = await world.heard()
    for _ in range(pumps):
        await world.core.pump()
        world.clock.advance(600)
    return ("greet", event)


async def handler_raises(world: World) -> tuple[str, ...]:
    """It will be run again: its traceback, and which attempt it was."""
    found = await _handler(world, raises(ValueError(LEAK)))
    return (*found, "attempt 1", "Traceback", "ValueError")


async def handler_parked(world: World) -> tuple[str, ...]:
    """It has failed for the last time."""
    found = await _handler(world, raises(SystemExit(LEAK)), attempts=2, pumps=2)
    return (*found, "2 times", "parked", "Traceback", "SystemExit")


async def handler_takes_too_long(world: World) -> tuple[str, ...]:
    """Its `timeout=` is a limit."""

    async def forever(_message: Any) -> None:
        await anyio.sleep_forever()

    return (*await _handler(world, forever, timeout=BRIEFLY), "HandlerTimeout")


async def handler_hangs(world: World) -> tuple[str, ...]:
    """Without a `timeout=` it is told while it goes on."""

    async def forever(_message: Any) -> None:
        await anyio.sleep_forever()

    world.app.on("message.inbound", name="greet")(forever)
    event = await world.heard()
    await _served(world, lambda: any("has been running" in one for one in STDERR))
    return ("greet", event, "has been running for", "timeout=")


async def handler_lost_its_lease(world: World) -> tuple[str, ...]:
    """Another process has the application: what the turn did is rolled back."""

    def stolen(_message: Any) -> None:
        world.sql("UPDATE lease SET owner = 'somebody else'")

    return (*await _handler(world, stolen), "rolled back")


async def handler_waits_for_the_store(world: World) -> tuple[str, ...]:
    """Its outcome cannot be written."""
    broken = raises(StoreCorrupt("damage"))
    world.patch.setattr("outeract_core._store.writing.handlers.failed", broken)
    return ("greet", "waits for the store", *(await _handler(world, raises(ValueError("x"))))[:1])


async def loop(world: World) -> tuple[str, ...]:
    """A chain of causes without a person is stopped at its limit."""

    async def echo(_message: Any) -> None:
        await world.app.emit("order.made", {})

    world.app.on("order.made", name="greet", chain=1)(echo)
    await world.app.emit("order.made", {})
    for _ in range(3):
        await world.core.pump()
    last = (await world.app.turns())[0].event
    return ("greet", str(last.id), "without a person")


async def skipped(world: World) -> tuple[str, ...]:
    """What was deleted before its turn."""
    world.app.on("message.inbound", name="greet")(print)
    event = await world.heard()
    await take(world.core, world.connection, about("message.deleted", "d", "m0", {}, "alice"))
    await world.core.pump()
    return ("greet", event, "skipped", "deleted")


async def unreachable(world: World) -> tuple[str, ...]:
    """A connection's state, with its reason."""
    await world.sent(Unreachable(f"no route {LEAK}"))
    return ("odd/shop", "unreachable", "no route")


async def unauthorised(world: World) -> tuple[str, ...]:
    """The same of a refused token."""
    await world.sent(Unauthorised(f"refused {LEAK}"))
    return ("odd/shop", "unauthorised", "refused")


async def active_again(world: World) -> tuple[str, ...]:
    """And when it works again."""
    await world.sent(Unauthorised("refused"))
    Odd.does.clear()
    for _ in range(3):
        world.clock.advance(400)
        await world.core.pump()
    return ("odd/shop", "active")


async def secret_is_missing(world: World) -> tuple[str, ...]:
    """A connection whose messages wait, and for what."""
    sent = await world.sent(MissingSecret(f"the variable X is not set {LEAK}"))
    return ("odd/shop", sent, "waits", "the variable X is not set")


async def failed(world: World) -> tuple[str, ...]:
    """A message, its id, why."""
    return ("odd/shop", await world.sent(Rejected(f"nobody {LEAK}")), "failed", "nobody")


async def unknown(world: World) -> tuple[str, ...]:
    """A message of which nobody knows."""
    return ("odd/shop", await world.sent(Ambiguous(f"lost {LEAK}")), "unknown", "lost")


async def sending_broke(world: World) -> tuple[str, ...]:
    """Adapter code raises what nobody expects: its traceback."""
    sent = await world.sent(ZeroDivisionError(LEAK))
    return ("odd/shop", sent, "failed", "the adapter broke", "Traceback")


async def claim_lost(world: World) -> tuple[str, ...]:
    """Another sender has the message while the platform answers."""
    Odd.does["send"] = lambda: _steal(world)
    return (await world.sent(), "taken over")


async def claim_lost_and_refused(world: World) -> tuple[str, ...]:
    """The same, and the platform refuses."""

    def stolen() -> None:
        _steal(world)
        raise Rejected("no")

    Odd.does["send"] = stolen
    return (await world.sent(), "taken over")


def _steal(world: World) -> None:
    world.sql("UPDATE outbox SET lease_token = 1")


async def lane_broke(world: World) -> tuple[str, ...]:
    """No settlement can be written."""
    for settlement in ("postpone", "retry", "end"):
        name = f"outeract_core._store.writing.outbox.{settlement}"
        world.patch.setattr(name, raises(StoreError(LEAK)))
    Odd.does["send"] = raises(MissingSecret("the variable X is not set"))
    await world.app.send((world.connection, "bob"), "hello")
    await _served(world, lambda: any("a lane has stopped" in one for one in STDERR))
    return ("a lane has stopped", "StoreError", "Traceback")


async def handed_over_and_lost(world: World) -> tuple[str, ...]:
    """What nobody waits for could not be written."""
    world.core.runtime.begin(raises(StoreError(f"not now {LEAK}")), "typing", app=1)
    await world.core.runtime.write(lambda _tx: None)
    return ("typing was left out", "not now")


async def poll(world: World) -> tuple[str, ...]:
    """A poll raises: which connection."""
    Odd.does["poll"] = raises(KeyError(LEAK))
    await world.core.pump()
    return ("shop", "polling", "KeyError", "Traceback")


async def kept(world: World) -> tuple[str, ...]:
    """A delivery that is not understood; what to do."""
    Odd.does["parse"] = raises(ValueError(LEAK))
    await take(world.core, world.connection, said("m1"))
    return ("odd/shop", "kept", "system.delivery_unparsed", "replay")


async def not_verified(world: World) -> tuple[str, ...]:
    """A signature that does not fit."""
    Odd.does["verify"] = raises(SignatureError(f"not signed by us {LEAK}"))
    await take(world.core, world.connection, said("m1"))
    return ("odd/shop", "refused", "not signed by us")


async def verifying_broke(world: World) -> tuple[str, ...]:
    """Adapter code raises before anything is read."""
    Odd.does["verify"] = raises(ZeroDivisionError(LEAK))
    await take(world.core, world.connection, said("m1"))
    return ("refused", "ZeroDivisionError", "Traceback")


async def not_ready(world: World) -> tuple[str, ...]:
    """A secret that is not there."""
    Odd.does["verify"] = raises(MissingSecret("the variable X is not set"))
    await take(world.core, world.connection, said("m1"))
    return ("odd/shop", "cannot be taken yet", "the variable X is not set")


async def too_large(world: World) -> tuple[str, ...]:
    """The limit of a body, and what it is called."""
    world.core._receiver.limit = 10
    await take(world.core, world.connection, said("m1"))
    return ("odd/shop", "the limit is 10", "body_limit=")


async def too_large_for_the_server(world: World) -> tuple[str, ...]:
    """The same before the body was read."""
    where, told = world.connection, list[Any]()

    async def receive() -> Any:
        return {"type": "http.request", "body": b"x" * 10, "more_body": True}

    async def send(message: Any) -> None:
        told.append(message)

    scope = {
        "type": "http", "path": f"/webhooks/{where.webhook_id}/{where.webhook_secret}",
        "method": "POST", "headers": [(b"content-length", b"99999999999")], "query_string": b"",
    }  # fmt: skip
    await world.core.asgi(scope, receive, send)
    assert told[0]["status"] == 413
    return ("odd/shop", "413", "body_limit=")


async def acknowledging_broke(world: World) -> tuple[str, ...]:
    """It is in the log of events all the same."""
    Odd.does["acknowledge"] = raises(ValueError(LEAK))
    await take(world.core, world.connection, said("m1"))
    return ("odd/shop", "acknowledge", "Traceback")


async def _file(world: World, how: BaseException | None) -> str:
    if how is not None:
        Odd.does["fetch"] = raises(how)
    await world.heard(files=(FileRef({"id": "x"}),))
    await world.core.pump()
    event = (await world.app.events.page(type_is("file.inbound"))).nodes[0]
    return str(event.payload["file_id"])


async def file_failed(world: World) -> tuple[str, ...]:
    """Which file, and why."""
    return ("odd/shop", await _file(world, Rejected(f"gone {LEAK}")), "given up", "gone")


async def file_waits(world: World) -> tuple[str, ...]:
    """What came of it cannot be written."""
    world.patch.setattr("outeract_core._store.writing.files.failed", raises(StoreCorrupt(LEAK)))
    await _file(world, Rejected("gone"))
    return ("a file waits", "StoreCorrupt", "Traceback")


async def transcript_failed(world: World) -> tuple[str, ...]:
    """The host's callable raises: which file, its traceback."""
    world.core.runtime.transcribe = raises(RuntimeError(LEAK))
    file = await _file(world, None)
    stored = world.core.runtime.folder.keep(b"RIFF")
    digest = f"sha256 = '{stored.sha256}', attempt = 0, handle = '{{}}'"
    world.sql(f"UPDATE file SET status = 'stored', due = 0, mime = 'audio/ogg', {digest}")
    await world.core.pump()
    return ("odd/shop", file, "no transcript", "Traceback", "RuntimeError")


async def retention(world: World) -> tuple[str, ...]:
    """A rule cannot be applied; the rest of the round is done."""
    world.patch.setattr(
        "outeract_core._api.maintenance.retention.Retention.apply", raises(ValueError(LEAK))
    )
    await world.core.pump()
    return ("retention", "ValueError", "Traceback")


async def retention_served(world: World) -> tuple[str, ...]:
    """The same in a program that serves."""
    world.patch.setattr(
        "outeract_core._api.maintenance.retention.Retention.apply", raises(ValueError(LEAK))
    )
    await _served(world, lambda: any("retention" in one for one in STDERR))
    return ("retention of support", "ValueError", "Traceback")


async def check_broke(world: World) -> tuple[str, ...]:
    """Adapter code raises while it is asked."""
    Odd.does["check"] = raises(ValueError(LEAK))
    await world.core.check()
    return ("shop", "the check broke", "Traceback")


async def check_not_told(world: World) -> tuple[str, ...]:
    """What it said of the connection cannot be written."""
    Odd.does["check"] = raises(Unauthorised("refused"))
    world.core.runtime.report = raises(StoreCorrupt(LEAK))
    await world.core.check()
    return ("shop", "could not be told")


async def lease_not_given_back(world: World) -> tuple[str, ...]:
    """The store fails as the program ends its work."""
    world.patch.setattr("outeract_core._store.leases.ownership.release", raises(StoreCorrupt(LEAK)))
    await world.core.pump()
    return ("leases could not be handed back",)


async def leases_not_renewed(world: World) -> tuple[str, ...]:
    """The store fails while it works."""
    world.patch.setattr(
        "outeract_core._io.processes.ownership.Ownership._due", raises(StoreCorrupt(LEAK))
    )
    await _served(world, lambda: any("could not be renewed" in one for one in STDERR))
    return ("leases could not be renewed",)


async def application_lost(world: World) -> tuple[str, ...]:
    """Another process has taken it over."""

    def taken() -> None:
        world.sql("UPDATE lease SET owner = 'h/b/n/9-9', until = until + 1000000")

    done: list[int] = []

    def step() -> bool:
        if not done and world.core.runtime.ownership._terms:
            done.append(1)
            taken()
        return any("had taken over default/support" in one for one in STDERR)

    await _served(world, step)
    return ("had taken over default/support", "lease")


async def misspelt(world: World) -> tuple[str, ...]:
    """A handler for what never happens."""
    world.app.on("mesage.inbound")(print)
    return ("mesage.inbound",)


async def _served(world: World, seen: Callable[[], bool]) -> None:
    """Serve until it is there."""
    async with anyio.create_task_group() as group:
        group.start_soon(world.core.serve)
        with soon():
            while not seen():
                world.clock.advance(20)
                world.core.runtime.wake()
                await let_go_on()
        group.cancel_scope.cancel()
