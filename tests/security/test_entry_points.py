"""A package that is installed shadows no platform, and one that is broken breaks itself alone.

Knows: how distributions declare entry points on disk. Does not know: what adapters do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outeract_core import Outeract
from outeract_core._cli import main
from outeract_core.errors import BrokenAdapter, UnknownPlatform

pytestmark = pytest.mark.anyio
GOOD = """
from outeract_adapters.console import Console
from attrs import evolve

class Own(Console):
    manifest = evolve(Console.manifest, platform="pigeon")
"""
BROKEN = {
    "it raises": "raise RuntimeError('no pigeons today')",
    "it ends the program": "raise SystemExit(3)",
    "it is no Python": "def (",
    "it imports what is not there": "import no_such_package_anywhere",
    "it has another name": "",
    "it is no class": "Own = 5",
    "it is of another platform": GOOD.replace('"pigeon"', '"console"'),
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Installs a distribution: `installed(name, platform, code)`."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    modules = []

    def install(dist: str, platform: str, code: str, attribute: str = "Own") -> None:
        module = dist.replace("-", "_")
        modules.append(module)
        (site / f"{module}.py").write_text(code)
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            f"[outeract_core.adapters]\n{platform} = {module}:{attribute}\n"
        )

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@pytest.mark.parametrize("platform", ["telegram", "console"])
async def test_a_built_in_platform_is_not_shadowed(
    platform: str, installed: Any, tmp_path: Path
) -> None:
    """Neither is used: the error names both distributions, and the stranger's code never ran."""
    installed("evil-bots", platform, "raise AssertionError('it was imported')")
    async with Outeract(tmp_path / "a.db") as core:
        with pytest.raises(BrokenAdapter, match=r"evil-bots 1\.0.* and outeract.core") as told:
            core.app("a").connect(platform)
        assert "evil_bots:Own" in str(told.value)
        assert "evil_bots" not in sys.modules
        core.app("a").connect("slack", bot_token="x", signing_secret="y")


async def test_two_packages_of_one_platform_are_told(installed: Any, tmp_path: Path) -> None:
    """Whichever came first on the path: both are named, and the host may still register its own."""
    installed("pigeon-one", "pigeon", GOOD)
    installed("pigeon-two", "pigeon", GOOD)
    async with Outeract(tmp_path / "a.db") as core:
        with pytest.raises(BrokenAdapter, match=r"pigeon-one.*pigeon-two"):
            core.app("a").connect("pigeon")
        from outeract_adapters.console import Console

        core.register("pigeon", Console)
        assert core.app("a").connect("pigeon").platform == "pigeon"


@pytest.mark.parametrize("why", BROKEN)
async def test_a_broken_package_disables_itself_alone(
    why: str, installed: Any, tmp_path: Path
) -> None:
    """It is told with its distribution and the reason; every other platform works, and again works."""
    installed("pigeon-post", "pigeon", BROKEN[why])
    async with Outeract(tmp_path / "a.db") as core:
        app = core.app("a")
        app.connect("console")
        for _ in range(2):
            with pytest.raises(BrokenAdapter, match=r"pigeon-post 1\.0"):
                app.connect("pigeon")
        await app.send(("console", "ann"), "hello")
        assert "console" in core.platforms()


async def test_the_doctor_tells_why(
    installed: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each broken or shadowed platform, once, with its reason."""
    installed("pigeon-post", "pigeon", BROKEN["it raises"])
    installed("evil-bots", "telegram", GOOD)
    async with Outeract(tmp_path / "a.db") as core:
        core.app("a").connect("console")
    assert main(["doctor", str(tmp_path / "a.db")]) == 1
    shown = capsys.readouterr().out
    assert shown.count("no pigeons today") == 1
    assert shown.count("evil-bots 1.0") == 1


async def test_an_adapter_that_does_not_take_its_settings_is_broken(tmp_path: Path) -> None:
    """Its constructor raises: its own connection is told so, webhooks are answered 503, others go on."""
    from outeract_adapters.console import Console

    class Fragile(Console):
        def __init__(self, settings: Any) -> None:
            super().__init__(settings)
            if broken:
                raise ZeroDivisionError("no legs")

    broken: list[int] = []
    async with Outeract(tmp_path / "a.db") as core:
        core.register("fragile", Fragile)
        app = core.app("a")
        app.connect("console")
        where = app.connect("fragile")
        broken.append(1)
        core.runtime._adapters.clear()
        answer = await core.ingest(where.webhook_id, where.webhook_secret, body=b"{}")
        assert answer.status == 503
        with pytest.raises(UnknownPlatform, match="ZeroDivisionError: no legs"):
            await app.send(("fragile", "ann"), "hello")
        await app.send(("console", "ann"), "hello")
        assert (await core.pump()).sent
