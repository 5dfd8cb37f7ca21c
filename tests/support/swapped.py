"""A codec that turns all content into something else, and a store whose file suits one.

Knows: what the doors ask of a codec, what of the file looks at content as it lies there.
Does not know: ciphers: it hides nothing from anybody, it only leaves no word as it was.
"""

from __future__ import annotations

import base64
import io
import secrets
from pathlib import Path
from typing import IO, Any

from outeract_core._domain.values.at_rest import COLUMNS, Door
from tests.support.store.opening import raw

__all__ = ["MARK", "Swapped", "as_it_was", "suited"]

MARK = "swapped:"
_LONG = 8


class Swapped:
    """Another text each time, of other letters; what has no mark was not made here."""

    def shut(self, door: Door, content: Any) -> Any:
        """The mark, the door, eight bytes of chance, and the content mixed with them."""
        if isinstance(content, bytes):
            return MARK.encode() + _mixed(content)
        mixed = _mixed(content.encode("utf-8", "surrogatepass"))
        return f"{MARK}{door}:{base64.b85encode(mixed).decode()}"

    def open(self, door: Door, content: Any) -> Any:
        """The content; what went in by another door is a fault."""
        if isinstance(content, bytes):
            return _unmixed(content[len(MARK) :]) if content.startswith(MARK.encode()) else content
        if not content.startswith(MARK):
            return content
        _, through, text = content.split(":", 2)
        assert through == door, f"in by {through}, out by {door}"
        return _unmixed(base64.b85decode(text)).decode("utf-8", "surrogatepass")

    def entering(self, out: IO[bytes]) -> IO[bytes]:
        """Keeps everything until it is flushed."""
        return _Entering(out)  # type: ignore[abstract]

    def leaving(self, stream: IO[bytes]) -> IO[bytes]:
        """What was kept."""
        with stream:
            return io.BytesIO(self.open("raw", stream.read()))


class _Entering(io.BytesIO):
    def __init__(self, out: IO[bytes]) -> None:
        super().__init__()
        self._out = out

    def flush(self) -> None:
        if not self._out.closed and self.getvalue():
            self._out.seek(0)
            self._out.write(Swapped().shut("raw", self.getvalue()))
            self._out.flush()

    def fileno(self) -> int:
        return self._out.fileno()

    def close(self) -> None:
        self._out.close()
        super().close()


def _mixed(content: bytes) -> bytes:
    chance = secrets.token_bytes(_LONG)
    return chance + bytes(byte ^ chance[at % _LONG] ^ 0x80 for at, byte in enumerate(content))


def _unmixed(content: bytes) -> bytes:
    chance = content[:_LONG]
    return bytes(byte ^ chance[at % _LONG] ^ 0x80 for at, byte in enumerate(content[_LONG:]))


def suited(path: Path) -> None:
    """What a codec would bring along: the file itself compares no content, and has no index."""
    with raw(path) as db:
        db.execute("DROP TRIGGER event_no_update")


def as_it_was(path: Path) -> None:
    """The store at `path` with all its content as it was before it passed the doors."""
    codec = Swapped()
    with raw(path) as db, db:
        db.execute("DROP TRIGGER IF EXISTS event_no_update")
        for table, columns in COLUMNS.items():
            for column, door in columns.items():
                db.create_scalar_function("opened", _opening(codec, door), 1)
                db.execute(
                    f"UPDATE {table} SET {column} = opened({column}) WHERE {column} IS NOT NULL"
                )
    for blob in Path(f"{path}.files").glob("??/*"):
        blob.write_bytes(codec.open("raw", blob.read_bytes()))


def _opening(codec: Swapped, door: Door) -> Any:
    return lambda content: codec.open(door, content)
