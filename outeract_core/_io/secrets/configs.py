"""What `connect` was given, as it may be stored; and each connection's own secrets, for its adapter.

Knows: that a secret is stored as its name, that a text belongs to one connection, by its id.
Does not know: where secrets come from (`references.py`), any platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import Factory

from ..._domain.values.classes import define, frozen
from ...errors import BadInput, MissingSecret
from ...tenancy import ConnectionId, PlatformConnection
from .references import HOST, Secrets, one_line

if TYPE_CHECKING:
    from ...adapter import Manifest, Settings


@frozen
class Given:
    """`config`: what may be stored; `texts`: secrets that were given as text, by name."""

    config: dict[str, Any]
    texts: dict[str, str] = Factory(dict)

    def __repr__(self) -> str:
        return f"<Given {', '.join(sorted(self.config))}>"


def checked(manifest: Manifest, config: Mapping[str, Any], secrets: Secrets) -> Given:
    """Known names only, secrets as references, no space around what is text. Raises BadInput."""
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
    given = Given({})
    for name, value in config.items():
        if value is not None:
            _take(given, manifest, name, value, secrets)
    return given


def _take(given: Given, manifest: Manifest, name: str, value: Any, secrets: Secrets) -> None:
    if name not in manifest.secrets:
        given.config[name] = value.strip() if isinstance(value, str) else value
        return
    reference, text = secrets.named(value, f"{manifest.platform}: {name}")
    given.config[name] = reference if text is None else f"{HOST}{name}"
    if text is not None:
        given.texts[name] = text


def marks_of(manifest: Manifest, account: str | None, given: Given, secrets: Secrets) -> list[str]:
    """What identifies the account, as far as it can be told now: a secret that is not there cannot."""
    found = []
    for name in manifest.identity:
        value = given.config.get(name) or (account if name == manifest.account_key else None)
        if value and name in manifest.secrets:
            try:
                value = given.texts.get(name) or secrets.follow(value)
            except MissingSecret:
                continue
        if value:
            found.append(f"{manifest.platform}\0{name}\0{value}")
    return found


@define
class Texts:
    """Secrets that the host has handed over as text in this process, by connection and name."""

    secrets: Secrets = Factory(Secrets)
    _given: dict[tuple[int, str], str] = Factory(dict)
    _used: dict[tuple[int, str], str | None] = Factory(dict)

    def __repr__(self) -> str:
        return f"<Texts {len(self._given)}>"

    def give(self, conn: ConnectionId, texts: Mapping[str, str]) -> None:
        """Keep them, in memory only."""
        self._given.update({(conn.int, name): text for name, text in texts.items()})

    def value(self, entity: PlatformConnection, name: str) -> str:
        """The secret that the connection has under this name. Raises MissingSecret."""
        return self._value(entity, name, str(entity.config.get(name)))

    def used(
        self, entity: PlatformConnection, name: str, otherwise: Callable[[], str | None]
    ) -> str | None:  # fmt: skip
        """What its adapter was last given under this name, None: nothing was there."""
        key = (entity.id.int, name)
        return self._used[key] if key in self._used else otherwise()

    def _value(self, entity: PlatformConnection, name: str, reference: str) -> str:
        if not reference.startswith(HOST):
            return self.secrets.follow(reference)
        text = self._given.get((entity.id.int, name))
        if text is None:
            raise MissingSecret(
                f"the secret {name} of {entity.platform} {entity.name} was given to connect() as text, so "
                "it is not in the file: give it again at every start, or pass Secret.env('NAME')"
            )
        return one_line(text, name)

    def settings(self, entity: PlatformConnection, manifest: Manifest) -> Settings:
        """What an adapter is given: it follows the references of its own connection, and no others."""
        from ...adapter import Settings  # with the first adapter, which has read it

        own = {
            str(entity.config[name]): name for name in manifest.secrets if entity.config.get(name)
        }

        def resolve(reference: str) -> str:
            name = own.get(reference)
            if name is None:
                raise MissingSecret(f"{reference} is no secret of {entity.platform} {entity.name}")
            key = (entity.id.int, name)
            try:
                value = self._value(entity, name, reference)
            except MissingSecret:
                self._used[key] = None
                raise
            self._used[key] = value
            return value

        return Settings(
            entity.platform, entity.account, dict(entity.config), resolve, _path(entity)
        )


def _path(entity: PlatformConnection) -> str | None:
    """The path of its webhook; None while the key is not there that it follows from."""
    try:
        return entity.webhook_path
    except MissingSecret:
        return None
