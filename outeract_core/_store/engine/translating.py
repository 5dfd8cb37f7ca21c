"""SQLite's errors as ours, each with its remedy.

Knows: what each of them means to the host. Does not know: which statement has failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from ..._domain.values.paths import shown_path
from ...errors import DiskFull, NotOurFile, ReadOnlyStore, StoreBusy, StoreCorrupt, StoreError


class TooLong(Exception):
    """A statement has taken more steps than it was given."""


class TooLarge(StoreError):
    """A value has more bytes than SQLite takes, or than this query was given."""


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn SQLite's errors into ours, each with its remedy."""
    try:
        yield
    except apsw.InterruptError as error:
        raise TooLong from error
    except apsw.FullError as error:
        raise DiskFull(f"{shown_path(path)}: no space left; free some and call again") from error
    except (apsw.ReadOnlyError, apsw.PermissionsError, apsw.AuthError) as error:
        raise ReadOnlyStore(
            f"{shown_path(path)} cannot be written; check the rights of it and its folder"
        ) from error
    except apsw.CantOpenError as error:
        raise ReadOnlyStore(
            f"{shown_path(path)} cannot be opened; check that its folder exists and is writable, and the rights of it"
        ) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreBusy(
            f"{shown_path(path)}: another process holds the write lock; try again"
        ) from error
    except apsw.NotADBError as error:
        raise NotOurFile(
            f"{shown_path(path)} is no SQLite database, or is damaged: {error}"
        ) from error
    except apsw.TooBigError as error:
        raise TooLarge(f"{shown_path(path)}: {error}; it is larger than SQLite takes") from error
    except (apsw.CorruptError, UnicodeDecodeError) as error:
        raise StoreCorrupt(f"{shown_path(path)}: {error}") from error
    except apsw.Error as error:
        raise StoreError(f"{shown_path(path)}: {type(error).__name__}: {error}") from error


def as_ours(path: str, error: BaseException) -> BaseException:
    """What an error is to the host."""
    try:
        with translated(path):
            raise error
    except BaseException as found:
        return found
    finally:
        del error  # it has come through this frame, and would be held by it
