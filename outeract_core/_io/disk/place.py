"""Where the file is: one absolute path, made when it is opened.

Knows: folders, what is no path of a file.
Does not know: SQLite, what is in the file, whether it still is that file (`marks.py`).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from ..._domain.values.classes import frozen
from ..._domain.values.paths import is_address, shown_path
from ...errors import BadInput

MEMORY = ":memory:"


@frozen
class Place:
    """`path`: absolute, or `:memory:`; `name`: how SQLite is given it; `files`: where bytes go.

    `folder`: the program's folder when the file was opened; relative paths mean that one for good.
    """

    path: str
    name: str
    files: str
    folder: str
    memory: bool = False

    def __str__(self) -> str:
        """What it is called in messages."""
        return shown_path(self.path)

    def at(self, path: str | os.PathLike[str]) -> Path:
        """A path that the host gives later: `~` is its home, a relative one begins where we began.

        Raises BadInput for the address of a server.
        """
        _refuse_address(str(path))
        return Path(self.folder) / Path(path).expanduser()


def place(path: Any) -> Place:
    """Make a path absolute. Raises BadInput."""
    text = _text(path)
    if text == MEMORY:
        import tempfile  # it reads a good dozen of modules, for what most files never need

        made = Path(tempfile.gettempdir()) / f"outeract-{secrets.token_hex(8)}"
        return Place(text, f"file:/{made.name}?vfs=memdb", str(made), _here(), memory=True)
    try:
        whole = str(Path(_here()) / Path(text).expanduser())
    except RuntimeError as error:
        raise BadInput(f"{shown_path(text)}: {error}") from error
    whole = os.path.normpath(whole)
    return Place(whole, whole, whole, _here())


def _text(path: Any) -> str:
    try:
        text = os.fsdecode(path)
        text.encode("utf-8")
    except TypeError:
        raise BadInput(f"a path is text or a Path, not {type(path).__name__}") from None
    except UnicodeError:
        told = shown_path(repr(path)[1:-1])
        raise BadInput(f"{told:.200} is no path in UTF-8; SQLite opens no other") from None
    _refuse_address(text)
    if not text or "\0" in text:
        raise BadInput(f"{shown_path(text)!r:.200} is no path of a file")
    return text


def _refuse_address(path: str) -> None:
    if is_address(path):
        raise BadInput(
            f"{shown_path(path)} is the address of a server, and this version keeps its store in an SQLite "
            "file: give the path of a file (./NAME for one that is called so)"
        )


def _here() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # the folder was removed: absolute paths still work
        return os.sep
