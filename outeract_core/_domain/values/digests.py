"""The name of bytes is their SHA-256: what is none names nothing, and bytes are believed that fit it.

Knows: how a digest is written, how bytes are opened without following a link to somewhere else.
Does not know: in which folder bytes lie, who wants them.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeAlias

from ...errors import ChecksumMismatch, FileError

__all__ = ["Digest", "as_they_lie", "opened", "read", "verify"]

Way: TypeAlias = Callable[[IO[bytes]], IO[bytes]]
"""From the bytes on the disk to those that the digest is of."""

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PIECE = 1024 * 1024
_PLAIN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_READ = _PLAIN | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = _PLAIN | getattr(os, "O_DIRECTORY", 0)


class Digest(str):
    """A SHA-256 in lower-case hexadecimal. Raises FileError for whatever else: a path, say."""

    __slots__ = ()

    def __new__(cls, text: Any) -> Digest:
        """The digest that `text` is."""
        if not isinstance(text, str) or not _HEX.fullmatch(text):
            raise FileError(f"{text!r:.80} is no SHA-256 in hexadecimal, so it names no bytes")
        return super().__new__(cls, text)


def as_they_lie(stream: IO[bytes]) -> IO[bytes]:
    """The bytes that are on the disk are those that were stored."""
    return stream


def opened(path: Path) -> IO[bytes]:
    """A plain file, for reading; neither it nor its folder may be a link.

    Raises FileError, and FileNotFoundError when it is not there.
    """
    try:
        handle = _handle(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FileError(f"{path} is not read: it is a link, or {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileError(f"{path} is not read: it is no plain file")
    return os.fdopen(handle, "rb")


def _handle(path: Path) -> int:
    if os.open not in os.supports_dir_fd:
        return os.open(path, _READ)
    folder = os.open(path.parent, _FOLDER)
    try:
        return os.open(path.name, _READ, dir_fd=folder)
    finally:
        os.close(folder)


def read(path: Path, digest: Digest, leaving: Way = as_they_lie) -> bytes:
    """All bytes of a file, when they are those of their digest.

    Raises FileError, ChecksumMismatch, FileNotFoundError.
    """
    with opened(path) as stream:
        data = leaving(stream).read()
    if hashlib.sha256(data).hexdigest() != digest:
        raise _other(path)
    return data


def verify(path: Path, digest: Digest, leaving: Way = as_they_lie) -> os.stat_result:
    """Read all of it and keep nothing; which file that was. Raises as `read` does."""
    found = hashlib.sha256()
    with opened(path) as stream:
        state = os.fstat(stream.fileno())
        told = leaving(stream)
        while piece := told.read(_PIECE):
            found.update(piece)
    if found.hexdigest() != digest:
        raise _other(path)
    return state


def _other(path: Path) -> ChecksumMismatch:
    return ChecksumMismatch(
        f"{path} does not hold the bytes that were stored; bring it back from a backup"
    )
