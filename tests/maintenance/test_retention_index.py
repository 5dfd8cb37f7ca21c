"""Retention that takes most of the full-text index along takes it as a whole, and what stays is indexed again.

Knows: searches, bytes of files, when words are to be gone. Does not know: how an index is laid out.
"""

from __future__ import annotations

import string
from datetime import timedelta

import pytest

from outeract_core import App, Outeract
from outeract_core._store.transfer import retention
from outeract_core._store.writing import search
from outeract_core.driver import Tx
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock
from tests.support.store.platform import said, take
from tests.support.store.words import Words

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
DAY = 86_400


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful is many."""
    monkeypatch.setattr(retention, "FEW", 4)


async def _said(core: Outeract, plain: PlatformConnection, some: str, words: Words) -> None:
    """One message for each letter, each with a word of its own."""
    facts = [said(letter, text=f"{letter}{words.plant(letter)} both") for letter in some]
    await take(core, plain, *facts)


async def _found(app: App, word: str = "both") -> list[str]:
    return sorted(hit.event.text[0] for hit in (await app.search(word, first=100)).nodes)


def _whole(tx: Tx) -> tuple[str | None, int]:
    return search.tokenizer(tx), len(tx.script("SELECT * FROM search_span"))


@pytest.mark.parametrize(
    ("old", "young", "goes"), [("abcdefgh", "ij", True), ("abcd", "ijklmnop", False)]
)
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another application"])
async def test_what_stays_is_found_and_what_goes_is_gone(
    core: Outeract, app: App, plain: PlatformConnection, words: Words, clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch, old: str, young: str, goes: bool, beside: bool,
) -> None:  # fmt: skip
    """Whether most of the index goes, or little of it: the same is found, and no word of what went is in a file."""
    forgotten: list[int] = []
    forget = search.forget
    monkeypatch.setattr(search, "forget", lambda tx: (forgotten.append(1), forget(tx)))
    other = core.app("other")
    if beside:
        await other.emit("order.created", {"text": "both, theirs"})
    await _said(core, plain, old, words)
    assert await _found(app) == list(old)
    clock.advance(90 * DAY)
    await _said(core, plain, young, words)
    await _found(app)
    await app.retention.keep("message.*", timedelta(days=30))
    (done,) = await app.retention.apply()
    assert done.events == len(old)
    assert bool(forgotten) == goes
    assert core.runtime.database.read(search.tokenizer) == "unicode61"
    assert words.found() == set(young)
    assert await _found(app) == list(young)
    assert await _found(app, f"a{words.word('a')}") == []
    assert len((await app.search(f"{young[0]}{words.word(young[0])}")).nodes) == 1
    forgotten.clear()
    await app.retention.apply()
    assert not forgotten


async def test_what_handlers_have_yet_to_handle_takes_no_index_along(
    core: Outeract, app: App, plain: PlatformConnection, words: Words, clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It stays, and so does the index, however often the rule is applied."""

    @app.on("message.inbound")
    async def later(_message: object) -> None:
        """Nobody runs it."""

    await _said(core, plain, string.ascii_lowercase, words)
    await _found(app)
    clock.advance(90 * DAY)
    await app.retention.keep("message.*", timedelta(days=30))
    before = core.runtime.database.read(_whole)
    for _ in range(2):
        (done,) = await app.retention.apply()
        assert (done.events, done.unhandled) == (0, True)
        assert core.runtime.database.read(_whole) == before


async def test_when_the_program_ends_in_the_midst_of_it_no_word_stays(
    core: Outeract, app: App, plain: PlatformConnection, words: Words
) -> None:
    """The index is gone and not made again: what is erased then is in no page, and a search makes another."""
    await _said(core, plain, "abc", words)
    await _found(app)
    await core.runtime.write(search.forget, app=None)
    ann = await app.people.by_external_id(plain, "alice")
    await app.people.erase(ann)
    assert words.found() == set()
    assert await _found(app) == []
