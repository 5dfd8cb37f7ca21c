"""What one round of work has done, told to whoever asked for it.

Knows: what is counted, and what went wrong. Does not know: how anything is done.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Trouble:
    """What went wrong in one place, while the others went on.

    application   its name. None: all of the file.
    connection    its name, when it was that connection alone.
    doing         `polling`, `handlers`, `sending`, `files` or `retention`.
    reason        what was raised, in words.
    """

    application: str | None
    connection: str | None
    doing: str
    reason: str


@frozen
class Pumped:
    """What one `pump` did: events polled, turns run, rows sent, files fetched.

    troubles    what went wrong, by connection; nothing of it has stopped the others.
    elsewhere   names of opened applications that another process works for: it does, so this one
                did not.
    """

    polled: int = 0
    handled: int = 0
    sent: int = 0
    fetched: int = 0
    troubles: tuple[Trouble, ...] = ()
    elsewhere: tuple[str, ...] = ()
