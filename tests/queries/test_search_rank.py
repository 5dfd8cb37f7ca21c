"""The best of a search: as BM25 has it while all are weighed, bounded and said when they are not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from outeract_core import Outeract
from outeract_core._api.app import App
from outeract_core._store.engine import full_text
from outeract_core._store.reading import finding, ranking
from outeract_core.testing import ManualClock, SequentialIds

pytestmark = pytest.mark.anyio
WORDS = ("tea", "cup", "rain", "sun", "boat", "a", "the")
ASKED = ("tea", "tea cup", "tea OR boat", '"tea cup"', "the -rain", "te*", "rain OR sun OR the")


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Outeract]:
    """A store."""
    core = Outeract(tmp_path / "bot.db", clock=ManualClock(), ids=SequentialIds())
    yield core
    core.close()


@pytest.fixture
async def app(core: Outeract) -> App:
    """An application with sixty messages of few words."""
    app, chance = core.app("support"), random.Random(4)
    app.connect("console", name="here")
    for _ in range(60):
        words = chance.choices(WORDS, k=chance.randint(1, 12))
        await app.send(("here", "1"), " ".join(words))
    return app


async def ranked(app: App, words: str, **options: Any) -> list[int]:
    """What is found, the best first."""
    page = await app.search(words, order="rank", **{"first": 100, **options})
    return [hit.event.position for hit in page]


@pytest.mark.parametrize("words", ASKED)
async def test_the_order_is_that_of_bm25(app: App, words: str) -> None:
    """As long as every match is weighed, each hit is as good as FTS5's own function says, or better than the next."""
    found = await ranked(app, words)
    assert len(found) > 3

    def scores(tx: Any) -> dict[int, float]:
        wanted = finding.Wanted(finding.understood(tx, "unicode61", _parsed(words)))
        asked_for = finding._asked(tx, app.key, wanted, (0, 2**62))
        assert asked_for is not None
        sql, params = full_text._source(tx, asked_for)
        asked = f"SELECT f.rowid, bm25(search_index, 1.0, 0.0, 0.0) FROM {sql}"
        return dict(tx.dynamic(asked, params))

    said = app.runtime.database.read(scores)
    assert set(found) == said.keys()
    for one, other in pairwise(found):
        assert (said[one], -one) <= (said[other] + 1e-9, -other + 10**6)


def _parsed(words: str) -> Any:
    from outeract_core._domain.rules.query_language import parse

    return parse(words)


async def test_only_the_newest_are_weighed_and_that_is_said(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound the older ones are not found by rank, page by page, and `ranked_of` tells."""
    whole = await app.search("tea", order="rank", first=100)
    assert whole.ranked_of is None
    newest = sorted((hit.event.position for hit in whole), reverse=True)
    monkeypatch.setattr(finding, "AMONG", 10)
    assert sorted(await ranked(app, "tea"), reverse=True) == newest[:10]
    found, after = [], None
    while True:
        page = await app.search("tea", order="rank", first=4, after=after)
        found += [hit.event.position for hit in page]
        assert page.ranked_of == 10
        if not page.has_next:
            break
        after = page.end_cursor
    assert found == await ranked(app, "tea")
    exactly = len(newest)
    monkeypatch.setattr(finding, "AMONG", exactly)
    assert (await app.search("tea", order="rank")).ranked_of is None
    assert (await app.search("tea", order="newest")).ranked_of is None


async def test_a_common_word_is_weighed_a_bounded_number_of_times(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many messages have it: neither its matches nor its rows are gone through to the end."""
    monkeypatch.setattr(finding, "AMONG", 10)
    looked: list[int] = []
    plain = finding.best

    def watched(matches: Any, rows: Any) -> Any:
        looked.append(len(matches))
        assert all(row <= 10 for row in rows)
        return plain(matches, rows)

    monkeypatch.setattr(finding, "best", watched)
    for words in ASKED:
        await ranked(app, words)
    assert max(looked) == 10


async def test_other_tenants_words_do_not_count(core: Outeract, app: App) -> None:
    """Page and bound are those of one application."""
    other = core.app("other")
    other.connect("console", name="there")
    for _ in range(30):
        await other.send(("there", "1"), "tea")
    assert len(await ranked(app, "tea")) == len(await ranked(app, "tea", person=None))
    assert {position >> 40 for position in await ranked(app, "tea")} == {app.key}


def test_the_bound_is_what_the_documentation_says() -> None:
    """A thousand, in the how-to."""
    text = (Path(__file__).parents[2] / "docs/how-to/search.md").read_text("utf-8")
    assert f"newest {ranking.AMONG:,} matches" in text
