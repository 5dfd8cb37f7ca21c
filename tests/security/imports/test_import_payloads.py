"""Payloads as somebody else has written them: refused with their line, or nothing trips over them.

Knows: every kind of event of a full export, every way to read one. Does not know: which members are read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from outeract_core import Outeract
from outeract_core._domain.rules import shapes
from outeract_core.errors import InvalidExport
from outeract_core.events import EVENT_TYPES
from outeract_core.testing import ManualClock
from tests.support.store.platform import Plain
from tests.support.transfer import exported_whole, resealed

pytestmark = pytest.mark.anyio
HOSTILE: list[Any] = [
    5, -1, 1.5, True, None, "", "x", "\x1b[31m", [], [5], [[]], {}, {"a": {"text": 5}}, {"erased": True},
]  # fmt: skip
MEMBERS = (
    "message", "text", "type", "emoji", "reason", "part", "parts", "external_message_id", "degraded",
    "traceback", "handler", "attempts", "title", "id", "content", "participant", "values", "single",
)  # fmt: skip
SAID = (
    "text", "type", "role", "header", "footer", "location", "contacts", "buttons", "menu", "template",
    "quick_replies", "bot", "media_group_id", "forward", "quote", "html", "entities", "files",
)  # fmt: skip


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of the export of an application in which everything has happened."""
    return exported_whole(tmp_path_factory.mktemp("original")).splitlines(keepends=True)


def _written(line: bytes, payload: Any) -> bytes:
    """The line with another payload, and the lengths that go with it."""
    head = json.loads(line)
    raw = None if head["event"]["sizes"][1] is None else "{}"
    text = json.dumps(payload, ensure_ascii=True, separators=(",", ":"))
    sizes = [len(text), None if raw is None else len(raw)]
    front = json.dumps({**head["event"], "sizes": sizes}, separators=(",", ":"))
    rest = "" if raw is None else f',"raw":{raw}'
    return f'{{"event":{front},"payload":{text}{rest}}}\n'.encode()


def _changed(payload: Any, chance: Random) -> Any:
    """The payload with up to three members that are something else."""
    told = json.loads(json.dumps(payload))
    for _ in range(chance.randint(1, 3)):
        if isinstance(told.get("message"), dict) and chance.random() < 0.6:
            told["message"][chance.choice(SAID)] = json.loads(json.dumps(chance.choice(HOSTILE)))
        else:
            told[chance.choice(MEMBERS)] = json.loads(json.dumps(chance.choice(HOSTILE)))
    return told


def _lines(original: list[bytes], chance: Random) -> Iterator[tuple[bytes, str | None]]:
    for line in original:
        if not line.startswith(b'{"event":'):
            yield line, None
            continue
        head = json.loads(line)
        kind = head["event"]["type"]
        payload = head.get("payload", json.loads(head.get("payload_text", "null")))
        told = _changed(payload, chance) if isinstance(payload, dict) else payload
        if payload == {"erased": True} or not isinstance(payload, dict):
            told = payload
        yield _written(line, told), shapes.fault(kind, told)


async def _read_all(core: Outeract) -> Counter[str]:
    """Every way to read every event."""
    app, seen = core.app("support"), Counter[str]()
    found = [event async for event in app.events.all()]
    for event in found:
        str(await app.explain(event))
        seen[event.event_type] += 1
        repr((event.text, event.status, event.external_message_id, event.erased, event))
    for summary in await app.conversations.recent():
        conversation = await app.conversations.of(summary.peer)
        for order in ("oldest", "newest"):
            list(await conversation.page(order=order))  # type: ignore[arg-type]
        await conversation.context()
        await conversation.summary()
    for words in ("hello", "x", "hi OR see"):
        repr([(hit.snippet, hit.marked("*")) for hit in await app.search(words)])
    return seen


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_let_in_can_be_read(
    original: list[bytes], tmp_path: Path, seed: int
) -> None:
    """Payloads of every type with members of every wrong type: what passes is read in every way."""
    chance, lines = Random(seed), []
    for n, (line, wrong) in enumerate(_lines(original, chance)):
        lines.append(original[n] if wrong else line)
    path = tmp_path / "b.ndjson"
    path.write_bytes(resealed(lines))
    async with Outeract(tmp_path / "b.db", clock=ManualClock(), durability="normal") as core:
        core.register("plain", Plain)
        await core.import_app(path)
        assert len(await _read_all(core)) > 15
        await core.app("support").export(tmp_path / "again.ndjson")


@pytest.mark.parametrize(
    ("kind", "payload", "says"),
    [
        ("message.inbound", {"message": {"text": 5}}, "message.text is a text"),
        ("message.inbound", {"message": [1]}, "message is an object"),
        ("message.sent", {"part": "one"}, "part is a whole number"),
        ("message.sent", {"external_message_id": ["x"]}, "external_message_id is a text"),
        ("message.read", {"reason": {"a": 1}}, "reason is a text"),
        ("system.handler_failed", {"traceback": 7}, "traceback is a text"),
        ("user.erased", [], "is no JSON object"),
    ],
)
async def test_what_is_of_the_wrong_shape_is_refused_with_its_line(
    original: list[bytes], tmp_path: Path, kind: str, payload: Any, says: str
) -> None:
    """An import says which line, which member, and what it should be; nothing of it stays."""
    wanted = f'"type":"{kind}"'.encode()
    n = next(n for n, line in enumerate(original) if wanted in line[:400])
    lines = [*original[:n], _written(original[n], payload), *original[n + 1 :]]
    path = tmp_path / "b.ndjson"
    path.write_bytes(resealed(lines))
    async with Outeract(tmp_path / "b.db", clock=ManualClock(), durability="normal") as core:
        core.register("plain", Plain)
        with pytest.raises(InvalidExport, match=says) as caught:
            await core.import_app(path)
        assert caught.value.line == n + 1
        assert core.runtime.conns() == []


def test_the_hosts_own_payloads_are_free() -> None:
    """What an event of the host's own says is the host's affair, whatever it is called."""
    assert shapes.fault("order.created", {"message": {"text": 5}, "part": "one"}) is None
    assert all(shapes.fault(kind, {"erased": True}) is None for kind in EVENT_TYPES)
