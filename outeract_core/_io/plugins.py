"""Finds adapters by entry point, loads each when it is first asked for.

Knows: the entry-point group, that a name belongs to one distribution, that a broken one is its own affair.
Does not know: any platform, connections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._domain.values.sinks import worded
from ..errors import BrokenAdapter, OuteractError, UnknownPlatform

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from ..adapter import Adapter

GROUP = "outeract_core.adapters"


class Plugins:
    """Adapter classes by platform name; loaded when first asked for."""

    def __init__(self) -> None:
        self._found: dict[str, list[EntryPoint]] | None = None
        self._classes: dict[str, type[Adapter]] = {}
        self._broken: dict[str, str] = {}

    def names(self) -> list[str]:
        """Every registered platform, the broken ones too (`fault` tells why)."""
        return sorted({*self._entries(), *self._classes})

    def register(self, platform: str, adapter: type[Adapter]) -> None:
        """Add a class by hand (tests, a bot's own adapter); it goes before an entry point."""
        self._classes[platform] = adapter

    def load(self, platform: str) -> type[Adapter]:
        """The adapter class. Raises UnknownPlatform, naming what there is; BrokenAdapter."""
        if platform not in self._classes:
            entries = self._entries().get(platform)
            if not entries:
                raise UnknownPlatform(
                    f"no adapter for {platform!r}; registered: {', '.join(self.names()) or 'none'}. "
                    f"Install one that has the entry point {GROUP!r}"
                )
            if platform not in self._broken:
                self._load(platform, entries)
            if platform in self._broken:
                raise BrokenAdapter(self._broken[platform])
        return self._classes[platform]

    def fault(self, platform: str) -> str | None:
        """Why this platform cannot be used, or None; it is loaded to find out."""
        try:
            self.load(platform)
        except UnknownPlatform as error:
            return str(error)
        return None

    def _load(self, platform: str, entries: list[EntryPoint]) -> None:
        """Keep the class, or why there is none: what is broken stays so until the program's end."""
        sources = " and ".join(sorted(map(_source, entries)))
        if len(entries) > 1:
            self._broken[platform] = (
                f"{platform!r} is the platform of {sources}: uninstall one of them; "
                "neither is used, as nobody can tell which was meant"
            )
            return
        try:
            found = entries[0].load()
            _check(platform, found)
        except (Exception, SystemExit) as error:
            what = worded(error)
            self._broken[platform] = f"the adapter of {platform!r}, {sources}, is broken: {what}"
        else:
            self._classes[platform] = found

    def _entries(self) -> dict[str, list[EntryPoint]]:
        if self._found is None:
            from importlib.metadata import entry_points

            self._found = {}
            for entry in sorted(set(entry_points(group=GROUP)), key=_source):
                self._found.setdefault(entry.name, []).append(entry)
        return self._found


def broken(platform: str, error: Exception) -> Exception:
    """What is raised when an adapter does not take its settings: one of our errors stays as it is."""
    if isinstance(error, OuteractError):
        return error
    return BrokenAdapter(f"the adapter of {platform!r} is broken: {worded(error)}")


def _source(entry: EntryPoint) -> str:
    """The distribution that an entry point is of, and what it leads to."""
    dist = entry.dist
    whose = "an unknown distribution" if dist is None else f"{dist.name} {dist.version}"
    return f"{whose} ({entry.value})"


def _check(platform: str, found: object) -> None:
    """Raises TypeError for what is no adapter of this platform."""
    from ..adapter import Manifest  # with the first adapter, which has read it

    manifest = getattr(found, "manifest", None)
    if not isinstance(found, type) or not isinstance(manifest, Manifest):
        raise TypeError("it is no class with a manifest")
    if manifest.platform != platform:
        raise TypeError(f"its manifest is that of {manifest.platform!r}")
