"""Bytes per message: the file with all its indexes, against the bytes of payload and raw item alone.

Knows: how big the world was when it held nothing but messages.
Does not know: what each index is for.
"""

from __future__ import annotations

from pathlib import Path

import anyio
import apsw

from outeract_core import Outeract

from ..ground import traffic, world
from ..measure import BYTES, Figure, Options, Result, at_most, over, told
from ..progress import progress

_DETAILED = 1_000_000
"""Up to this size it is also told what each table and index takes; that reads every page."""


def run(options: Options) -> Result:
    """Nothing is timed, so one look is enough."""
    built = world.ready(options)
    progress("size: adding up payloads")
    content = _content(built.path) / options.size
    figures = {
        "message": Figure(round(built.bytes / options.size, 1), unit=BYTES, rows=options.size),
        "payload_and_raw": Figure(round(content, 1), unit=BYTES, rows=options.size),
    }
    ratio = over(figures, "message", "payload_and_raw")
    indexed = anyio.run(_indexed, world.copied(built, options.scratch))
    index = round(indexed / options.size, 1)
    figures["search_index"] = Figure(index, unit=BYTES, rows=options.size)
    result = Result(
        "size", options.size, figures,
        told({"of_payload_and_raw": ratio, "search_index_bytes": index}),
        [at_most("of_payload_and_raw", ratio, 1.55), at_most("search_index_bytes", index, 110)],
    )  # fmt: skip
    if options.size <= _DETAILED:
        result.extra["bytes_per_message_by_table"] = _detail(built.path, options.size)
    return result


async def _indexed(path: Path) -> int:
    """By how many bytes a file grows when its texts are indexed for search."""
    before = path.stat().st_size
    progress("size: indexing for search")
    async with Outeract(path) as core:
        app, _connection = traffic.connected(core)
        await app.search("nothing")
        await core.runtime.database.truncate_log()
        return path.stat().st_size - before


def _content(path: Path) -> int:
    """Bytes of payload and raw item of all messages."""
    db = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    total: int = db.execute(
        "SELECT sum(octet_length(payload) + coalesce(octet_length(raw), 0)) FROM event e"
        " JOIN kind k ON k.id = e.type WHERE k.name = 'message.inbound'"
    ).fetchall()[0][0]
    db.close()
    return total


def _detail(path: Path, size: int) -> dict[str, float]:
    """What each table and index takes of a message; the events that are no messages are in it."""
    db = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    try:
        found = db.execute(
            "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY sum(pgsize) DESC LIMIT 12"
        ).fetchall()
    except apsw.SQLError:
        return {}
    finally:
        db.close()
    return {name: round(total / size, 1) for name, total in found}
