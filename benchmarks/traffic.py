"""Signed Telegram webhooks: the bytes that come in, made beforehand.

Knows: how an update looks. Does not know: who receives it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping

from outeract_core import App, Outeract, PlatformConnection

SECRET = "benchmark-secret"
HEADERS: Mapping[str, str] = {
    "content-type": "application/json",
    "x-telegram-bot-api-secret-token": SECRET,
}
_WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "and",
    "nobody",
    "asks",
    "why",
    "it",
    "does",
]


def updates(count: int, people: int = 500, first: int = 1, seed: int = 1) -> Iterator[bytes]:
    """`count` messages of `people` persons, a few of whom write most."""
    chance = random.Random(seed)
    last: dict[int, int] = {}
    for number in range(first, first + count):
        who = int(people * chance.random() ** 2) + 1
        last[who] = last.get(who, first) + 1
        yield _update(number, who, last[who] * 10_000 + number % 10_000, chance)


def _update(number: int, who: int, message_id: int, chance: random.Random) -> bytes:
    person = {"id": 10_000 + who, "is_bot": False, "first_name": f"Person {who}"}
    person |= {"username": f"person{who}", "language_code": "en"}
    chat = {"id": 10_000 + who, "type": "private", "first_name": person["first_name"]}
    text = " ".join(chance.choices(_WORDS, k=12))
    message = {
        "message_id": message_id, "from": person, "chat": chat, "date": 1_760_000_000 + number,
        "text": text,
    }  # fmt: skip
    return json.dumps({"update_id": number, "message": message}, separators=(",", ":")).encode()


def connected(core: Outeract) -> tuple[App, PlatformConnection]:
    """An application with one Telegram connection."""
    app = core.app("bench")
    return app, app.connect("telegram", token="1:bench", webhook_secret_token=SECRET)
