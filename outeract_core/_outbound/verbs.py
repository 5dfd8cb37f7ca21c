"""The verbs that do something to a message that exists: react, edit, delete, mark read, typing.

Knows: that each is committed, now or with the turn that it is called in, and asked beforehand by its `can_`.
Does not know: what each of them leaves (`acting.py`, which is read when the first of them is called), platforms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .joining import at_hand, joins

if TYPE_CHECKING:
    from .._store.writing.sending import Action
    from ..content import ContentLike
    from ..driver import Tx
    from ..model import Event
    from .acting import Actions
    from .handle import Delivery
    from .obstacles import Verdict


def acting() -> type[Actions]:
    """What the verbs have done."""
    from .acting import Actions

    return Actions


class Verbs(ABC):
    """The part of `App` that acts on messages; `App` supplies what they need."""

    runtime: Runtime
    tenant: Tenant
    key: int

    @abstractmethod
    def new_id(self) -> UUID:
        """A fresh id."""

    @abstractmethod
    async def commit(self, unit: Any) -> Any:
        """Commit a unit or an action, now or with the turn that this runs in."""

    @property
    @abstractmethod
    def in_turn(self) -> bool:
        """Whether this runs inside a handler's turn."""

    @property
    @abstractmethod
    def cause(self) -> int | None:
        """The event that the turn that this runs in is about."""

    @abstractmethod
    def events_at(self, keys: list[int]) -> list[Event]:
        """The events with these keys."""

    @joins
    async def react(self, event: Event | UUID, emoji: str, *, remove: bool = False) -> Delivery:
        """Put (or remove) the bot's reaction on a message. Raises NotFound, Unsupported."""
        return await (await self._actions()).react(event, emoji, remove)

    @joins
    async def edit(self, event: Event | UUID, content: ContentLike) -> Delivery:
        """Replace the words of a message that the bot sent, and what there is to press below them.

        They take the places that the old ones have: the text, or the caption below its (first) file. Of
        a message in several parts each is changed, and those that are not needed any more are taken
        away; what needs more room than there is is refused. Files and places stay as they are.
        Raises NotFound, BadInput, Unsupported; then nothing was written.
        """
        return await (await self._actions()).edit(event, content)

    @joins
    async def delete(self, event: Event | UUID) -> Delivery:
        """Delete a message that the bot sent, with all its parts. Raises NotFound, BadInput, Unsupported."""
        return await (await self._actions()).delete(event)

    @joins
    async def mark_read(self, event: Event | UUID) -> None:
        """Everything in the message's conversation up to it is read; the platform is told if it can be."""
        await (await self._actions()).mark_read(event)

    @joins
    async def typing(self, to: Event | UUID) -> Delivery:
        """Show that the bot is writing. Gone when it cannot be shown within seconds; leaves no event.

        Where the platform has no such thing, nothing happens.
        """
        return await (await self._actions()).typing(to)

    # ── asked beforehand ──────────────────────────────────────────────────────────────────────

    async def can_react(self, event: Event | UUID, emoji: str, *, remove: bool = False) -> Verdict:
        """Whether `react` would take it, and if not, why, in its words. Raises NotFound."""
        return (await self._actions()).can_react(event, emoji, remove)

    async def can_edit(self, event: Event | UUID, content: ContentLike) -> Verdict:
        """Whether `edit` would take it, and if not, why, in its words. Raises NotFound."""
        return await (await self._actions()).can_edit(event, content)

    async def can_delete(self, event: Event | UUID) -> Verdict:
        """Whether `delete` would take it, and if not, why, in its words. Raises NotFound."""
        return (await self._actions()).can_delete(event)

    # ── for turns and the dispatcher ──────────────────────────────────────────────────────────

    async def _actions(self) -> Actions:
        return (await at_hand(self, acting))(self)

    def reaction(self, event: Event | UUID, emoji: str, remove: bool, cause: int | None) -> Action:
        """The action behind `react`."""
        return acting()(self).reaction(event, emoji, remove, cause)

    def typing_now(self, event: Event | UUID) -> Delivery:
        """`typing` inside a turn; it does not wait for the turn's commit."""
        return acting()(self).typing_now(event)

    def mark_events(self, tx: Tx, events: list[int]) -> None:
        """Mark inbound messages read, inside a transaction."""
        acting()(self).mark_events(tx, events)
