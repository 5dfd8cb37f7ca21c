"""What `send` would do, said beforehand: the route, the parts, what degrades, what stands in the way.

Knows: routes, plans, messaging windows.
Does not know: how anything is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .._domain.planning.parts import Part
from .._domain.planning.plan import Plan, plan
from .._domain.values.classes import frozen
from .._domain.values.ids import from_ms
from .._io.runtime import Runtime
from .._store.records import rows
from ..adapter import Manifest
from ..content import Content, ContentLike
from ..driver import Tx
from ..model import PlatformConnection, PlatformUser
from .compose import Target, sizes_of, target
from .obstacles import obstacles, there, window_until


@frozen
class Prospect:
    """What `send` would do.

    connection       the route; `to`: whom it reaches there, None for somebody never met.
    plan             the parts, and in words what is shown otherwise than asked for.
    window_until     when the platform's messaging window closes; None where there is none, or
                     where the person has never written.
    needs_template   the window is not open, as far as is known, and this is no template.
    reasons          why `send` would refuse it now; empty when it would not.
    """

    connection: PlatformConnection
    to: PlatformUser | None
    plan: Plan
    window_until: datetime | None = None
    needs_template: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether `send` would take it."""
        return not self.reasons

    @property
    def parts(self) -> tuple[Part, ...]:
        """The messages that it takes, in order."""
        return self.plan.parts

    @property
    def degraded(self) -> tuple[str, ...]:
        """What is shown otherwise than asked for, in a few words each."""
        return self.plan.degraded


def prospect(
    runtime: Runtime, app: int, to: Any, content: ContentLike, via: Sequence[str]
) -> Prospect:
    """The prospect of a message. Raises what composing it would raise."""
    content, where = Content.of(content), target(runtime, app, to, via)
    adapter = runtime.adapter(where.conn)
    manifest = there(runtime, adapter.manifest, where.to, content)
    planned = plan(content, manifest, adapter.render, sizes_of(content))
    peer = runtime.database.read(lambda tx: _peer(tx, app, where))
    until = window_until(runtime, adapter, where.to)
    closed = _has_window(adapter.manifest, peer, where) and (
        until is None or until <= runtime.now()
    )
    reasons = obstacles(runtime, where.conn, where.to, content, planned)
    return Prospect(
        where.conn.entity, peer, planned, None if until is None else from_ms(until),
        closed and content.template is None, reasons,
    )  # fmt: skip


def _peer(tx: Tx, app: int, where: Target) -> PlatformUser | None:
    return rows.platform_user(tx, app, where.to) if isinstance(where.to, int) else None


def _has_window(manifest: Manifest, peer: PlatformUser | None, where: Target) -> bool:
    kind = peer.kind if peer is not None else getattr(where.to, "kind", "person")
    return manifest.window is not None and kind == "person"
