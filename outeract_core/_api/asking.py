"""The part of `App` that asks platforms whether a connection can work.

Knows: for how long one asks. Does not know: what is asked (`checking.py`, read when it is).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from .._io.runtime import Runtime
from .._io.threads.aside import loaded
from ..model import PlatformConnection
from . import later

if TYPE_CHECKING:
    from .doing.checking import Check

WITHIN = 30.0
"""Seconds for all connections together."""


class Checking:
    """The part of `App` that asks platforms; `App` supplies what it needs."""

    runtime: Runtime
    key: int

    async def check(
        self, connection: PlatformConnection | UUID | str, *, timeout: float = WITHIN  # noqa: ASYNC109
    ) -> Check:  # fmt: skip
        """Ask the platform whether a connection (itself, its id, name or platform) can work: whose the
        credentials are, what they may not do, how events come. Its status is told from the answer.

        timeout   seconds in all; what has not answered by then is told so in the findings.

        Whatever the platform does is a finding. Raises NotFound, BadInput, StoreError.
        """
        of_one = await loaded(later.checking_one)
        return await of_one(self.runtime, self.key, connection, timeout)
