"""Content at rest: which content passes which door on its way to the disk and back.

Knows: the doors (payloads, raw items, names, and the bytes of files); what is asked of a codec, so that
one can be put there. There is none yet: content lies on the disk as it is, and passing costs nothing.
Does not know: ciphers, keys, SQL (`_store/engine/columns.py`), folders (`_io/disk/file_store.py`).
"""

from __future__ import annotations

from typing import IO, Literal, Protocol, TypeAlias, TypeVar

Door: TypeAlias = Literal["payload", "raw", "name"]
T = TypeVar("T", str, bytes)

COLUMNS: dict[str, dict[str, Door]] = {
    "event": {"payload": "payload", "raw": "raw"},
    "outbox": {"parts": "payload", "error": "raw"},
    "erasing": {"payload": "payload", "raw": "raw"},
    "raw_delivery": {"headers": "raw", "query": "raw", "body": "raw", "error": "raw"},
    "person": {"name": "name"},
    "puser": {"name": "name", "picture": "name"},
    "file": {"filename": "name", "handle": "raw", "error": "raw"},
    "profile": {"error": "raw"},
    "attempt": {"error": "raw"},
    "retry": {"error": "raw"},
}
"""By table, the columns of content and the door of each.

payload  what was said: an event's own, and what is still to be sent of it.
raw      what came as it came: items, kept deliveries, handles of files, and what was answered, or
         raised, when something went wrong, which may quote any of it.
name     what people are called, what they look like, how they have named a file.
"""


class Codec(Protocol):
    """What may be put into the doors. Text stays text, bytes stay bytes.

    What it has not written itself it hands out as it is: tombstones, and what was there before it came.
    """

    def shut(self, door: Door, content: T) -> T:
        """As it is to lie in a column; never the same text twice, if a cipher is to hide what is alike."""

    def open(self, door: Door, content: T) -> T:
        """As it was before `shut`."""

    def entering(self, out: IO[bytes]) -> IO[bytes]:
        """A stream that writes bytes of a file into `out`, all of them once it is flushed."""

    def leaving(self, stream: IO[bytes]) -> IO[bytes]:
        """A stream, one that can seek, of what `entering` was given."""
