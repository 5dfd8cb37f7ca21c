"""Who writes a config does not read what the program can read: names of secrets, and secrets, are two types.

Knows: the attacks of a tenant who writes a connection's config. Does not know: platforms.
"""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core import App, Outeract, Secret
from outeract_core._io.secrets.references import Secrets
from outeract_core.adapter import Flow, Inbound, Manifest, Outgoing, Sent, Settings
from outeract_core.errors import BadInput, MissingSecret
from outeract_core.text import Document, to_plain

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
THEIRS = "the-token-of-somebody-else"


class Leaky:
    """An adapter that hands over the settings it was given."""

    manifest = Manifest(
        platform="leaky", text_limit=100, capabilities=frozenset({"text"}),
        config={"token": "what it signs with", "other": "one more"},
        secrets=frozenset({"token", "other"}),
    )  # fmt: skip

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def verify(self, inbound: Inbound) -> None:
        """Everybody."""

    def parse(self, inbound: Inbound) -> list[Any]:
        """Nothing."""
        return []

    def render(self, document: Document) -> str:
        """The text."""
        return to_plain(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Done."""
        yield from ()
        return Sent("1")


def opened(tmp_path: Path, **options: Any) -> Outeract:
    """A store with the leaky platform."""
    core = Outeract(tmp_path / "a.db", **options)
    core.register("leaky", Leaky)
    return core


def settings(app: App, name: str = "leaky") -> Settings:
    """What the adapter of a connection was given."""
    conn = next(c for c in app.runtime.conns(app.key) if c.entity.name == name)
    adapter: Any = app.runtime.adapter(conn)
    found: Settings = adapter.settings
    return found


NAMES = [
    "env:OTHERS", "file:/proc/self/environ", "file:/etc/passwd", "file:bot.key", "vault:root",
    "host:victim/app/leaky/leaky/token", "host:token", "host:", "env:", "file:",
    "env:BOT_/../OTHERS", "file:/run/secrets/../../proc/self/environ", "file:/run/secrets/x/../bot", "file:/run/secrets",
    "file:/run/secretsother", "env:bot_A", "ENV:OTHERS", " env:OTHERS",
]  # fmt: skip


@pytest.mark.parametrize("references", ["code", ["env:BOT_", "file:/run/secrets/"], []])
@pytest.mark.parametrize("attack", NAMES)
async def test_a_config_of_a_tenant_names_no_secret_of_the_program(
    attack: str, references: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused with what to write instead, or is no name at all and stays the text it is."""
    monkeypatch.setenv("OTHERS", THEIRS)
    async with opened(
        tmp_path, references=references, secrets={"vault": lambda _name: THEIRS}
    ) as core:
        app = core.app("tenant")
        if attack in ("ENV:OTHERS", " env:OTHERS", "env:BOT_/../OTHERS"):
            _stays_text_or_is_missing(app, attack)
            return
        with pytest.raises(BadInput, match=r"Secret|give the secret itself"):
            app.connect("leaky", token=attack)
        assert app.connections() == []


def _stays_text_or_is_missing(app: App, attack: str) -> None:
    try:
        app.connect("leaky", token=attack)
        assert settings(app).secret("token").strip() == attack.strip()
    except (BadInput, MissingSecret):
        pass


async def test_what_may_be_referred_to_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names with an allowed beginning are followed from text; a `Secret` of code always is."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "bot").write_text("from a file\n")
    monkeypatch.setenv("BOT_A", "from BOT_A")
    monkeypatch.setenv("CODE", "from code")
    async with opened(tmp_path, references=["env:BOT_", f"file:{folder}/"]) as core:
        app = core.app("tenant")
        app.connect("leaky", token="env:BOT_A", other=f"file:{folder}/./bot")
        assert settings(app).secret("token") == "from BOT_A"
        assert settings(app).secret("other") == "from a file"
        app.connect(
            "leaky", name="mine", token=Secret.env("CODE"), other=Secret.file(folder / "bot")
        )
        assert settings(app, "mine").secret("token") == "from code"
        assert settings(app, "mine").secret("other") == "from a file"


async def test_a_name_that_stands_in_the_file_is_not_followed_against_the_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written before the rule was made, or put there by somebody: it leads nowhere until code names it."""
    monkeypatch.setenv("OTHERS", THEIRS)
    async with opened(tmp_path) as core:
        core.app("tenant").connect("leaky", token="env:OTHERS")
    for references in ("code", ["env:BOT_"]):
        async with opened(tmp_path, references=references) as core:
            app = core.app("tenant")
            with pytest.raises(MissingSecret, match="references="):
                settings(app).secret("token")
            app.connect("leaky", token=Secret.env("OTHERS"))
            assert settings(app).secret("token") == THEIRS


async def test_tenants_with_slashes_in_their_names_share_nothing(tmp_path: Path) -> None:
    """A file with such names from before the rule: each connection has its own text, by its id."""
    places = [("a", "b/c"), ("a/b", "c")]
    async with opened(tmp_path) as core:
        made = [core.app(f"app{n}", organisation=f"org{n}") for n in (0, 1)]
        for app, (organisation, name) in zip(made, places, strict=True):
            core.runtime.database.write_now(_renamed(app, organisation, name))
    async with opened(tmp_path) as core:
        apps = [core.app(name, organisation=organisation) for organisation, name in places]
        for n, app in enumerate(apps):
            app.connect("leaky", token=f"literal-{n}")
        assert [settings(app).secret("token") for app in apps] == ["literal-0", "literal-1"]


def _renamed(app: App, organisation: str, name: str) -> Any:
    def unit(tx: Any) -> None:
        tx.dynamic(
            "UPDATE application SET name = :name WHERE id = :app", {"name": name, "app": app.key}
        )
        tx.dynamic(
            "UPDATE organisation SET name = :new WHERE name = :old",
            {"new": organisation, "old": app.organisation},
        )

    return unit


async def test_a_text_belongs_to_one_connection(tmp_path: Path) -> None:
    """Whatever a stored config says, it leads to a connection's own text and to nobody else's."""
    async with opened(tmp_path) as core:
        victim, thief = core.app("victim"), core.app("thief")
        victim.connect("leaky", token=THEIRS)
        own = victim.connections()[0]
        thief.connect("leaky", token="mine", other="second")
        forged = json.dumps(
            {"token": f"host:{own.id}/token", "other": "host:victim/app/leaky/token"}
        )
        core.runtime.database.write_now(
            lambda tx: tx.dynamic(
                "UPDATE connection SET config = :config WHERE app = :app",
                {"config": forged, "app": thief.key},
            )
        )
        core.runtime.reload()
        core.runtime._adapters.clear()
        assert settings(thief).secret("token") == "mine"
        assert settings(thief).secret("other") == "second"


async def test_an_adapter_follows_the_names_of_its_own_connection_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it makes up itself is refused, whoever may have told it to."""
    monkeypatch.setenv("OWN", "own")
    monkeypatch.setenv("OTHERS", THEIRS)
    async with opened(tmp_path) as core:
        app = core.app("a")
        app.connect("leaky", token=Secret.env("OWN"))
        resolve = settings(app).resolve
        assert resolve("env:OWN") == "own"
        for attack in ("env:OTHERS", "file:/etc/passwd", "host:token", "token", ""):
            with pytest.raises(MissingSecret, match="no secret of leaky"):
                resolve(attack)


# ── what a Secret shows ───────────────────────────────────────────────────────────────────────


def test_a_secret_shows_itself_nowhere() -> None:
    """Not in repr, str, format, errors, pickles, `asdict` of what holds it; its name may be seen."""
    secret = Secret.text(THEIRS)

    @attrs.frozen
    class Holder:
        secret: Secret

    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!s:>20}",
        repr(attrs.asdict(Holder(secret))),
    ]
    assert not [text for text in shown if THEIRS in text]
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(BadInput) as told:
        _ = secret.reference
    assert THEIRS not in str(told.value)
    assert copy.deepcopy(secret) is secret
    named = Secret.env("TOKEN")
    assert pickle.loads(pickle.dumps(named)) == named
    assert (repr(named), named.reference) == ("Secret.env('TOKEN')", "env:TOKEN")
    assert len({named, Secret.env("TOKEN"), Secret.file("TOKEN"), secret}) == 3


@pytest.mark.parametrize(
    "bad", [lambda: Secret.env(""), lambda: Secret.text("  "), lambda: Secret.env(5), lambda: Secret("", "x"),
            lambda: Secret("a:b", "x"), lambda: Secret("host", "x"), lambda: Secret.text(None)],
)  # fmt: skip
def test_what_names_nothing_is_told_at_once(bad: Any) -> None:
    """Empty names, other types, sources that cannot be."""
    with pytest.raises(BadInput):
        bad()


@pytest.mark.parametrize("bad", ["env:", "all", ["nothing"], ["safe:"], [5]])
def test_a_rule_that_says_nothing_is_refused(bad: Any, tmp_path: Path) -> None:
    """`references` is 'code' or prefixes of sources that there are."""
    with pytest.raises(BadInput, match="references"):
        Outeract(tmp_path / "a.db", references=bad)


async def test_no_text_is_in_the_file(tmp_path: Path) -> None:
    """A secret that was given as text, in either way, is in memory only."""
    async with opened(tmp_path) as core:
        app = core.app("a")
        app.connect("leaky", token=THEIRS, other=Secret.text("the-second-text"))
        assert settings(app).secret("other") == "the-second-text"
        assert THEIRS not in repr(app.connections()) + str(app.connections()[0].config)
    found = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert THEIRS.encode() not in found
    assert b"the-second-text" not in found


@given(st.text(max_size=30))
def test_no_path_leads_out_of_its_folder(name: str) -> None:
    """Whatever follows an allowed folder, what is followed lies in it."""
    secrets = Secrets(references=["file:/run/secrets/"])
    try:
        reference, text = secrets.named(f"file:/run/secrets/{name}", "x")
    except BadInput:
        return
    assert text is None
    assert Path(*_parts(reference)).is_relative_to("/run/secrets")


def _parts(reference: str) -> list[str]:
    parts: list[str] = ["/"]
    for part in reference.removeprefix("file:").split("/"):
        if part == "..":
            parts = parts[:-1] or ["/"]
        elif part not in ("", "."):
            parts.append(part)
    return parts
