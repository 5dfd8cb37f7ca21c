"""Names of organisations, applications and connections: one line, bounded, no slash.

Knows: names that made two tenants one, or broke what is printed. Does not know: what secrets are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import Outeract
from outeract_core._domain.rules.tenant_names import LONGEST, check_name
from outeract_core.errors import BadInput

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
BAD = [
    "", " ", "a/b", "/", "a\nb", "a\x1b[2Jb", "a\0b", "a\u202eb", "\ud800", " a", "a ", "\u200b",
    "a\u2028b", "x" * (LONGEST + 1), None, 5, b"a",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD, ids=ascii)
async def test_no_tenant_gets_such_a_name(name: Any, core: Outeract) -> None:
    """Application, organisation and connection alike; nothing is left behind of the attempt."""
    app = core.app("fine")
    with pytest.raises(BadInput):
        core.app(name)
    with pytest.raises(BadInput):
        core.app("a", organisation=name)
    if name not in (None, ""):  # then it is called as its platform is
        with pytest.raises(BadInput):
            app.connect("console", name=name)
    assert app.connections() == []
    counts = core.runtime.database.read(lambda tx: tx.script("SELECT count(*) FROM organisation"))
    assert counts[0][0] == 1


@given(st.text(max_size=LONGEST + 5))
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
def test_what_passes_stands_on_one_line_between_slashes(name: str) -> None:
    """Two different pairs of names are never written alike."""
    try:
        check_name("it", name)
    except BadInput:
        return
    assert f"org/{name}".split("/") == ["org", name]
    assert f"{name}".splitlines() == [name]
    assert name.isprintable()
    assert name == name.strip()


@pytest.mark.parametrize("name", ["Müller & Söhne", "日本", "a.b-c_d", "x" * LONGEST, "🤖"])
async def test_ordinary_names_are_fine(name: str, core: Outeract) -> None:
    """In every script."""
    app = core.app(name, organisation=name)
    assert app.connect("console", name=name).name == name


async def test_a_file_with_such_names_opens_as_ever(tmp_path: Path) -> None:
    """What a file is called by its own rows is found by them, and goes on."""
    async with Outeract(tmp_path / "a.db") as core:
        app = core.app("old")
        app.connect("console", name="line")
        was = app.id

        def older(tx: Any) -> None:
            tx.script("UPDATE application SET name = 'a/b\nc'")
            tx.script("UPDATE organisation SET name = 'x/y'")
            tx.script("UPDATE connection SET name = 'two\nlines'")

        core.runtime.database.write_now(older)
    async with Outeract(tmp_path / "a.db") as core:
        app = core.app("a/b\nc", organisation="x/y")
        assert app.id == was
        assert [c.name for c in app.connections()] == ["two\nlines"]
        assert app.connect("console", name="two\nlines").id == app.connections()[0].id
        await app.send(("two\nlines", "ann"), "hello")
