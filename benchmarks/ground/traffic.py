"""Signed Telegram webhooks: the bytes that come in, made as they are asked for.

Knows: how an update looks, who writes how often. Does not know: who receives it.

Conversations follow Zipf's law, as chats do: of a million messages in 20,000 conversations the
largest has about 95,000 and the one in rank 190 about 500. So do words. An update has about 390 bytes, of
which 150 are text; of the library's payload the text is the half.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import accumulate

from outeract_core import App, Outeract, PlatformConnection

SECRET = "benchmark-secret"
HEADERS: Mapping[str, str] = {
    "content-type": "application/json",
    "x-telegram-bot-api-secret-token": SECRET,
}
_SPOKEN = (
    "the quick brown fox jumps over a lazy dog and nobody asks why it does so every single day "
    "because when somebody finally did answer took longer than anybody had expected to wait"
)
_SYLLABLES = "ba den fi gor hul kas lem mo nar pek rin sol tur ve wix yol zan".split()  # noqa: SIM905
_VOCABULARY, _LENGTH, _POOL = 2_000, 26, 10_000
_CHUNK = 1000
BEGIN = 1_760_000_000


def conversations(size: int) -> int:
    """How many conversations `size` messages are spread over: 20,000 for a million and more."""
    return max(20, min(20_000, size // 50))


def speakers(count: int, people: int, seed: int = 1) -> Iterator[int]:
    """Who wrote each of `count` messages: ranks from 1, the first the busiest."""
    chance = random.Random(seed)
    shares = list(accumulate(1 / rank for rank in range(1, people + 1)))
    ranks = range(1, people + 1)
    for start in range(0, count, _CHUNK):
        yield from chance.choices(ranks, cum_weights=shares, k=min(_CHUNK, count - start))


def updates(
    count: int, people: int | None = None, first: int = 1, seed: int = 1
) -> Iterator[bytes]:
    """`count` messages of `people` persons, numbered from `first`; the same for the same seed."""
    chance, pool = random.Random(seed), _texts()
    people = conversations(count) if people is None else people
    for number, who in enumerate(speakers(count, people, seed), first):
        yield update(number, who, chance.choice(pool))


@cache
def _texts() -> list[str]:
    """Many texts, made once: what a message says is drawn from them."""
    chance = random.Random(7)
    spoken = _SPOKEN.split()
    made = {
        "".join(chance.choices(_SYLLABLES, k=chance.choice((1, 2, 2, 3)))) for _ in range(9_000)
    }
    words = [*spoken, *sorted(made - set(spoken), key=len)][:_VOCABULARY]
    shares = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    return [
        " ".join(chance.choices(words, cum_weights=shares, k=chance.randint(2, 2 * _LENGTH - 2)))
        for _ in range(_POOL)
    ]


def update(number: int, who: int, text: str) -> bytes:
    """Update `number`, from the person of rank `who`."""
    person = {"id": external(who), "is_bot": False, "first_name": f"Person {who}"}
    person |= {"username": f"person{who}", "language_code": "en"}
    chat = {"id": external(who), "type": "private", "first_name": person["first_name"]}
    message = {
        "message_id": number, "from": person, "chat": chat, "date": BEGIN + number, "text": text,
    }  # fmt: skip
    return json.dumps({"update_id": number, "message": message}, separators=(",", ":")).encode()


def external(who: int) -> int:
    """The platform's id of the person of rank `who`."""
    return 10_000 + who


def connected(core: Outeract) -> tuple[App, PlatformConnection]:
    """An application with one Telegram connection."""
    app = core.app("bench")
    return app, app.connect("telegram", token="1:bench", webhook_secret_token=SECRET)


async def deliver(core: Outeract, connection: PlatformConnection, bodies: Iterator[bytes]) -> None:
    """Hand over one body after the other; several tasks may share one iterator."""
    for body in bodies:
        answer = await core.ingest(
            connection.webhook_id, connection.webhook_secret, "POST", HEADERS, {}, body
        )
        if answer.status != 200:
            raise AssertionError(f"{answer.status}: {answer.body!r}")
