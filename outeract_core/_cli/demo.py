"""The main job on a fresh file: three platforms' signed webhooks in, an echo bot, replies delivered.

Knows: what happens in the demo, in order, and how it is counted at the end.
Does not know: how a platform answers (`outeract_core.testing.FakePlatform` plays all three).
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import anyio
import anyio.from_thread

from .._api.message import Message
from .._api.outeract import Outeract
from ..model import Event, PlatformUser
from ..query import type_is
from ..testing import FakePlatform
from ..testing.fakes.slack import TEAM
from .demo_cast import Cast, recorded
from .demo_report import Report
from .printing import give, tell

WITHIN = 12.0
"""Seconds that the replies and their statuses may take."""


def run(options: argparse.Namespace) -> int:
    """Run the demo; 0 when nothing was lost or doubled."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(options.keep or Path(folder) / "demo.db")
        if path.exists():
            path.unlink()
        report: Report = anyio.run(partial(_demo, path, options.recorded))
    if options.json:
        give(report.as_dict())
    else:
        tell(report.story())
    return 0 if report.well else 1


async def _demo(path: Path, recordings: str | None) -> Report:
    with FakePlatform() as fake:
        async with Outeract(path) as core, anyio.from_thread.BlockingPortal() as portal:
            app = core.app("demo", link_code_auto_detect="enabled", overlap="queue")
            app.on("message.inbound")(echo)
            cast = Cast(core, app, fake, portal)
            async with anyio.create_task_group() as group:
                group.start_soon(core.serve)
                await _play(cast, recordings)
                with anyio.move_on_after(WITHIN):
                    await _quiet(cast)
                group.cancel_scope.cancel()
            report = await _told(cast, path)
    return report


def echo(message: Message) -> str:
    """The bot."""
    return f"You said: {message.text}"


async def _play(cast: Cast, recordings: str | None) -> None:
    """What people do: they write, platforms repeat themselves, one person is on two platforms."""
    await cast.says("telegram", "1001", "Hello from Telegram")
    await cast.says("whatsapp", "14155550100", "Hello from WhatsApp", times=3)
    await cast.says("slack", "U0000DEMO", "Hello from Slack & elsewhere", times=2)
    now = cast.fake.clock().timestamp()
    for platform, payload in recorded(recordings, TEAM, now):
        await cast.delivers(platform, payload)
    alice = await cast.app.people.by_external_id("telegram", "1001")
    code = await cast.app.people.link_code(alice)
    await cast.says("whatsapp", "14155550100", f"That is me: {code}")
    await cast.says("telegram", "1001", "Same person, two platforms 👋")


async def _quiet(cast: Cast) -> None:
    """Until every inbound message has its reply, and every reply its statuses."""
    while not await cast.settled():  # noqa: ASYNC110 - nobody announces that all is quiet
        await anyio.sleep(0.05)


async def _told(cast: Cast, path: Path) -> Report:
    app = cast.app
    alice = await app.people.by_external_id("telegram", "1001")
    conversation = await app.conversations.with_user(await app.people.user(alice))
    said = [(event, await _speaker(cast, event)) async for event in conversation.all()]
    reply = next(event for event, _ in said if event.event_type == "message.outbound")
    story = await app.graph.walk(
        reply, types=["triggered_by", "sent_by", "sent_to", "origin"], direction="both", depth=2
    )
    return Report(
        path=path,
        said=said,
        merged=await app.events.count(type_is("user.merged")),
        graph=story.to_mermaid(),
        counts=cast.counts(),
        inbound=await app.events.count(type_is("message.inbound")),
        webhooks=cast.webhooks,
        answered=await cast.answered(),
        delivered=len(cast.fake.sent()),
        doubled=len(cast.fake.duplicates()) + await cast.doubled(),
    )


async def _speaker(cast: Cast, event: Event) -> str:
    who: PlatformUser | None = cast.app.sender_of(event)
    return "bot" if who is None or who.kind == "system" else (who.name or who.external_id)
