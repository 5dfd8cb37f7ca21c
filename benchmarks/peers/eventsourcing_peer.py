"""eventsourcing: `Application.save` on its own SQLite recorder, FULL as it comes.

Knows: one aggregate for each conversation, one event for each message, with payload and raw item.
Does not know: edges, dedupe keys, conversation rows: this peer writes one row for each message.
"""

from __future__ import annotations

import json
import time
from itertools import islice
from pathlib import Path

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from ..took import Took


class Talk(Aggregate):
    """A conversation."""

    @event("Said")
    def say(self, payload: str, raw: str) -> None:  # noqa: ARG002 - kept in the event
        self.last = payload


class Eventsourcing:
    """An application on a file."""

    def __init__(self, path: Path) -> None:
        env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}
        self._app: Application[object] = Application(env=env)
        self._talks: dict[int, Talk] = {}

    def save(self, bodies: list[bytes], batch: int) -> Took:
        """Each body becomes an event; `batch` of them to a `save`, from parsed JSON to the commit."""
        each: list[float] = []
        rest = iter(bodies)
        begin = time.perf_counter()
        while chunk := list(islice(rest, batch)):
            start = time.perf_counter()
            touched = {}
            for body in chunk:
                talk = self._said(body)
                touched[talk.id] = talk
            self._app.save(*touched.values())
            each += [time.perf_counter() - start] * len(chunk)
        return Took(len(bodies), time.perf_counter() - begin, each)

    def _said(self, body: bytes) -> Talk:
        message = json.loads(body)["message"]
        talk = self._talks.get(message["chat"]["id"])
        if talk is None:
            talk = self._talks[message["chat"]["id"]] = Talk()
        payload = {"type": "text", "text": message["text"], "id": message["message_id"]}
        talk.say(json.dumps(payload), body.decode())
        return talk

    def close(self) -> None:
        """Done."""
        self._app.close()
