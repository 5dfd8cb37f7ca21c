"""Adapters by name, configs that are checked, secrets that stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from outeract_core import Outeract
from outeract_core._store.records import nodes, rows
from outeract_core.errors import BadInput, MissingSecret, UnknownPlatform
from outeract_core.testing import FakePlatform
from tests.support.bots import SECRET, whatsapp

pytestmark = pytest.mark.anyio


async def test_built_in_platforms_come_by_entry_point(core: Outeract) -> None:
    """They are found as a third party's would be; an unknown one is refused with what there is."""
    assert {"console", "slack", "telegram", "whatsapp"} <= set(core.platforms())
    with pytest.raises(UnknownPlatform, match="console"):
        core.app("a").connect("pager")


async def test_a_config_is_checked_when_it_is_given(core: Outeract) -> None:
    """Unknown names, missing ones and secrets that are no text are told at once."""
    app = core.app("a")
    with pytest.raises(BadInput, match="signing_secret"):
        app.connect("slack", bot_token="xoxb-1")
    with pytest.raises(BadInput, match="no config 'colour'"):
        app.connect("console", colour="blue")
    with pytest.raises(BadInput, match="must be a Secret or text"):
        app.connect("slack", bot_token=5, signing_secret="s")
    with pytest.raises(BadInput):
        core.app("a", overlap="never")
    with pytest.raises(BadInput):
        core.app("a", volume="loud")
    assert app.connections() == []


async def test_references_lead_to_secrets_of_several_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`env:`, `file:` and the host's own sources are resolved when they are needed."""
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("SOME_TOKEN", "from the environment")
    async with Outeract(tmp_path / "a.db", secrets={"vault": lambda name: f"vault {name}"}) as core:
        resolve = core.runtime.secrets.follow
        assert resolve("env:SOME_TOKEN") == "from the environment"
        assert resolve(f"file:{tmp_path / 'secret'}") == "from a file"
        assert resolve("vault:bot") == "vault bot"
        for reference in ("env:NO_SUCH", f"file:{tmp_path / 'none'}", "safe:x", "host:x"):
            with pytest.raises(MissingSecret):
                resolve(reference)


async def test_no_secret_is_in_a_repr_or_an_event(tmp_path: Path) -> None:
    """Connections, applications and the log never show a credential."""
    with FakePlatform() as fake:
        async with Outeract(tmp_path / "a.db") as core:
            app = core.app("a")
            connection = whatsapp(app, fake)
            shown = repr(connection) + repr(app) + repr(core) + str(connection.config)
            assert SECRET not in shown
            assert connection.webhook_secret not in repr(connection)
            async for event in app.events.all():
                assert SECRET not in event.payload_json


async def test_the_same_name_is_the_same_connection(tmp_path: Path) -> None:
    """Connecting again after a restart finds it; another name is another one."""
    ids = []
    for _ in range(2):
        async with Outeract(tmp_path / "a.db") as core:
            app = core.app("a")
            ids.append(app.connect("console").id)
            other = app.connect("console", name="second")
            assert other.id != ids[-1]
            assert len(app.connections()) == 2
    assert ids[0] == ids[1]


async def test_a_connection_that_is_new_is_known_in_writes_and_reads(core: Outeract) -> None:
    """What was kept of an application's connections does not outlive the next one."""
    app = core.app("a")
    app.connect("console")

    async def said(name: str) -> str | None:
        delivery = await app.send((name, "ann"), "hello")
        seen = await app.tenant.write(
            lambda tx, key: rows.event(tx, key, nodes.key(tx, key, delivery.id))
        )
        assert seen == await app.events.get(delivery.id)
        return seen.platform

    assert await said("console") == "console"
    second = app.connect("console", name="second")
    assert await said("second") == "console"
    assert (await app.events.page()).nodes[0].connection_id == second.id
