"""Who is woken by what: a table over everybody who can have done something, and every way to ask."""

from __future__ import annotations

import pytest

from outeract_core._domain.rules.waking import wakes

PEOPLE, HOST, BOT, SELF, CAME = "people", "host", "bot", "self", "came of it"

ROWS = [
    # who, event type, patterns that wake without own= and bots=
    (PEOPLE, "message.inbound", {"exact", "room", "all"}),
    (PEOPLE, "message.edited", {"exact", "room", "all"}),
    (PEOPLE, "message.deleted", {"exact", "room", "all"}),
    (PEOPLE, "message.reaction_added", {"exact", "room", "all"}),
    (PEOPLE, "message.action", {"exact", "room", "all"}),
    (PEOPLE, "system.notice", {"exact", "room", "all"}),
    (CAME, "message.reparsed", {"exact"}),
    (CAME, "message.transcribed", {"exact"}),
    (CAME, "file.inbound", {"exact", "room"}),
    (HOST, "order.created", {"exact", "room", "all"}),
    (BOT, "message.inbound", set()),
    (BOT, "message.edited", set()),
    (SELF, "message.outbound", {"exact"}),
    (SELF, "message.edited", set()),
    (SELF, "message.deleted", set()),
    (SELF, "message.reaction_added", set()),
    (CAME, "message.sent", {"exact"}),
    (CAME, "message.delivered", {"exact"}),
    (CAME, "message.read", {"exact"}),
    (CAME, "message.failed", {"exact"}),
    (CAME, "message.unknown", {"exact"}),
    (CAME, "message.cancelled", {"exact"}),
    (CAME, "system.handler_failed", {"exact", "room"}),
    (CAME, "system.connection_changed", {"exact", "room"}),
]


@pytest.mark.parametrize(("who", "event_type", "woken"), ROWS)
@pytest.mark.parametrize("asked", ["exact", "room", "all", "other"])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("bots", [False, True])
def test_who_is_woken(
    who: str, event_type: str, woken: set[str], asked: str, own: bool, bots: bool
) -> None:
    """What people and the host did wakes every fitting pattern; the rest only who asks for it."""
    room = event_type.partition(".")[0] + ".*"
    pattern = {"exact": event_type, "room": room, "all": "*", "other": "order.paid"}[asked]
    asks = asked in woken or (own and who in (SELF, CAME)) or (bots and who == BOT)
    wanted = asks and asked != "other"
    # what came of something is stored as being by the bot, by who said it, or by nobody: that is all the same
    stored = [(who == SELF, who in (PEOPLE, BOT))]
    if who == CAME:
        stored = [(False, False)]
        stored += [] if event_type.startswith("system.") else [(True, True), (False, True)]
    for mine, told in stored:
        got = wakes(pattern, event_type, mine=mine, bot=who == BOT, own=own, bots=bots, told=told)
        assert got == wanted, (mine, told)
