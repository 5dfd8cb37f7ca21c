"""The file that an export writes: lines in blocks, each closed by a checksum, all of it signed.

Knows: blocks, SHA-256, HMAC, gzip.
Does not know: what the lines mean, threads, the database, how it is read (`import_file.py`).

A line `{"check": …}` has the number of lines before it and the SHA-256 of them all, itself not
included; `{"end": …}` is the last of them. So whatever was changed, left out or moved shows in the
block where it is, and nothing of that block, or of any other, is believed. Whoever changes the file
can make the checksums anew, but not `hmac` in the last line, which is over all that is before it.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import IO, Any, cast

from ..._io.disk import private
from ...errors import BadInput

BLOCK = 4 * 1024 * 1024
"""Characters after which a block is closed: about 4,000 messages, one transaction of the import."""
_SHORTEST = 16


# ── writing ───────────────────────────────────────────────────────────────────────────────────


class Writer:
    """Lines on their way into a stream."""

    def __init__(self, out: IO[bytes]) -> None:
        self.lines = 0
        self._out = out
        self._digest = hashlib.sha256()
        self._pending: list[str] = []
        self._size = 0

    def add(self, line: str) -> bool:
        """The next line; True when it has closed a block."""
        self._pending.append(line)
        self._size += len(line)
        if self._size < BLOCK:
            return False
        self.check()
        return True

    def check(self) -> None:
        """Close the block, unless nothing is in it."""
        if self._pending:
            self._write()
            self._close("check", {"lines": self.lines})

    def end(self, counts: dict[str, int], key: bytes | None = None) -> str:
        """Close the file, signed when there is a key; the SHA-256 over all lines before the last."""
        self._write()
        return self._close("end", {"lines": self.lines, "counts": counts}, key)

    def _write(self) -> None:
        if self._pending:
            data = ("\n".join(self._pending) + "\n").encode()
            self._digest.update(data)
            self._out.write(data)
            self.lines += len(self._pending)
            self._pending, self._size = [], 0

    def _close(self, name: str, facts: dict[str, Any], key: bytes | None = None) -> str:
        digest = self._digest.hexdigest()
        facts = {**facts, "sha256": digest}
        if key is not None:
            facts["hmac"] = signature(key, facts)
        data = f"{_compact({name: facts})}\n".encode()
        self._digest.update(data)
        self._out.write(data)
        self.lines += 1
        return digest


def signing_key(key: str | bytes | None) -> bytes | None:
    """What is signed with. Raises BadInput for what is too short to be secret."""
    if key is None:
        return None
    made = key.encode() if isinstance(key, str) else bytes(key)
    if len(made) < _SHORTEST:
        raise BadInput(f"a key to sign with has at least {_SHORTEST} bytes: secrets.token_hex(32)")
    return made


def signature(key: bytes, end: dict[str, Any]) -> str:
    """HMAC-SHA256 over the facts of the last line, and by their SHA-256 over all lines before."""
    facts = {name: value for name, value in end.items() if name != "hmac"}
    return hmac.new(key, b"outeract export\n" + _compact(facts).encode(), "sha256").hexdigest()


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def opened_for_writing(path: Path, zipped: bool) -> IO[bytes]:
    """A new file, its owner's alone; `zipped`: gzip, the same bytes whenever it is written."""
    raw = private.created(path)
    if not zipped:
        return raw
    return cast("IO[bytes]", Owning(raw, filename="", mode="wb", compresslevel=4, mtime=0))


class Owning(gzip.GzipFile):
    """gzip that closes the file under it."""

    def __init__(self, raw: IO[bytes], **options: Any) -> None:
        super().__init__(fileobj=raw, **options)
        self._raw = raw

    def close(self) -> None:
        """End the stream, then the file."""
        try:
            super().close()
        finally:
            self._raw.close()


def sync(stream: IO[bytes]) -> None:
    """What was written is on the disk."""
    stream.flush()
    os.fsync(stream.fileno())
