"""The host's own events, their schemas, and edges, made ready and committed.

Knows: that what has a schema is checked against it before anything is written.
Does not know: the verbs (`app.py`), JSON Schema (`queries/schemas.py`), what is written (`_store/writing/custom.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from ..._domain.values.ids import maybe_ms
from ..._io.threads.aside import aside
from ..._outbound.joining import Committing, at_hand
from ..._store.writing import custom
from ...conversation import Role
from ...driver import Tx
from ...model import Event, EventId, EventSchema
from ..queries import schemas


class Emitting:
    """What `App.emit`, `App.event_schema` and `App.edge` have done. `text`: the payload, or the schema, as JSON."""

    def __init__(self, app: Committing) -> None:
        self._app = app

    async def emit(
        self, event_type: str, payload: Any, text: str, edges: Mapping[str, Any] | None,
        origin: Event | UUID | None, occurred_at: datetime | None, role: Role | None, within: Any,
    ) -> EventId:  # fmt: skip
        """Append an event; its id."""
        app = self._app
        custom.check_type(event_type)
        drawn = custom.flat(edges)
        schema = app.runtime.database.read(lambda tx: custom.schema(tx, app.key, event_type))
        if schema is not None:
            await at_hand(app, schemas.read)
            check = partial(schemas.check_payload, event_type, payload, schema.json_schema)
            light = app.in_turn or schemas.is_light(text, schema.json_schema)
            check() if light else await aside(check)
        at, event_id, cause = maybe_ms(occurred_at), app.new_id(), app.cause
        said = custom.said(role, within)

        def unit(tx: Tx) -> int:
            return custom.emit(
                tx, app.key, event_id, event_type, text, drawn, origin, cause, at, said
            )

        await app.commit(unit)
        return EventId(event_id)

    async def event_schema(
        self, event_type: str, json_schema: Any, description: str | None
    ) -> EventSchema:
        """Require payloads to satisfy it from now on."""
        custom.check_type(event_type)
        await at_hand(self._app, schemas.read)
        schemas.check_schema(json_schema)
        return await self._app.tenant.write(
            lambda tx, app: custom.add_schema(tx, app, event_type, json_schema, description)
        )

    async def edge(self, source: Any, edge_type: str, target: Any) -> None:
        """Draw an edge between two nodes."""
        app = self._app
        custom.flat({edge_type: target})
        await app.commit(lambda tx: custom.draw(tx, app.key, source, edge_type, target))
