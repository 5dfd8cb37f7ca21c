"""A connection as the units of work need it.

Knows: its numbers in the file, the entity that the host sees, its application's config.
Does not know: how it comes to be, adapters, secrets.
"""

from __future__ import annotations

from attrs import field

from ..._domain.values.classes import frozen
from ...model import PlatformConnection

DISABLED = "disabled"
"""The state of a connection that was imported, until the host has confirmed its config."""


@frozen
class Conn:
    """A connection as the units need it: integer keys, and the entity for the host.

    `platform`: the adapter's name. `disabled`: it was imported, and nobody has confirmed its config.
    `keep_raw`: the platform's own items are kept beside the payloads. `finds_codes`: link codes are looked
    for in what people write; then none is kept. What is asked of it at each message is
    a plain member: a cached property would make every other member slow to read.
    """

    id: int
    app: int
    system_puser: int
    entity: PlatformConnection
    app_config: dict[str, str]

    platform: str = field(init=False, eq=False)
    disabled: bool = field(init=False, eq=False)
    keep_raw: bool = field(init=False, eq=False)
    finds_codes: bool = field(init=False, eq=False)

    @platform.default
    def _platform(self) -> str:
        return self.entity.platform

    @disabled.default
    def _disabled(self) -> bool:
        return self.entity.status == DISABLED

    @keep_raw.default
    def _keep_raw(self) -> bool:
        return bool(self.entity.config.get("keep_raw", True))

    @finds_codes.default
    def _finds_codes(self) -> bool:
        return self.app_config["link_code_auto_detect"] == "enabled"
