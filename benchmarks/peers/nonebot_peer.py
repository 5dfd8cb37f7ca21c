"""nonebot2: the same updates to the same handler, with nothing kept.

Knows: the least adapter, bot and event that nonebot asks for.
Does not know: durability; neither does nonebot, so this is no like for like.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import anyio
import nonebot
from nonebot.adapters import Adapter, Bot, Event, Message, MessageSegment
from nonebot.message import handle_event

from ..ground import traffic
from ..took import Took

TASKS = 1000
_sent: list[str] = []


class Segment(MessageSegment["Words"]):
    """Text, and nothing else."""

    @classmethod
    def get_message_class(cls) -> type[Words]:
        return Words

    def __str__(self) -> str:
        return str(self.data["text"])

    def is_text(self) -> bool:
        return True


class Words(Message[Segment]):
    """A message of text."""

    @classmethod
    def get_segment_class(cls) -> type[Segment]:
        return Segment

    @staticmethod
    def _construct(msg: str) -> Iterator[Segment]:
        yield Segment("text", {"text": msg})


class Update(Event):
    """A Telegram update that is a message."""

    message: dict[str, Any]

    def get_type(self) -> str:
        return "message"

    def get_event_name(self) -> str:
        return "message"

    def get_event_description(self) -> str:
        return "a message"

    def get_user_id(self) -> str:
        return str(self.message["from"]["id"])

    def get_session_id(self) -> str:
        return str(self.message["chat"]["id"])

    def get_message(self) -> Words:
        return Words(self.message["text"])

    def is_tome(self) -> bool:
        return True


class Wire(Adapter):
    """An adapter that is never started: updates are handed over by hand."""

    @classmethod
    def get_name(cls) -> str:
        return "wire"

    async def _call_api(self, bot: Bot, api: str, **data: Any) -> Any:  # noqa: ARG002
        _sent.append(data["text"])


class Robot(Bot):
    """A bot whose answers end in a list."""

    async def send(self, event: Event, message: Any, **_: Any) -> Any:  # noqa: ARG002
        return await self.call_api("send", text=str(message))


def _robot() -> Robot:
    nonebot.init(driver="~none", log_level="ERROR")
    matcher = nonebot.on_message()

    @matcher.handle()
    async def echo(event: Event) -> None:
        await matcher.send(f"echo of {event.get_plaintext()}")

    return Robot(Wire(nonebot.get_driver()), "bench")


_robots: list[Robot] = []


async def dispatched(count: int) -> Took:
    """So many updates by a thousand tasks; the seconds until each has its answer."""
    if not _robots:
        _robots.append(_robot())
    robot, each = _robots[0], list[float]()
    bodies = iter(list(traffic.updates(count, TASKS)))
    _sent.clear()

    async def caller() -> None:
        for body in bodies:
            start = time.perf_counter()
            await handle_event(robot, Update.model_validate(json.loads(body)))
            each.append(time.perf_counter() - start)

    start = time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(TASKS):
            group.start_soon(caller)
    took = Took(count, time.perf_counter() - start, each)
    if len(_sent) != count:
        raise AssertionError(f"nonebot has answered {len(_sent)} of {count}")
    return took
