"""A world of many messages, made of one of fewer: everybody says everything again, later and under new ids.

Knows: which rows an inbound message of `traffic` is, and what in them is its own: key, id, number, times.
Does not know: who has written the first of them (the library has), what else a world holds.

The rows are those that the library writes, in its tables, past its triggers; only the way there is shorter.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from ..progress import progress

_EVENTS = """
INSERT INTO event(seq, id, conn, type, occurred_at, created_at, dk, payload, raw)
SELECT seq + :keys, later(id, :ms), conn, type, occurred_at + :count * 1000, created_at + :ms, new,
  replace(payload, '_id":"' || dk || '"', '_id":"' || new || '"'),
  replace(replace(replace(raw, '"update_id":' || n || ',', '"update_id":' || (n + :count) || ','),
    '"message_id":' || n || ',', '"message_id":' || (n + :count) || ','),
    '"date":' || (occurred_at / 1000) || ',', '"date":' || (occurred_at / 1000 + :count) || ',')
FROM (SELECT *, CAST(dk AS INTEGER) AS n, (CAST(dk AS INTEGER) + :count) || substr(dk, instr(dk, ':')) AS new
      FROM event WHERE seq <= :last ORDER BY seq)
"""
_EDGES = """
INSERT INTO edge(dst, type, src, at)
SELECT dst, type, src + :keys, at FROM edge WHERE src <= :last ORDER BY dst, type, src
"""
_ENTRIES = """
INSERT INTO entry(peer, event) SELECT peer, event + :keys FROM entry WHERE event <= :last ORDER BY peer, event
"""
_CONVERSATIONS = """
UPDATE conversation SET last = last + :keys, inbound = inbound * :times, unread = unread * :times
"""
_COUNTER = "UPDATE counter SET value = value * :times WHERE owner > 0"
_STANDING = """
SELECT (SELECT value FROM counter WHERE owner > 0), (SELECT max(seq) FROM event),
  (SELECT max(created_at) - min(created_at) + 1000 FROM event), (SELECT count(*) FROM event)
"""


def multiply(path: Path, times: int) -> None:
    """So many times as many messages, in a closed file that holds nothing but messages of `traffic`."""
    db = apsw.Connection(str(path))
    db.execute(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA wal_autocheckpoint = 100000"
    )
    db.create_scalar_function("later", later, 2, deterministic=True)
    keys, last, ms, count = db.execute(_STANDING).fetchone()  # type: ignore[misc]
    for number in range(1, times):
        progress(f"building: the messages once more, {number} of {times - 1}")
        step = {"keys": keys * number, "ms": ms * number, "count": count * number, "last": last}
        with db:
            for sql in (_EVENTS, _EDGES, _ENTRIES):
                db.execute(sql, step)
    with db:
        db.execute(_CONVERSATIONS, {"keys": keys * (times - 1), "times": times})
        db.execute(_COUNTER, {"times": times})
    db.close()


def later(uid: bytes, ms: int) -> bytes:
    """An id (UUIDv7) as it would have been made so many milliseconds later."""
    return (int.from_bytes(uid[:6], "big") + ms).to_bytes(6, "big") + uid[6:]
