"""The short way through an update says what the long way says."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters.telegram.inbound.everyday import everyday
from outeract_adapters.telegram.inbound.messages import in_full
from outeract_adapters.telegram.inbound.people import Us
from outeract_adapters.telegram.inbound.scope import Scope
from outeract_core.errors import ParseError
from tests.support.telegram.samples import NOW

NUMBERS = st.sampled_from([0, 1, 42, 43, -7, 2**53 - 1, 2**53, 2**70, True, None, "42", 1.5])
TEXTS = st.sampled_from(["", "hi", "/start", "@our_bot", "\ud800", "a\0b", None, 5, []])
FLAGS = st.sampled_from([True, False, None, "no"])


def _thing(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=members)


USER = _thing(id=NUMBERS, is_bot=FLAGS, first_name=TEXTS, last_name=TEXTS, username=TEXTS,
              language_code=TEXTS)  # fmt: skip
CHAT = _thing(id=NUMBERS, type=st.sampled_from(["private", "group", "channel", None, 5]),
              first_name=TEXTS, title=TEXTS)  # fmt: skip
GOOD = {
    "message_id": 5, "date": 1_767_322_800, "text": "hi",
    "from": {"id": 42, "is_bot": False, "first_name": "Ada"}, "chat": {"id": 42, "type": "private"},
}  # fmt: skip
BODIES = _thing(**{
    "message_id": NUMBERS, "date": NUMBERS, "text": TEXTS, "from": USER, "chat": CHAT,
    "edit_date": NUMBERS, "entities": st.just([]), "is_topic_message": FLAGS,
}).map(lambda changed: {**GOOD, **changed})  # fmt: skip


@settings(max_examples=500)
@given(body=BODIES, us=st.sampled_from([Us(), Us(42, "our_bot"), Us(43)]))
def test_both_ways_say_the_same(body: dict[str, Any], us: Us) -> None:
    """Whatever the short way takes, the long way reads into the very same fact."""
    scope = Scope({"update_id": 1, "message": body}, us, NOW)
    short = everyday(scope, body)
    try:
        full = list(in_full(scope, body))
    except ParseError:
        full = []
    assert short is None or full == [short]


def test_the_everyday_message_goes_the_short_way() -> None:
    """A text in a private chat is what the short way is for."""
    assert everyday(Scope({"update_id": 1, "message": GOOD}, Us(), NOW), GOOD) is not None
