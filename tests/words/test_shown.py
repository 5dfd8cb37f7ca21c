"""What people wrote, in pieces or at once: it reads the same, and a long text is put into words beside the event loop.

Knows: what is not seen, ends of lines, marks. Does not know: messages beyond their text, how long anything takes.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_core._api.queries import conversations
from outeract_core._domain.transcript import shown
from outeract_core._domain.values.sinks import BREAKS, UNSEEN
from outeract_core.conversation import Session, Standing
from tests.support.bots import talk

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
WRITTEN = st.lists(
    st.sampled_from(["a", "B ", " ", "\t", "\r", "\n", "\r\n", "\u2028", "[", "]", "\\", "\x1b", "\u200b", "7", ENGLAND,
                     ENGLAND[:3], "\U000e0067", "!", "ß"]),
    max_size=60,
).map("".join)  # fmt: skip


@settings(deadline=None)
@given(WRITTEN)
def test_in_pieces_it_is_the_same(text: str) -> None:
    """Wherever a long text is cut: no line break, no flag and no mark is taken for something else."""
    at_once = UNSEEN.sub(lambda found: found[1] or "", BREAKS.sub("\n", text))
    expected = re.sub(r"^([^\S\n]*\\*)\[", r"\1\\[", at_once, flags=re.MULTILINE).strip("\n")
    with pytest.MonkeyPatch.context() as patched:
        for piece in (1, 2, 7, 16_384):
            patched.setattr(shown, "_PIECE", piece)
            assert shown.block(text) == expected


@settings(deadline=None)
@given(WRITTEN, st.integers(1, 20))
def test_of_a_long_text_no_more_is_looked_at_than_is_shown(text: str, most: int) -> None:
    """What is cut off is not looked at, as far as enough of the beginning is seen; it reads the same."""
    with pytest.MonkeyPatch.context() as patched:
        found = [shown.inline(text, most)]
        for ahead in (1, 2, 1000):
            patched.setattr(shown, "_AHEAD", ahead)
            found.append(shown.inline(text, most))
    assert len(set(found)) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("words", [10, 20_000])
async def test_a_long_history_is_put_into_words_beside_the_loop(
    tmp_path: Path, words: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a few short messages is not: a hop costs more."""
    threads: list[int] = []
    turns = conversations.turns

    def noted(*args: Any, **options: Any) -> Any:
        threads.append(threading.get_ident())
        return turns(*args, **options)

    monkeypatch.setattr(conversations, "turns", noted)
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        await bot.says("word " * words)
        (summary,) = (await bot.app.conversations.recent()).nodes
        [turn] = await (await bot.app.conversations.of(summary.peer)).context()
    assert turn.content == "word " * words
    assert [ident == threading.get_ident() for ident in threads] == [words == 10]


@pytest.mark.anyio
async def test_each_message_of_a_session_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session of many pages takes no longer for each of them."""
    monkeypatch.setattr(conversations, "_CHUNK", 3)
    looked: list[int] = []
    occurred_at = Standing.occurred_at

    def noted(one: Standing) -> Any:
        looked.append(one.position)
        return occurred_at.fget(one)

    bot = talk(tmp_path / "a.db")
    async with bot.core:
        for number in range(20):
            await bot.says(str(number))
        (summary,) = (await bot.app.conversations.recent()).nodes
        talking = await bot.app.conversations.of(summary.peer)
        monkeypatch.setattr(Standing, "occurred_at", property(noted))
        [session] = (await talking.sessions()).nodes
    assert isinstance(session, Session)
    assert [one.text for one in session.messages] == [str(number) for number in range(20)]
    assert max(map(looked.count, set(looked))) <= 2
