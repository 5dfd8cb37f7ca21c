"""How long the library holds the host's event loop, at the longest, while each thing is done that may be large.

Knows: what is large: bodies of 10 MB, pages, walks, imports, searches, checkpoints. Does not know: who is guilty.

What is told is the time that the loop's own thread computed in one callback (`holds`): on a quiet machine
that is what the host waits for. `garbage_ms` is the longest garbage collection beside it. `where` names the stack of each that was longer than 5 ms.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel

from outeract_core import App, Attachment, Content, Outeract, PlatformConnection
from outeract_core.testing import sign_whatsapp

from ..ground import echo, traffic, world
from ..ground.holds import BUDGET, Holds, watched
from ..ground.writing import Ground, ground
from ..measure import Options, Result, at_most, summary
from ..memory import put_aside
from ..progress import progress

ROUNDS = 3
MS = "ms"
_LARGE = 10_000_000
"""Bytes."""
_CROWD = 1_000
"""Tasks, and people."""
_SOME = 8
"""Tasks that the benchmark itself makes before the loop runs on."""
_NUMBER, _SECRET = "100000000000001", "benchmark-secret"
Doing = Callable[[], Awaitable[Any]]


def run(options: Options) -> Result:
    """Milliseconds of the longest hold, by what was done."""
    return anyio.run(_measured, options)


async def _measured(options: Options) -> Result:
    found: dict[str, list[Holds]] = {}
    async with AsyncExitStack() as stack:
        on = await stack.enter_async_context(ground(options))
        path = world.copied(on.built, options.scratch, "searched")
        searched = await stack.enter_async_context(Outeract(path))
        bot = await stack.enter_async_context(echo.echoing(options))
        for number in range(min(ROUNDS, options.rounds)):
            for name, doing in (
                await _doings(stack, on, bot, searched.app("bench"), number)
            ).items():
                progress(f"stalls: round {number + 1}, {name}")
                put_aside()
                await anyio.lowlevel.checkpoint()
                with watched() as holds:
                    async with anyio.create_task_group() as group:  # callbacks of its own
                        group.start_soon(doing)
                found.setdefault(name, []).append(holds)
    return _result(options, found)


async def _doings(
    stack: AsyncExitStack, on: Ground, bot: echo.Bot, searched: App, number: int
) -> dict[str, Doing]:
    """What is done, by name; each may be done once a round."""
    app, folder, ids = on.app, on.options.scratch, on.built.ids
    talk = await app.conversations.of(await app.people.platform_user(ids["largest"]))
    imported = await stack.enter_async_context(
        Outeract(folder / f"imported{number}.db", search=None)
    )
    exported = folder / f"{number}.ndjson"
    large = await _whatsapp(stack, folder / f"bodies{number}.db")
    return {
        **large,
        "ingest_1000_tasks": partial(_crowd, on.core, on.connection, on.bodies(4 * _CROWD), _CROWD),
        "dispatch_1000": partial(_asking, bot, _CROWD),
        "page_1000": partial(talk.page, first=1000),
        "pages_to_the_end": partial(_through, app.events.all()),
        "conversation_to_the_end": partial(_pages, talk),
        "search": partial(searched.search, "lazy dog", first=100),
        "walk_tree": partial(app.graph.walk, ids["tree_root"], direction="in", limit=20_000),
        "count": app.events.count,
        "send_10_mb": partial(_send, bot, Attachment(bytes([number]) * _LARGE, filename="a.bin")),
        "checkpoint": on.core.runtime.database.truncate_log,
        "export": partial(app.export, exported),
        "import": partial(imported.import_app, exported),
        "backup": partial(on.core.backup, folder / f"backup{number}.db"),
    }


async def _whatsapp(stack: AsyncExitStack, path: Path) -> dict[str, Doing]:
    """Bodies of 10 MB: one text, many messages, and one that nobody understands; each signed."""
    core = await stack.enter_async_context(Outeract(path, search=None, body_limit=2 * _LARGE))
    connection = core.app("large").connect(
        "whatsapp", access_token="t", app_secret=_SECRET, verify_token="v", phone_number_id=_NUMBER
    )

    async def deliver(headers: Any, body: bytes) -> None:
        answer = await core.ingest(
            connection.webhook_id, connection.webhook_secret, "POST", headers, {}, body
        )
        assert answer.status == 200, answer

    text = "word " * (_LARGE // 5)
    return {
        name: partial(deliver, *sign_whatsapp(payload, _SECRET))
        for name, payload in {
            "body_of_one_text": _payload([text]),
            "body_of_many": _payload(["some words " * 20] * (_LARGE // 400)),
            "body_not_understood": {"what": text},
        }.items()
    }


def _payload(texts: list[str]) -> dict[str, Any]:
    messages = [
        {"from": "4917012345", "id": f"wamid.{n:08}", "timestamp": "1760000000", "type": "text",
         "text": {"body": text}}
        for n, text in enumerate(texts)
    ]  # fmt: skip
    value = {
        "messaging_product": "whatsapp", "messages": messages,
        "metadata": {"display_phone_number": "1", "phone_number_id": _NUMBER},
        "contacts": [{"profile": {"name": "P"}, "wa_id": "4917012345"}],
    }  # fmt: skip
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


async def _through(events: Any) -> None:
    async for _event in events:
        pass


async def _pages(talk: Any) -> None:
    after = None
    while True:
        page = await talk.page(first=1000, after=after)
        if page.end_cursor is None or not page.has_next:
            return
        after = page.end_cursor


async def _send(bot: echo.Bot, file: Attachment) -> None:
    who = await bot.app.people.by_external_id(bot.connection, str(traffic.external(1)))
    await bot.app.send(who, Content("a file", files=[file]))


async def _crowd(
    core: Outeract, connection: PlatformConnection, bodies: list[bytes], tasks: int
) -> None:
    """Webhooks from so many tasks; they are made a few at a time, as a server would."""
    async with anyio.create_task_group() as group:
        for number in range(tasks):
            group.start_soon(traffic.deliver, core, connection, iter(bodies[number::tasks]))
            if number % _SOME == 0:
                await anyio.lowlevel.checkpoint()


async def _asking(bot: echo.Bot, people: int) -> None:
    """So many people write at the same time, and wait for the reply."""
    async with anyio.create_task_group() as group:
        for who in range(1, people + 1):
            group.start_soon(bot.ask, who)
            if who % _SOME == 0:
                await anyio.lowlevel.checkpoint()


def _result(options: Options, found: dict[str, list[Holds]]) -> Result:
    figures = {
        name: summary([holds.computed * 1000 for holds in held], MS) for name, held in found.items()
    }
    garbage = {
        name: round(max(one.garbage for one in held) * 1000, 1) for name, held in found.items()
    }
    walls = {name: [round(one.wall * 1000, 1) for one in held] for name, held in found.items()}
    where = {
        name: max(held, key=lambda one: one.computed).where
        for name, held in found.items()
        if max(one.computed for one in held) > BUDGET
    }
    goals = [at_most(name, figure.median, BUDGET * 1000) for name, figure in figures.items()]
    return Result(
        "stalls",
        options.size,
        figures,
        {},
        goals,
        extra={"wall_ms": walls, "garbage_ms": garbage, "where": where},
    )
