"""A platform that answers when the test says so, and what the test says: each request waits for it.

Knows: the adapter protocol, one request a part, a look-up, an httpx transport that holds requests.
Does not know: what is tested.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import anyio
import httpx
from attrs import define, evolve, field

from outeract_core import App, Outeract, PlatformConnection
from outeract_core.adapter import Call, Flow, Inbound, Manifest, Outgoing, Reply, Sent, Settings
from outeract_core.errors import Ambiguous, Rejected, SendError, Throttled, Transient, Unauthorised
from outeract_core.events import Fact, Unparsed
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from outeract_core.text import Document, to_plain
from tests.support.patience import let_go_on, soon

_ERRORS: dict[int, type[SendError]] = {
    400: Rejected, 401: Unauthorised, 403: Ambiguous, 429: Throttled, 503: Transient,
}  # fmt: skip


class Stepwise:
    """One request for each part; after a lost answer nobody can tell."""

    manifest: ClassVar[Manifest] = Manifest(
        platform="stepwise", text_limit=10, caption_limit=10, config={"token": "a secret"},
        capabilities=frozenset({"text", "media", "groups"}), secrets=frozenset({"token"}),
        media={"document": (10**6, ()), "image": (10**6, ())},
    )  # fmt: skip
    timeout: ClassVar[float] = 30.0

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def verify(self, inbound: Inbound) -> None:
        """Everybody is trusted."""

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """Pickled facts."""
        facts: list[Fact | Unparsed] = pickle.loads(inbound.body)
        return facts

    def render(self, document: Document) -> str:
        """The text."""
        return to_plain(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Say it; named after its token."""
        said = {
            "token": outgoing.token, "to": outgoing.to.address, "text": outgoing.text,
            "part": outgoing.part, "files": [file.filename for file in outgoing.files],
        }  # fmt: skip
        reply = yield Call("POST", "http://stepwise/send", json=said, timeout=self.timeout)
        return Sent(_done(reply)["id"])


class Asked(Stepwise):
    """The same, and it can be asked."""

    manifest: ClassVar[Manifest] = evolve(
        Stepwise.manifest, platform="asked", idempotency="reconcile"
    )

    def find(self, outgoing: Outgoing) -> Flow[Sent | None]:
        """Ask by the token."""
        reply = yield Call("GET", "http://stepwise/find", params={"token": outgoing.token})
        found = _done(reply)["id"]
        return None if found is None else Sent(found)


class Native(Stepwise):
    """The same, and the token makes a second request harmless."""

    manifest: ClassVar[Manifest] = evolve(
        Stepwise.manifest, platform="native", idempotency="native"
    )


def _done(reply: Reply) -> dict[str, Any]:
    told = reply.json()
    if reply.status == 200 and isinstance(told, dict):
        return told
    raise _ERRORS.get(reply.status, Ambiguous)(f"answered with {reply.status}")


@define(eq=False)
class Asking:
    """A request that has arrived and waits for its answer."""

    path: str
    said: dict[str, Any]
    _answered: anyio.Event = field(factory=anyio.Event)
    _answer: Any = None

    @property
    def text(self) -> str:
        """What it says."""
        return str(self.said.get("text"))

    def answer(self, status: int = 200, body: Any = None) -> None:
        """Answer; unless told otherwise, that it was done."""
        told = {"id": f"id-{self.said['token']}"} if body is None else body
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        self._answer = httpx.Response(status, content=content)
        self._answered.set()

    def lose(self) -> None:
        """The connection breaks off."""
        self._answer = httpx.ReadError("gone")
        self._answered.set()

    async def wait(self) -> httpx.Response:
        """Until the test answers."""
        await self._answered.wait()
        if isinstance(self._answer, Exception):
            raise self._answer
        response: httpx.Response = self._answer
        return response


class Wire(httpx.AsyncBaseTransport):
    """The way to the platform. `script`: answers at once what it can; the rest waits for the test."""

    def __init__(self, script: Callable[[Asking], None] | None = None) -> None:
        self.requests: list[Asking] = []
        self._script = script

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Note it, and wait."""
        body = await request.aread()
        said = json.loads(body) if body else dict(request.url.params)
        asking = Asking(request.url.path, said)
        self.requests.append(asking)
        if self._script is not None:
            self._script(asking)
        return await asking.wait()

    def sent(self) -> list[str]:
        """The texts of all messages that have arrived, in order."""
        return [one.text for one in self.requests if one.path == "/send"]

    async def arrived(self, count: int) -> Asking:
        """The request with this number (from 1), as soon as it has arrived."""

        async def there() -> bool:
            return len(self.requests) >= count

        await until(there, True)
        return self.requests[count - 1]


def opened(
    path: Path, wire: Wire, clock: ManualClock, adapter: type[Any] = Stepwise, **options: Any
) -> tuple[Outeract, App, PlatformConnection]:
    """A store on that wire, with an application and its connection."""
    core = Outeract(path, clock=clock, transport=wire, allow_private_addresses=True, **options)
    platform = adapter.manifest.platform
    core.register(platform, adapter)
    app = core.app("support")
    return core, app, app.connect(platform)


async def take(core: Outeract, connection: PlatformConnection, *facts: Fact | Unparsed) -> None:
    """Bring facts as one delivery."""
    ids = connection.webhook_id, connection.webhook_secret
    answer = await core.ingest(*ids, body=pickle.dumps(list(facts)))
    assert answer.status == 200


async def until(ask: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Look again and again until that is so; other tasks run meanwhile."""
    with soon():
        while await ask() != wanted:
            await let_go_on()


async def count(app: App, kind: str) -> int:
    """How many events of a type there are."""
    return await app.events.count(type_is(kind))
