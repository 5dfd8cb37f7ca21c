"""What an adapter's author tells the contract, and what the contract's tests have in common.

Knows: how to find an adapter by its entry point, and the facts that its samples hold.
Does not know: which rules there are (`contract*.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar

from ...adapter import Adapter, Call, Inbound, Manifest, Recipient, Reply, Settings
from ...events import Fact, Unparsed
from ..samples import Sample

__all__ = ["GROUP", "Subject", "expect"]

GROUP = "outeract_core.adapters"


@cache
def _registered(platform: str) -> EntryPoint:
    found = {e.value: e for e in entry_points(group=GROUP, name=platform)}
    expect(
        len(found) == 1,
        f"{len(found)} entry points named {platform!r} in the group {GROUP}; is the package "
        "installed (pip install -e .)?",
    )
    return next(iter(found.values()))


def expect(condition: object, otherwise: str) -> None:
    """Raise AssertionError with `otherwise` unless `condition` holds (also under `python -O`)."""
    if not condition:
        raise AssertionError(otherwise)


class Subject:
    """The part of `AdapterContract` that a subclass fills in.

    platform    the name under which the adapter is registered.
    config      what `connect()` would be given. Secrets as plain values, at least 8 characters,
                different from all else, so that a leak can be seen.
    account     the account id of the connection, where the adapter looks at it.
    signs_body  False where the platform only sends a shared secret (Telegram).
    schemes     URL schemes that the adapter may call.
    """

    platform: ClassVar[str]
    config: Mapping[str, Any]
    account: str | None = None
    signs_body: bool = True
    schemes: tuple[str, ...] = ("https", "http")

    def samples(self) -> Iterable[Sample]:
        """Signed requests, one for each shape that matters. Sign with values out of `self.config`.

        The first `message.inbound` among their facts also serves as the message that the tests
        answer, react to, mark as read; a fact with a file is fetched; a `message.action` answered.
        """
        raise NotImplementedError("give samples(): signed requests and the kinds of their facts")

    def tampered(self) -> Iterable[Inbound]:
        """Requests that `verify` must refuse; none where the platform has no webhook."""
        return ()

    def replies(self, call: Call) -> Reply:
        """What the platform answers to `call` when all goes well; `outeract_core.testing.reply` helps."""
        raise NotImplementedError("give replies(call): the platform's answer to a successful call")

    def to(self) -> Recipient:
        """Whom the flows write to: the other party of the first inbound message."""
        fact = self.first("message.inbound")
        party = (fact.chat or fact.sender) if fact else None
        expect(party, "no sample holds a message.inbound with a sender; or override to()")
        assert party is not None  # noqa: S101 - for the type checker
        aliases = {alias.type: alias.value for alias in party.aliases}
        external = party.external_id or next(iter(aliases.values()))
        return Recipient(external, external, party.kind, aliases)

    # ── what the tests use ──

    def entry(self) -> EntryPoint:
        """The adapter's entry point, found as core finds it."""
        return _registered(self.platform)

    def type(self) -> type[Adapter]:
        """The adapter's class."""
        loaded: type[Adapter] = self.entry().load()
        return loaded

    @property
    def manifest(self) -> Manifest:
        """What the adapter says of its platform."""
        return self.type().manifest

    def settings(self, config: Mapping[str, Any] | None = None) -> Settings:
        """The settings of a connection with `config`, or with this subject's own."""
        given = self.config if config is None else config
        return Settings(self.platform, self.account, dict(given))

    def make(self, config: Mapping[str, Any] | None = None) -> Adapter:
        """A fresh adapter."""
        return self.type()(self.settings(config))

    def secrets(self) -> list[str]:
        """The values that must never show."""
        return [str(self.config[name]) for name in self.manifest.secrets if self.config.get(name)]

    def told(self) -> Iterator[tuple[Sample, list[Fact | Unparsed]]]:
        """Every sample with what `parse` makes of it."""
        for sample in self.samples():
            yield sample, list(self.make().parse(sample.inbound))

    def facts(self) -> Iterator[tuple[Sample, Fact]]:
        """Every fact of every sample."""
        for sample, found in self.told():
            yield from ((sample, fact) for fact in found if isinstance(fact, Fact))

    def first(self, kind: str) -> Fact | None:
        """The first fact of this kind, or None."""
        return next((fact for _, fact in self.facts() if fact.kind == kind), None)
