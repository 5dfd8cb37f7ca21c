"""A handler's turn: what it says and does, gathered until it is committed with "handled".

Knows: the drafts and actions made in it.
Does not know: the application's handle, when handlers run, how a turn is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from attrs import Factory

from .._domain.values.classes import define
from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .._outbound.compose import Draft, Options, compose
from .._outbound.handle import Delivery
from .._store.writing import sending
from .._store.writing.sending import Action
from ..content import ContentLike
from ..driver import Tx
from ..errors import BadInput

Effect = Draft | Callable[[Tx], Any]
"""What a turn commits: a message whose files are not stored yet, or a unit of work."""


@define(eq=False)
class Turn:
    """What one run of a handler wants committed together with "handled", in order.

    over        the handler has returned; what comes now would be in nobody's commit.
    discarded   why nothing of it counts any more: it was given up while it went on.
    unread      what it was given stays unread on its platform.
    reached     the platform users of its conversations who had not blocked the bot when it began.
    given       its events, each with what it said in the log then.
    """

    runtime: Runtime
    tenant: Tenant
    cause: int
    effects: list[Effect] = Factory(list)
    over: bool = False
    discarded: str = ""
    unread: bool = False
    reached: frozenset[int] = frozenset()
    given: dict[int, str] = Factory(dict)

    def say(self, to: Any, content: ContentLike, options: Options) -> Delivery:
        """Add a message to the turn. Raises BadInput when the turn is over."""
        self._still_open()
        draft = compose(self.runtime, self.tenant.key, to, content, options, self.reached)
        first = self._first_under(draft.intent.key) or draft.intent.id
        self.effects.append(draft)
        return Delivery(self.runtime, self.tenant, first, committed=False)

    def _first_under(self, key: str | None) -> UUID | None:
        """The message that this turn, or whoever before it, has sent under the same key."""
        if key is None:
            return None
        said = (effect.intent for effect in self.effects if isinstance(effect, Draft))
        mine = next((one.id for one in said if one.key == key), None)
        first = partial(sending.first_under, app=self.tenant.key, key=key)
        found = self.runtime.database.read(first, like=sending.first_under)
        return mine if found is None else found[1]

    def do(self, action: Action) -> Delivery:
        """Add an action to the turn. Raises BadInput when the turn is over."""
        self._still_open()
        self.effects.append(lambda tx: sending.act(tx, action))
        return Delivery(self.runtime, self.tenant, action.id, committed=False)

    def nothing(self) -> Delivery:
        """What a verb gives back that has nothing to do."""
        ids, now = self.runtime.database.options.ids, self.runtime.now()
        return Delivery(self.runtime, self.tenant, ids(now), committed=False)

    def still_counts(self) -> None:
        """Raises BadInput when the turn was given up while its handler went on."""
        if self.discarded:
            raise BadInput(f"{self.discarded}, so nothing that it does now is done")

    def _still_open(self) -> None:
        self.still_counts()
        if self.over:
            raise BadInput("the handler has returned, so its turn is over; use `await app.send(…)`")
