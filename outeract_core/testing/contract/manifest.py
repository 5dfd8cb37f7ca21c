"""Contract: the manifest is complete, agrees with the class, and the class is pure.

Knows: the manifest's fields, the optional protocols, what pure code may import.
Does not know: any platform.
"""

from __future__ import annotations

import ast
import importlib.util
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from ... import adapter as protocols
from ...content import FileKind
from .subject import Subject, expect

__all__ = ["ManifestContract"]

CAPABILITIES = frozenset({
    "text", "media", "reply", "thread", "react", "edit", "delete", "typing", "mark_read", "buttons",
    "quick_replies", "menu", "location", "contacts", "template", "groups", "album", "delivered",
    "read", "format",
})  # fmt: skip

ABILITIES: dict[str, Any] = {
    "react": protocols.CanReact,
    "edit": protocols.CanEdit,
    "delete": protocols.CanDelete,
    "mark_read": protocols.CanMarkRead,
    "typing": protocols.CanType,
}

IMPURE = frozenset({
    "aiohttp", "anyio", "asyncio", "ftplib", "http", "httpx", "multiprocessing", "random",
    "requests", "secrets", "select", "selectors", "signal", "smtplib", "socket", "socketserver",
    "sqlite3", "ssl", "subprocess", "threading", "time", "trio", "urllib.request", "urllib3",
})  # fmt: skip

IMPURE_CALLS = frozenset({
    "__import__", "breakpoint", "eval", "exec", "getenv", "import_module", "input", "now", "open",
    "print", "today", "urandom", "utcnow", "uuid1", "uuid4",
})  # fmt: skip
"""Names of functions and methods that read files, clocks, chance or the environment."""


class ManifestContract(Subject):
    """Tests of what the adapter says of itself."""

    def test_platform_is_its_entry_point(self) -> None:
        """The manifest names the platform as its entry point does, in lower case."""
        expect(
            self.manifest.platform == self.entry().name,
            f"manifest.platform is {self.manifest.platform!r}, the entry point {self.entry().name!r}",
        )
        expect(re.fullmatch(r"[a-z][a-z0-9_]*", self.platform), "use only a-z, 0-9 and _")

    def test_capabilities_are_known(self) -> None:
        """Every capability is one that core plans by, and text is among them."""
        unknown = self.manifest.capabilities - CAPABILITIES
        expect(not unknown, f"core knows no capability {sorted(unknown)}")
        expect("text" in self.manifest.capabilities, "a platform without text is not supported")

    def test_capabilities_agree_with_methods(self) -> None:
        """A capability is claimed exactly when the class can do it."""
        for name, protocol in ABILITIES.items():
            claimed, able = name in self.manifest.capabilities, isinstance(self.make(), protocol)
            expect(
                claimed == able,
                f"{name}: claimed {claimed}, but {protocol.__name__} implemented {able}",
            )
        reconciles = self.manifest.idempotency == "reconcile"
        able = isinstance(self.make(), protocols.CanFind)
        expect(reconciles == able, f"idempotency 'reconcile' is {reconciles}, but find() is {able}")

    def test_capabilities_agree_with_limits(self) -> None:
        """What the manifest claims it also sizes, and the other way round."""
        manifest = self.manifest
        sized = {
            "media": bool(manifest.media),
            "buttons": manifest.buttons > 0,
            "menu": manifest.menu_rows > 0,
            "album": manifest.album > 1,
        }
        for name, given in sized.items():
            claimed = name in manifest.capabilities
            expect(
                claimed == given, f"{name}: claimed {claimed}, but a limit above zero is {given}"
            )

    def test_limits_are_positive(self) -> None:
        """Limits are positive numbers or, where the platform has none, None."""
        m = self.manifest
        for name in ("text_limit", "caption_limit", "interactive_limit"):
            limit = getattr(m, name)
            expect(limit is None or limit > 0, f"{name} is {limit}")
        for name in ("album", "button_title", "menu_title"):
            expect(getattr(m, name) > 0, f"{name} is {getattr(m, name)}")
        for name in ("pace_connection", "pace_chat"):
            expect(0 <= getattr(m, name) < math.inf, f"{name} is {getattr(m, name)}")
        for name in ("header_limit", "footer_limit", "quick_replies", "menu_description"):
            expect(getattr(m, name) >= 0, f"{name} is {getattr(m, name)}")
        unknown = {*m.media, *m.caption_kinds, *frozenset().union(*m.album_kinds)}
        unknown -= set(get_args(FileKind))
        expect(not unknown, f"media, caption_kinds, album_kinds: no kinds {sorted(unknown)}")
        for kind, (size, mimes) in m.media.items():
            expect(size > 0, f"media: {kind} has the limit {size}")
            expect(all("/" in mime for mime in mimes), f"media: {kind} accepts {mimes}")
        for (kind, mime), size in m.type_limits.items():
            most, mimes = m.media.get(kind, (0, ()))
            known = 0 < size < most and (not mimes or mime in mimes)
            expect(known, f"type_limits: {kind} of {mime} has {size}, which says nothing")

    def test_config_is_documented(self) -> None:
        """Every config key has a meaning; secrets, required keys and this test's config are keys."""
        m = self.manifest
        expect(all(m.config.values()), "a config key without an explanation")
        expect(m.secrets <= set(m.config), f"secrets that are no keys: {m.secrets - set(m.config)}")
        for names, what in ((m.required, "required"), (self.config, "this test's config")):
            unknown = set(names) - set(m.config)
            expect(not unknown, f"{what} names what manifest.config does not: {sorted(unknown)}")
        missing = set(m.required) - set(self.config)
        expect(not missing, f"this test's config lacks what is required: {sorted(missing)}")

    def test_secrets_can_be_seen(self) -> None:
        """The test's secrets are long and distinct, or a leak would go unnoticed."""
        values = self.secrets()
        expect(len(set(values)) == len(values), "two secrets of this test are the same")
        expect(all(len(value) >= 8 for value in values), "secrets of 8 characters or more, please")

    def test_is_pure(self) -> None:
        """No module of the adapter opens sockets or files, sleeps, or asks clocks and chance."""
        for path in self._sources():
            tree = ast.parse(path.read_bytes())
            for line, name in _calls(tree):
                pure = name not in IMPURE_CALLS
                expect(pure, f"{path.name}:{line} calls {name}(); take it from the arguments")
            for line, name in _imports(tree):
                parts = name.split(".")
                impure = parts[0] in IMPURE or ".".join(parts[:2]) in IMPURE
                expect(not impure, f"{path.name}:{line} imports {name}; yield a Call instead")
                private = parts[0] == "outeract_core" and any(p.startswith("_") for p in parts)
                expect(not private, f"{path.name}:{line} imports {name}, which is private")

    def _sources(self) -> list[Path]:
        spec = importlib.util.find_spec(self.entry().module)
        expect(spec and spec.origin, f"no source of {self.entry().module}")
        origin = Path(str(spec and spec.origin))
        return sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]


def _calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The last name of everything that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.lineno, node.func.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
