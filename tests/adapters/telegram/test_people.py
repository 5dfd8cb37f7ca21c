"""Who is who in Telegram: people, other bots, chats that speak for themselves.

Knows: what updates name. Does not know: how core finds a platform user.
"""

from __future__ import annotations

import pytest

from tests.support.telegram.samples import read, samples

BOTS = {"text_other_bot": True, "text_anonymous_admin": False, "text_via_bot": False}


@pytest.mark.parametrize("name", BOTS)
def test_a_party_is_a_bot_exactly_when_a_program_wrote(name: str) -> None:
    """Another bot is one; an anonymous admin is not, nor a person who wrote with a bot's help."""
    (fact,) = read(samples()[name]["body"])
    assert fact.sender is not None
    assert fact.sender.bot is BOTS[name]
