"""Finds adapters by entry point and keeps one instance per connection.

Knows: the entry-point group, how a secret reference is followed.
Does not know: any platform.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..adapter import Adapter, Manifest, Settings
from ..errors import BadInput, MissingSecret, UnknownPlatform
from .log import struck

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "outeract_core.adapters"
_PEM = "-----BEGIN "
"""RFC 7468: a key that an adapter signs with is no header, and has many lines."""
HOST = "host:"
"""A reference to a secret that the host hands over at every start; only the name is stored."""

SecretSource = Callable[[str], str]


class Plugins:
    """Adapter classes by platform name; loaded when first asked for."""

    def __init__(self) -> None:
        self._found: dict[str, EntryPoint] | None = None
        self._classes: dict[str, type[Adapter]] = {}

    def names(self) -> list[str]:
        """Every registered platform."""
        return sorted({*self._entries(), *self._classes})

    def register(self, platform: str, adapter: type[Adapter]) -> None:
        """Add a class by hand (tests, a bot's own adapter); it goes before an entry point."""
        self._classes[platform] = adapter

    def load(self, platform: str) -> type[Adapter]:
        """The adapter class. Raises UnknownPlatform, naming what there is."""
        if platform not in self._classes:
            entry = self._entries().get(platform)
            if entry is None:
                raise UnknownPlatform(
                    f"no adapter for {platform!r}; registered: {', '.join(self.names()) or 'none'}. "
                    f"Install one that has the entry point {GROUP!r}"
                )
            self._classes[platform] = entry.load()
        return self._classes[platform]

    def _entries(self) -> dict[str, EntryPoint]:
        if self._found is None:
            from importlib.metadata import entry_points

            self._found = {entry.name: entry for entry in entry_points(group=GROUP)}
        return self._found


class Secrets:
    """Follows references: `env:NAME`, `file:/path`, `host:…`, and what the host adds."""

    def __init__(
        self, sources: Mapping[str, SecretSource] | None = None, at: Callable[[Any], Path] = Path
    ) -> None:
        """`at`: makes a path absolute."""
        self._sources = {
            "env": _from_env, "file": lambda name: _from_file(at(name)), **(sources or {}),
        }  # fmt: skip
        self._given: dict[str, str] = {}
        self._resolved: set[str] = set()

    def is_reference(self, value: str) -> bool:
        """Whether `value` names a secret instead of being one."""
        return value.partition(":")[0] in {*self._sources, "host"} and ":" in value

    def give(self, name: str, value: str) -> str:
        """Keep a literal secret in memory only; the reference that may be stored."""
        self._given[name] = value
        self._resolved.add(value)
        return HOST + name

    def redact(self, text: str) -> str:
        """`text` without any secret that was ever given or resolved here."""
        return struck(text, self._resolved)

    def resolve(self, reference: str) -> str:
        """The secret. Raises MissingSecret; the value is in no message."""
        value = self._value(reference)
        self._resolved.add(value)
        return value

    def _value(self, reference: str) -> str:
        scheme, _, name = reference.partition(":")
        if scheme == "host":
            if name not in self._given:
                raise MissingSecret(
                    f"the secret {name} was given to connect() as text, so it is not in the file: "
                    "give it again at every start, or pass a reference such as 'env:NAME'"
                )
            return _one_line(self._given[name], reference)
        source = self._sources.get(scheme)
        if source is None:
            raise MissingSecret(f"no source for secrets called {scheme!r}")
        return _one_line(source(name), reference)


def _one_line(value: str, reference: str) -> str:
    """The value, which goes into headers and URLs. Raises MissingSecret for what fits into neither."""
    value = value.strip()
    if not value.startswith(_PEM) and any(
        ord(character) < 32 or ord(character) == 127 for character in value
    ):
        raise MissingSecret(f"the secret {reference} has a line break or control character in it")
    return value


def _from_env(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise MissingSecret(f"the environment variable {name} is not set")
    return value


def _from_file(name: Path) -> str:
    try:
        return name.read_text("utf-8").strip()
    except OSError as error:
        raise MissingSecret(f"the secret's file {name} cannot be read: {error.strerror}") from error


def checked_config(
    manifest: Manifest, config: Mapping[str, Any], secrets: Secrets, scope: str
) -> dict[str, Any]:
    """The config that may be stored: known names only, secrets as references. Raises BadInput."""
    known = {*manifest.config, "keep_raw", "poll", "base_url"}
    for name in config:
        if name not in known:
            raise BadInput(
                f"{manifest.platform} has no config {name!r}; there are {', '.join(sorted(known))}"
            )
    missing = [name for name in manifest.required if not config.get(name)]
    if missing:
        what = "; ".join(f"{name}: {manifest.config.get(name, '')}" for name in missing)
        raise BadInput(f"{manifest.platform} needs {what}")
    return {
        name: _stored(name, value, manifest, secrets, scope)
        for name, value in config.items()
        if value is not None
    }


def marks_of(
    manifest: Manifest, account: str | None, config: Mapping[str, Any], secrets: Secrets
) -> list[str]:
    """What identifies the account, as far as it can be told now: a secret that is not there cannot."""
    found = []
    for name in manifest.identity:
        value = config.get(name) or (account if name == manifest.account_key else None)
        if value and name in manifest.secrets:
            try:
                value = secrets.resolve(value)
            except MissingSecret:
                continue
        if value:
            found.append(f"{manifest.platform}\0{name}\0{value}")
    return found


def _stored(name: str, value: Any, manifest: Manifest, secrets: Secrets, scope: str) -> Any:
    if name not in manifest.secrets:
        return value
    if not isinstance(value, str) or not value:
        raise BadInput(f"{manifest.platform}: {name} must be text, e.g. 'env:NAME'")
    return value if secrets.is_reference(value) else secrets.give(f"{scope}/{name}", value)


def settings(
    platform: str, account: str | None, config: Mapping[str, Any], secrets: Secrets
) -> Settings:
    """What an adapter is given."""
    return Settings(platform, account, dict(config), secrets.resolve)
