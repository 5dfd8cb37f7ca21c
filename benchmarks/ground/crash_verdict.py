"""What must be true when all is over: said by plain SQL about the file, and by what the platform saw.

Knows: the file's tables, the tokens of the messages that arrived.
Does not know: how the children lived and died; the library is not asked.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw
from attrs import asdict, frozen

from outeract_core.testing import FakePlatform

_SENT = ("sent", "delivered", "read")


@frozen
class Verdict:
    """How often each thing happened that must not, and how often nobody can know.

    lost                 acknowledged without an event or a reply; told as sent, and never arrived;
                         neither sent nor told as anything else.
    doubled              more than one event of a message, or more than one reply.
    doubled_at_platform  copies of a part that arrived.
    out_of_order         parts that arrived in a chat after a later one.
    unknown              parts told as unknown; `unknown_arrived`: of these, so many had arrived.
    """

    lost: int
    doubled: int
    doubled_at_platform: int
    out_of_order: int
    unknown: int
    unknown_arrived: int
    parts: int
    problems: list[str]

    @property
    def well(self) -> bool:
        """Whether nothing happened that must not."""
        return not (
            self.lost or self.doubled or self.doubled_at_platform or self.out_of_order
            or self.problems
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """By name."""
        return asdict(self)


def judged(path: Path, acknowledged: set[int], fake: FakePlatform) -> Verdict:
    """The verdict on a file, on what its program acknowledged, and on what its platforms saw."""
    db = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    inbound, replies = (Counter(_numbers(db, f"message.{way}")) for way in ("inbound", "outbound"))
    arrived = Counter(str(one.correlation) for one in fake.sent() if one.correlation)
    parts = _parts(db)
    unknown = {token for token, status in parts.items() if status == "unknown"}
    missing = [t for t, s in parts.items() if (s in _SENT and t not in arrived) or s == "queued"]
    twice = [count - 1 for count in [*inbound.values(), *replies.values()] if count > 1]
    unheard = [n for n in acknowledged if not inbound[n] or not replies[n]]
    verdict = Verdict(
        lost=len(unheard) + len(missing),
        doubled=sum(twice),
        doubled_at_platform=sum(count - 1 for count in arrived.values()),
        out_of_order=_out_of_order(db, fake),
        unknown=len(unknown),
        unknown_arrived=len(unknown & set(arrived)),
        parts=len(parts),
        problems=[row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"],
    )
    db.close()
    return verdict


def _numbers(db: apsw.Connection, kind: str) -> list[int]:
    """The numbers of all messages of a type."""
    rows = db.execute(
        "SELECT e.payload ->> '$.message.text' FROM event e JOIN kind k ON k.id = e.type"
        " WHERE k.name = ?",
        (kind,),
    )
    found = [re.search(r"message (\d+)", text) for (text,) in rows]
    return [int(match[1]) for match in found if match]


def _parts(db: apsw.Connection) -> dict[str, str]:
    """Every part of every reply by its token, with what the file says of it."""
    said: dict[tuple[int, int], str] = {}
    for event, part, status in db.execute("SELECT event, part, status FROM part"):
        said[event, part] = status
    for event, part, status in db.execute("SELECT event, part, status FROM receipt"):
        said[event, part] = status
    rows = db.execute(
        "SELECT e.seq, e.id, d.parts FROM delivery d JOIN event e ON e.seq = d.event"
    ).fetchall()
    return {
        f"{UUID(bytes=uid).hex}.{part}": said.get((seq, part), "queued")
        for seq, uid, parts in rows
        for part in range(parts)
    }


def _out_of_order(db: apsw.Connection, fake: FakePlatform) -> int:
    places = {UUID(bytes=uid).hex: seq for seq, uid in db.execute("SELECT seq, id FROM event")}
    last: dict[tuple[str, str], tuple[int, int]] = {}
    wrong = 0
    for one in fake.sent():
        event, _, part = str(one.correlation or "").partition(".")
        if event in places:
            place, chat = (places[event], int(part)), (one.platform, one.chat)
            wrong += place < last.get(chat, (0, 0))
            last[chat] = max(place, last.get(chat, (0, 0)))
    return wrong
