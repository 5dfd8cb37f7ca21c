"""The key of a file, which is not in it: what webhook addresses and link codes follow from.

Knows: where it lies (`PATH.key`, its owner's alone), by which mark it is known again, what is derived.
Does not know: what is done with what is derived.

Whoever has a copy of the file, a backup or an export has nothing that opens a webhook, and nothing to
try link codes against. A key that is lost is told wherever it is needed, and nowhere else: the file
opens, and reads and sends, without it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from base64 import urlsafe_b64encode
from pathlib import Path

from attrs import field

from ..._domain.values.classes import define
from ...errors import BadInput, MissingSecret
from ...tenancy import Secret
from ..disk import private
from .references import Secrets

SHORTEST = 32
"""Characters of a key that the host gives."""
_ADVICE = (
    "put it back from where it is kept, or make a new one with `outeract new-key`: then every webhook "
    "has a new address, which its platform must be told, and link codes that were given out are void"
)


@define(eq=False)
class Key:
    """One file's key; `path`: where it lies, None: the host gives it, or it is in memory only.

    `fault`: why there is none.
    """

    path: Path | None = None
    fault: str | None = None
    _text: str = field(default="", repr=False)
    _hide: Secrets | None = field(default=None, repr=False)
    _known: dict[tuple[str, ...], bytes] = field(factory=dict, init=False, repr=False)
    _paths: dict[tuple[str, int], str] = field(factory=dict, init=False, repr=False)

    def __reduce__(self) -> str:
        raise TypeError("the key of a file is not pickled")

    @property
    def whose(self) -> str:
        """Who keeps it: `file` or `host`."""
        return "host" if self.path is None else "file"

    def webhook(self, webhook_id: str, version: int) -> str:
        """The secret in a webhook's path. Raises MissingSecret."""
        known = self._paths.get((webhook_id, version))
        if known is None:
            derived = self._derived("webhook", webhook_id, str(version))
            known = urlsafe_b64encode(derived[:24]).decode()
            if self._hide is not None:
                self._hide.hide(known)
            self._paths[webhook_id, version] = known
        return known

    def codes(self) -> bytes:
        """What link codes are hashed with. Raises MissingSecret."""
        return self._derived("link codes")

    @property
    def mark(self) -> bytes:
        """By which it is known again, and from which it cannot be found. Raises MissingSecret."""
        return self._derived("mark")[:16]

    def _derived(self, *what: str) -> bytes:
        if self.fault is not None:
            raise MissingSecret(self.fault)
        known = self._known.get(what)
        if known is None:
            label = b"outeract\0" + "\0".join(what).encode()
            known = self._known[what] = hmac.digest(self._text.encode(), label, hashlib.sha256)
        return known

    # ── where it comes from ───────────────────────────────────────────────────────────────────

    def known_by(self, mark: tuple[bytes, str] | None) -> Key:
        """Itself, if it is the one that the file knows; else a key with a fault."""
        if self.fault is not None or mark is None or hmac.compare_digest(mark[0], self.mark):
            return self
        what = f"the key in {self.path}" if self.path else "the key that was given (key=)"
        return Key(self.path, f"{what} is not that of this file; {_ADVICE}")


def given(secret: Secret, secrets_: Secrets) -> Key:
    """The host's own key. Raises BadInput for one that is too short, MissingSecret."""
    if not isinstance(secret, Secret):
        raise BadInput("key is a Secret, e.g. Secret.env('OUTERACT_KEY')")
    text = secrets_.reveal(secret).strip()
    if len(text) < SHORTEST:
        raise BadInput(f"key has {len(text)} characters; it needs {SHORTEST}, drawn at random")
    return Key(text=text, hide=secrets_)


def in_memory(secrets_: Secrets) -> Key:
    """A key for a database in memory."""
    return Key(text=secrets.token_hex(32), hide=secrets_)


def beside(path: Path, mark: tuple[bytes, str] | None, secrets_: Secrets) -> Key:
    """The key that lies at `path`; made when the file has had none yet."""
    if path.is_symlink():
        return Key(
            path, f"{path} is a link and not followed; take it away, or pass Secret.file as key="
        )
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        if mark is None:
            return made(path, secrets_, replace=False)
        if mark[1] == "host":
            return Key(path, "the program gives the key of this file: pass it (key=, --key)")
        return Key(path, f"the key {path} is not there; {_ADVICE}")
    except OSError as error:
        return Key(path, f"the key {path} cannot be read: {error.strerror}")
    except ValueError:
        return Key(path, f"the key {path} is not what was written there; {_ADVICE}")
    if len(text) < SHORTEST:
        return Key(path, f"the key {path} is cut off; {_ADVICE}")
    return Key(path, text=secrets_.hide(text), hide=secrets_)


def made(path: Path, secrets_: Secrets, *, replace: bool) -> Key:
    """A new key at `path`, whole or not at all; unless `replace`, that of who was faster."""
    text, part = secrets.token_hex(32), private.beside(path)
    try:
        with private.created(part) as out:
            out.write(f"{text}\n".encode())
            out.flush()
            os.fsync(out.fileno())
        if replace:
            part.replace(path)
        elif not _linked(part, path):
            text = path.read_text("ascii").strip()
        private.sync(path.parent)
    except OSError as error:
        return Key(path, f"the key {path} cannot be written: {error.strerror}")
    finally:
        part.unlink(missing_ok=True)
    return Key(path, text=secrets_.hide(text), hide=secrets_)


def _linked(part: Path, path: Path) -> bool:
    """Whether the name was free. Raises OSError."""
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    return True


def readable_by_others(path: Path) -> bool:
    """Whether somebody else on this machine may read it."""
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
