"""What one round of work has done, told to whoever asked for it.

Knows: what is counted, and what went wrong. Does not know: how anything is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from attrs import evolve

from .._domain.values.classes import frozen


@frozen
class Trouble:
    """What went wrong in one place, while the others went on, or still stands in the way of what waits there.

    application   its name. None: all of the file.
    connection    its name, when it was that connection alone.
    doing         `polling`, `handlers`, `sending`, `files`, `profiles` or `retention`.
    reason        what was raised, in words.
    since         when it went wrong first, aware, where the connection is left alone for a while now; it
                  has not worked since.
    until         when it is tried again at the latest: sooner with other credentials, by `check`, when
                  the host connects it anew, and by another process.
    """

    application: str | None
    connection: str | None
    doing: str
    reason: str
    since: datetime | None = None
    until: datetime | None = None

    @property
    def place(self) -> tuple[str | None, str | None, str, str]:
        """All of it but the times."""
        return self.application, self.connection, self.doing, self.reason


@frozen
class Pumped:
    """What one `pump` did, and what it has left.

    polled      events that polling has brought.
    handled     turns run, those that failed included; `parked`: turns given up after their last
                attempt (`App.turns` lists them, `App.retry` runs one again).
    sent        messages that a platform has accepted, each once, whatever number of parts it has.
    failed      messages given up; `unknown`: messages of which nobody knows whether they arrived.
    fetched     files downloaded.
    retrying    messages, actions and turns that were tried in vain and are tried again.
    waiting     messages and actions that wait for their time, their place or their turn.
    next_due    when the next of these is due, aware. None: nothing is left. In the past: it waits for
                its connection, or for another process.
    troubles    what went wrong, by connection (a hundred reasons at most, each once); nothing of it
                has stopped the others. As long as anything waits for a connection that is left alone
                for a while, that is told here in each report, with `since` and `until`.
    elsewhere   names of opened applications that another process works for: it does, so this one
                did not.
    """

    polled: int = 0
    handled: int = 0
    sent: int = 0
    fetched: int = 0
    troubles: tuple[Trouble, ...] = ()
    elsewhere: tuple[str, ...] = ()
    parked: int = 0
    failed: int = 0
    unknown: int = 0
    retrying: int = 0
    waiting: int = 0
    next_due: datetime | None = None


_DONE = ("polled", "handled", "sent", "fetched", "parked", "failed", "unknown")


def together(before: Pumped, after: Pumped) -> Pumped:
    """Two rounds as one: what was done is added up, what is left is what the later one says."""
    done = {name: getattr(before, name) + getattr(after, name) for name in _DONE}
    return evolve(after, **done, troubles=once((*before.troubles, *after.troubles)))


def once(troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
    """Each once, in order, as it was told last."""
    return tuple({one.place: one for one in troubles}.values())
