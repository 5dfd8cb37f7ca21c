"""Which events wake a handler: what people did and the host's own, unless it asks for more.

Knows: who can have done what, by the type of an event; what a pattern asks for.
Does not know: handlers, conversations, how it was found out who did it.

    done by                              woken are
    a person, or the host (own types)    every pattern that fits
    another bot                          those with bots=True
    the library or the platform, about   the type in full, own=True; `system.*` and `file.*`, in which
    what was said or done                hardly anybody else speaks
    the application itself               own=True; `message.outbound` in full, which nobody else does
"""

from __future__ import annotations

from .delivery import EVENT_STATUS
from .patterns import fits

_OWN_ALONE = "message.outbound"
_CAME_OF_IT = frozenset({*EVENT_STATUS, "message.reparsed", "message.transcribed", "file.inbound"})
"""Nobody says or does anything with these, whoever they are stored as being by or to."""
_ROOMS = ("system.", "file.")


def wakes(
    pattern: str,
    event_type: str,
    *,
    mine: bool,
    bot: bool,
    own: bool,
    bots: bool,
    told: bool = False,
) -> bool:
    """Whether a handler of `pattern` is for an event.

    mine        the application itself did it.
    bot         somebody who is a bot did it.
    told        it is itself by a person or in a place, not only about what is.
    own, bots   what the handler asks for beside what people did.
    """
    if not fits(pattern, event_type) or (bot and not bots):
        return False
    if event_type in _CAME_OF_IT or (event_type.startswith("system.") and not told):
        return own or pattern == event_type or pattern.startswith(_ROOMS)
    if mine or event_type == _OWN_ALONE:
        return own or pattern == _OWN_ALONE
    return True
