"""Files and folders that only their owner may read, whatever the umask; and no link is followed.

Knows: rights, exclusive creation, what it takes until a name is on the disk.
Does not know: what is in them.
"""

from __future__ import annotations

import os
import secrets
from io import BufferedWriter
from pathlib import Path

from ...errors import FileError

FILE, FOLDER = 0o600, 0o700
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
_NEW |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def folder(path: Path) -> Path:
    """Make a folder, and those above it, unless it is there. Raises FileError for a link, OSError."""
    try:
        path.mkdir(FOLDER)
    except FileNotFoundError:
        folder(path.parent)
        return folder(path)
    except FileExistsError:
        if not path.is_dir():
            raise FileError(f"{path} is no folder; take it away") from None
    else:
        path.chmod(FOLDER)
    return path


def inner(path: Path) -> Path:
    """`folder` for one whose place is ours: there, nobody else has a link to put. Raises FileError."""
    if path.is_symlink():
        raise FileError(f"{path} is a link and not followed; take it away")
    return folder(path)


def beside(path: Path) -> Path:
    """A name nobody can foresee, in the folder of `path`, for what becomes `path` when it is whole."""
    return path.with_name(f".{path.name}.part-{secrets.token_hex(8)}")


def created(path: Path) -> BufferedWriter:
    """A new file for writing. Raises FileExistsError when there is anything of that name, OSError."""
    handle = os.open(path, _NEW, FILE)
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(handle, FILE)  # the umask may have taken more
        return os.fdopen(handle, "wb")
    except BaseException:
        os.close(handle)
        raise


def sync(path: Path) -> None:
    """A file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
