"""Follows the names of secrets: `env:NAME`, `file:/path`, and the host's own sources.

Knows: which names may be followed at all, which values must never be shown.
Does not know: connections (`configs.py`), what a secret is for.

Who writes a config must not thereby read what the program can read. So a `Secret` is what code has
said; text that looks like a name is one only as far as `references` of `Outeract` says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ..._domain.rules.guard import guarded
from ..._domain.values.sinks import worded
from ...errors import BadInput, MissingSecret
from ...tenancy import Secret
from .striking import struck

HOST = "host:"
"""The reference to a text that the host hands over at every start; it leads nowhere by itself."""
References: TypeAlias = Literal["code"] | Sequence[str] | None
SecretSource = Callable[[str], str]
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PEM = "-----BEGIN "
"""RFC 7468: a key that an adapter signs with is no header, and has many lines."""


class Secrets:
    """The sources, who may refer to them, and every value that was ever seen."""

    def __init__(
        self, sources: Mapping[str, SecretSource] | None = None, at: Callable[[Any], Path] = Path,
        references: References = None,
    ) -> None:  # fmt: skip
        """`at`: makes a path absolute. Raises BadInput for `references` that say nothing."""
        self._sources = {
            "env": _from_env, "file": lambda name: _from_file(at(name)), **(sources or {}),
        }  # fmt: skip
        self._at = at
        self._allowed = None if references is None else self._prefixes(references)
        self._said: set[str] = set()
        self._seen: set[str] = set()

    # ── what may be named ─────────────────────────────────────────────────────────────────────

    def named(self, value: Any, where: str) -> tuple[str, str | None]:
        """What was given as a secret: the reference to store, and the text to keep in memory.

        Raises BadInput for what is neither, and for a name that may not be referred to.
        """
        if isinstance(value, Secret):
            return self._code(value, where)
        if not isinstance(value, str) or not value.strip():
            raise BadInput(f"{where} must be a Secret or text, e.g. Secret.env('NAME')")
        scheme, colon, _ = value.partition(":")
        if value.startswith(HOST):
            raise BadInput(f"{where}: {HOST}… is no reference to give; give the secret itself")
        if not colon or scheme not in self._sources:
            return HOST, self.hide(value)
        if not self._may(value):
            raise BadInput(f"{where}: {self._refusal(value)}")
        return value, None

    def _code(self, secret: Secret, where: str) -> tuple[str, str | None]:
        if secret.scheme == "text":
            return HOST, self.hide(secret.name)
        if secret.scheme not in self._sources:
            raise BadInput(f"{where}: no source for secrets called {secret.scheme!r}")
        self._said.add(secret.reference)
        return secret.reference, None

    def _prefixes(self, references: Any) -> tuple[str, ...]:
        if references == "code":
            return ()
        wrong = isinstance(references, str) or not all(
            isinstance(one, str) and one.partition(":")[0] in self._sources and ":" in one
            for one in references
        )
        if wrong:
            raise BadInput(
                "references is 'code', or prefixes of names, e.g. ['env:BOT_', 'file:/run/secrets/']"
            )
        return tuple(self._plain(one) for one in references)

    def _may(self, reference: str) -> bool:
        """Whether text may refer to this: everything, when nothing was said."""
        if self._allowed is None or reference in self._said:
            return True
        if not self._allowed or _climbs(reference):
            return False
        return self._plain(reference).startswith(self._allowed)

    def _plain(self, reference: str) -> str:
        """The name in one form: a path from the root, wherever the program began."""
        scheme, _, name = reference.partition(":")
        if scheme != "file" or not name:
            return reference
        folder = os.sep if name.endswith(os.sep) else ""
        return f"file:{os.path.normpath(self._at(name))}{folder}"

    def _refusal(self, reference: str) -> str:
        return (
            f"{reference} is a name that this program does not let a config refer to (references=); "
            "where code means it, write Secret.env('NAME') or Secret.file('/path')"
        )

    # ── what it leads to ──────────────────────────────────────────────────────────────────────

    def follow(self, reference: str) -> str:
        """The secret. Raises MissingSecret; the value is in no message."""
        scheme, _, name = reference.partition(":")
        source = self._sources.get(scheme)
        if source is None:
            raise MissingSecret(f"no source for secrets called {scheme!r}")
        if not self._may(reference):
            raise MissingSecret(self._refusal(reference))
        return self.hide(one_line(_asked(source, name, scheme), reference))

    def reveal(self, secret: Secret) -> str:
        """What code has named, or given. Raises BadInput, MissingSecret."""
        reference, text = self._code(secret, "the secret")
        return self.follow(reference) if text is None else text

    def hide(self, value: str) -> str:
        """The value, without space around it: from now on it is struck out of everything that is told."""
        value = value.strip()
        self._seen.add(value)
        return value

    def redact(self, text: str) -> str:
        """`text` without any secret that was ever given or followed here."""
        return struck(text, self._seen)


def _asked(source: SecretSource, name: Any, scheme: str) -> str:
    """What a source says. Raises MissingSecret: what fails now may be there in a minute."""
    try:
        with guarded:
            value: object = source(name)
    except MissingSecret:
        raise
    except Exception as error:
        why = worded(error)
        raise MissingSecret(f"the source {scheme!r} of secrets has failed: {why}") from error
    if not isinstance(value, str):
        what = type(value).__name__
        raise MissingSecret(f"the source {scheme!r} of secrets gave {what} where text is expected")
    return value


def _climbs(reference: str) -> bool:
    """Whether a path goes up: where that leads, links on the disk decide."""
    scheme, _, name = reference.partition(":")
    return scheme == "file" and ".." in Path(name).parts


def one_line(value: str, what: str) -> str:
    """The value, which goes into headers and URLs. Raises MissingSecret for what fits into neither."""
    value = value.strip()
    if _CONTROL.search(value) and not value.startswith(_PEM):
        raise MissingSecret(f"the secret {what} has a line break or control character in it")
    return value


def _from_env(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise MissingSecret(f"the environment variable {name} is not set")
    return value


def _from_file(name: Path) -> str:
    try:
        return name.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise MissingSecret(f"the secret's file {name} cannot be read: {why}") from None
