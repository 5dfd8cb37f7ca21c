"""Independent parsers read every sample as we do, and twenty thousand spoilt bodies are survived in time."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from outeract_adapters.telegram.inbound.entities import html
from outeract_adapters.telegram.inbound.entities import read as entities_of
from outeract_core.adapter import Inbound
from outeract_core.errors import ParseError
from outeract_core.events import Fact
from outeract_core.testing.fakes.telegram_html import parse_html
from tests.support.slack import samples as slack
from tests.support.telegram import samples as telegram
from tests.support.whatsapp import samples as whatsapp

# ── aiogram, whose types are of the newest Bot API ────────────────────────────────────────────

UNKNOWN = {"broken", "unknown_update", "service_unknown"}
"""What no version of the Bot API has."""


@pytest.mark.parametrize("name", sorted(set(telegram.samples()) - UNKNOWN))
def test_aiogram_reads_telegram_as_we_do(name: str) -> None:
    """Ids, sender, text and files of every sample are those that aiogram finds."""
    types = pytest.importorskip("aiogram.types")
    body = telegram.samples()[name]["body"]
    try:
        update = types.Update.model_validate(body)
    except ValueError:
        pytest.skip("aiogram is stricter here than the platform")
    theirs = next(
        (found for kind in ("message", "edited_message", "channel_post", "edited_channel_post",
                            "business_message", "edited_business_message")
         if (found := getattr(update, kind))), None,
    )  # fmt: skip
    ours = telegram.read(body)[-1]
    if theirs is None or not isinstance(ours, Fact):
        return
    named = f"{theirs.message_id}:{theirs.chat.id}"
    if theirs.ephemeral_message_id is None:
        assert str(ours.key).startswith(named) or str(ours.target).startswith(named)
    said = theirs.text or theirs.caption
    if said is not None and ours.kind in ("message.inbound", "message.edited"):
        assert ours.payload["message"]["text"] == said
    if theirs.from_user and ours.sender and theirs.sender_chat is None and not ours.echo:
        assert (
            ours.sender.external_id in (str(theirs.from_user.id), str(theirs.chat.id))
            or theirs.business_connection_id
        )


# ── pywa ──────────────────────────────────────────────────────────────────────────────────────

PYWA = ["text", "text_reply", "image", "document", "button_reply", "list_reply", "reaction"]


@pytest.mark.parametrize("name", PYWA)
def test_pywa_reads_whatsapp_as_we_do(name: str) -> None:
    """Id, sender's name, text and file of the samples are those that pywa finds."""
    pywa = pytest.importorskip("pywa")
    body = whatsapp.samples()[name]["body"]
    client = pywa.WhatsApp(phone_id=whatsapp.NUMBER, token="t", filter_updates=False)
    kinds = {"button_reply": pywa.types.CallbackButton, "list_reply": pywa.types.CallbackSelection}
    try:
        theirs = kinds.get(name, pywa.types.Message).from_update(client=client, update=body)
    except (KeyError, AttributeError, TypeError) as error:
        pytest.skip(f"pywa needs more than the platform sends: {error!r}")
    (ours,) = whatsapp.read(body)
    assert isinstance(ours, Fact)
    assert ours.sender is not None
    assert theirs.id == ours.key
    assert theirs.from_user.name == (ours.sender.name or theirs.from_user.name)
    if name.startswith("text"):
        assert theirs.text == ours.payload["message"]["text"]
    media = getattr(theirs, name, None)
    if ours.files and media is not None:
        assert [ref.handle["id"] for ref in ours.files] == [media.id]


# ── entities against python-telegram-bot ──────────────────────────────────────────────────────

STYLES = ("bold", "italic", "underline", "strikethrough", "spoiler", "code")
LETTERS = "ab <&>\"'é漢😀👨‍👩‍👧\n"


def nested(rng: random.Random, units: int) -> list[dict[str, Any]]:
    """Entities that nest or follow each other, as Telegram makes them."""
    found: list[dict[str, Any]] = []

    def within(start: int, end: int, styles: tuple[str, ...]) -> None:
        while start < end and styles and rng.random() < 0.8:
            first = rng.randrange(start, end)
            last = rng.randrange(first + 1, end + 1)
            style = rng.choice(styles)
            found.append({"type": style, "offset": first, "length": last - first})
            if style != "code":
                within(first, last, tuple(s for s in styles if s not in (style, "code")))
            start = last

    within(0, units, STYLES)
    return found


def test_random_entities_say_what_another_library_says() -> None:
    """3,000 random sets of entities give HTML of the same meaning as python-telegram-bot's."""
    from telegram import Chat, Message, MessageEntity

    rng = random.Random(20260102)
    for number in range(3000):
        said = "".join(rng.choice(LETTERS) for _ in range(rng.randrange(1, 24)))
        edges = [len(said[:n].encode("utf-16-le")) // 2 for n in range(len(said) + 1)]
        found = [
            one for one in nested(rng, edges[-1])
            if one["offset"] in edges and one["offset"] + one["length"] in edges
        ]  # fmt: skip
        theirs = Message(
            1,
            _date(),
            Chat(1, "private"),
            text=said,
            entities=[MessageEntity(**one) for one in found],
        ).text_html
        ours = html(said, entities_of(said, {"entities": found}, "entities"))
        if ours is not None:
            assert _meaning(ours) == _meaning(theirs), (number, said, found)


def _date() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 1, 2, tzinfo=UTC)


def _meaning(marked: str) -> tuple[str, list[tuple[str, int]]]:
    """The text, and every UTF-16 unit of it that has a style: how the stretches are cut is no matter."""
    said, entities = parse_html(marked)
    units = {
        (one["type"], at)
        for one in entities
        for at in range(one["offset"], one["offset"] + one["length"])
    }
    return said, sorted(units)


# ── spoilt bodies ─────────────────────────────────────────────────────────────────────────────

PLATFORMS = {"slack": slack, "telegram": telegram, "whatsapp": whatsapp}
WRONG: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    1.5,
    "",
    "x",
    "\ud800",
    [],
    {},
    [None],
    [[]],
    {"x": {}},
]


def spoilt(value: Any, rng: random.Random) -> Any:
    """`value` with some member left out, of another type, doubled, or from elsewhere."""
    if isinstance(value, dict):
        kept = {n: spoilt(v, rng) for n, v in value.items() if rng.random() > 0.02}
        if kept and rng.random() < 0.05:
            kept[rng.choice(sorted(kept))] = rng.choice(WRONG)
        return kept
    if isinstance(value, list):
        some = [spoilt(one, rng) for one in value]
        return some * 2 if some and rng.random() < 0.03 else some
    return rng.choice(WRONG) if rng.random() < 0.01 else value


@pytest.mark.parametrize("share", range(4))
@pytest.mark.parametrize("platform", PLATFORMS)
def test_spoilt_bodies_are_survived(platform: str, share: int) -> None:
    """Each of 1,667 mutated samples becomes facts or ParseError, and none takes a second."""
    module = PLATFORMS[platform]
    adapter = getattr(module, platform)()
    bodies = [sample["body"] for sample in module.samples().values()]
    rng = random.Random(f"{platform} {share}")
    longest = 0.0
    for _ in range(1667):
        raw = json.dumps(spoilt(rng.choice(bodies), rng)).encode()
        inbound = Inbound("POST", {"content-type": "application/json"}, {}, raw, module.NOW)
        began = time.process_time()
        try:
            list(adapter.parse(inbound))
        except ParseError:
            pass
        longest = max(longest, time.process_time() - began)
    assert longest < 1.0
