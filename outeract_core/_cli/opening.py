"""How commands open a file, find its applications and read a time; and how they show progress.

Knows: that a command must not create a file, nor register anything.
Does not know: what is asked.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from .._api.app import App
from .._api.outeract import Outeract
from .._domain.values.paths import shown_path
from .._io.disk.place import place
from .._store.records.conn import Conn
from .._store.transfer import importing
from .._store.writing import tenants
from ..errors import BadInput, NotFound, UnfinishedImport
from ..tenancy import Secret
from .printing import rewrite


@contextmanager
def opened(path: str, key: str | None = None) -> Iterator[Outeract]:
    """The store at `path`; `key`: the name of the one that its program gives. Raises NotFound instead
    of creating it, BadInput, MissingSecret.
    """
    if not Path(place(path).path).exists():
        raise NotFound(f"there is no file {shown_path(path)}")
    core = Outeract(path, key=None if key is None else _named(key))
    try:
        yield core
    finally:
        core.close()


def _named(key: str) -> Secret:
    scheme, _, name = key.partition(":")
    if scheme not in ("env", "file") or not name:
        raise BadInput("--key is env:NAME or file:PATH")
    return Secret(scheme, name)


def applications(core: Outeract, wanted: str | None) -> list[App]:
    """All applications of the file, or the one that is named. Raises NotFound."""
    rows = core.runtime.database.read(lambda tx: tx.all(tenants.APPLICATIONS))
    names = [(organisation, name) for _id, name, organisation in rows]
    if wanted is not None:
        names = [(o, n) for o, n in names if wanted in (n, f"{o}/{n}")]
    if not names:
        half = core.runtime.database.read(importing.unfinished)
        if half and wanted in (None, *half, *(name.split("/", 1)[-1] for name in half)):
            raise UnfinishedImport(
                f"{', '.join(half)}: run outeract import again, with the same file"
            )
        raise NotFound(f"no application {wanted or ''} in {shown_path(core.path)}")
    return [core.app(name, organisation=organisation) for organisation, name in names]


def one(core: Outeract, wanted: str | None) -> App:
    """The application that is named, or the only one. Raises NotFound, BadInput."""
    found = applications(core, wanted)
    if len(found) > 1:
        names = ", ".join(f"{app.organisation}/{app.name}" for app in found)
        raise BadInput(f"the file has several applications; choose one with --app: {names}")
    return found[0]


def one_connection(core: Outeract, which: str, among: Collection[int] | None = None) -> Conn:
    """The connection of this id or name, of the applications `among` when they are given.

    Raises BadInput for none and for several.
    """
    conns = [conn for conn in core.runtime.conns() if among is None or conn.app in among]
    found = [c for c in conns if which in (str(c.entity.id), c.entity.name)]
    found = found or [c for c in conns if c.platform == which]
    if len(found) != 1:
        names = ", ".join(f"{c.entity.name} ({c.entity.id})" for c in found or conns)
        what = "several connections are" if found else "no connection is"
        raise BadInput(f"{what} called {which!r:.80}; give the id of one: {names}")
    return found[0]


def moment(given: str | None, option: str) -> datetime | None:
    """A time as ISO 8601 has it; without a zone it is local. Raises BadInput, naming the option."""
    try:
        return None if given is None else datetime.fromisoformat(given).astimezone()
    except (ValueError, OverflowError):
        raise BadInput(
            f"{option} is a time like 2026-05-01 or 2026-05-01T12:00, not {given!r:.80}"
        ) from None


class Progress:
    """A line on stderr that tells once a second how far something is."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._said = time.monotonic()
        self._wrote = False

    def __call__(self, done: int | str) -> None:
        """So far: shown when a second has passed since the last line."""
        now = time.monotonic()
        if now - self._said >= 1.0:
            self._said, self._wrote = now, True
            rewrite(f"{self._what}: {done} …")

    def end(self) -> None:
        """Finish the line, if there is one."""
        if self._wrote:
            rewrite("", over=True)
