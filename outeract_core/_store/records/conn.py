"""A connection as the units of work need it.

Knows: its numbers in the file, the entity that the host sees, its application's config.
Does not know: how it comes to be, adapters, secrets.
"""

from __future__ import annotations

from functools import cached_property

from attrs import frozen

from ...model import PlatformConnection

DISABLED = "disabled"
"""The state of a connection that was imported, until the host has confirmed its config."""


@frozen
class Conn:
    """A connection as the units need it: integer keys, and the entity for the host."""

    id: int
    app: int
    system_puser: int
    entity: PlatformConnection
    app_config: dict[str, str]

    @property
    def platform(self) -> str:
        """The adapter's name."""
        return self.entity.platform

    @cached_property
    def disabled(self) -> bool:
        """Whether it was imported, and nobody has confirmed its config."""
        return self.entity.status == DISABLED

    @cached_property
    def keep_raw(self) -> bool:
        """Whether the platform's own items are kept beside the payloads."""
        return bool(self.entity.config.get("keep_raw", True))
