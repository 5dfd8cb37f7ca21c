"""The address of a server in place of a path: refused, and its password is nowhere to be read."""

from __future__ import annotations

import ast
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract, blocking
from outeract_core._cli import main
from outeract_core._domain.values.paths import shown_path
from outeract_core._io.disk.place import place
from outeract_core.errors import BadInput

ROOT = Path(__file__).resolve().parents[2] / "outeract_core"
MARK = "S3CRET"
FORMS = (
    "{scheme}://{user}:{pw}@{host}/{db}", "{scheme}://{user}:{pw}@{host}:5432/{db}?sslmode=require",
    "{scheme}://{user}:{pw}@h1:1,h2:2/{db}", "{scheme}://{user}:{pw}@[::1]:5432/{db}",
    "{scheme}://:{pw}@{host}", "{scheme}://{pw}@{host}/{db}", "{scheme}://{user}:{pw}", "{scheme}://{user}:{pw}/{db}",
    "{scheme}://{user}@{host}/{db}?password={pw}", "{scheme}:///{db}?host={host}&user={user}&password={pw}",
    "{scheme}://{host}/{db}#{pw}", "{scheme}://{host}/{db};password={pw}", "jdbc:{scheme}://{host}/{db}?password={pw}",
    "{scheme}:/{user}:{pw}@{host}/{db}", "{scheme}:{user}:{pw}@{host}", "{user}:{pw}@{host}:5432/{db}",
    " {scheme}://{user}:{pw}@{host}/{db} ", "'{scheme}://{user}:{pw}@{host}/{db}'", "<{scheme}://{user}:{pw}@{host}>",
    "DATABASE_URL={scheme}://{user}:{pw}@{host}/{db}", "{scheme}:/{host}/{db}?password={pw}",
    "host={host} user={user} password={pw}", "dbname={db} password='{pw}'", "password = {pw} host={host}",
    "Driver={{PostgreSQL}};Server={host};Uid={user};Pwd={pw};",
)  # fmt: skip
ODD = st.text("@/?#;: %&='\"\\+\n\t\u00e9{}[]ab0", max_size=6)
HOSTS = ("{host}", "h1", "[::1]")


def _address(form: str, scheme: str, user: str, pw: str, host: str, db: str) -> str:
    """Behind an `@` stands a host, whatever was meant: where a form has none, the password has one at most as its first."""
    if not any(one in form for one in HOSTS):
        pw = pw[:1] + pw[1:].replace("@", "")
    return form.format(scheme=scheme, user=user, pw=pw, host=host, db=db)


ADDRESSES = st.builds(
    _address,
    st.sampled_from(FORMS),
    st.sampled_from(["postgresql", "postgres", "POSTGRES", "postgresql+psycopg", "mysql", "sqlite", "pg", "ab"]),
    st.sampled_from(["me", "outeract", "a.b-c"]),
    st.builds(
        lambda one, two, safe: quote(one + MARK + two, "") if safe else one + MARK + two,
        ODD, ODD, st.booleans(),
    ),
    st.sampled_from(["localhost", "db.example.com", "10.0.0.1"]),
    st.sampled_from(["outeract", "a-b"]),
)  # fmt: skip


def _told(error: BaseException | None) -> Iterator[str]:
    """Everything that an error and those behind it say."""
    while error is not None:
        yield from (str(error), repr(error), *traceback.format_exception_only(error))
        error = error.__cause__ or error.__context__


def _refused(address: str) -> list[str]:
    """What is said of it, by each way in."""
    said = [shown_path(address)]
    for name in (address, Path(address), address.encode()):
        for opened in (place, Outeract, blocking.Outeract):
            with pytest.raises(BadInput) as caught:
                opened(name)
            said += _told(caught.value)
    return said


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(address=ADDRESSES)
@example(address=f"postgresql://me:p/{MARK}@host/db")
@example(address=f"postgresql://me:p@{MARK}@host/db")
@example(address=f"postgresql://host/db?password=a@{MARK}")
@example(address=f"postgresql://me:@{MARK}")
@example(address=f"postgresql://:@{MARK}/db")
@example(address=f"postgresql://@{MARK}")
def test_a_password_is_never_told(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever an address looks like: no error, no `repr`, no log has it, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    said = [*_refused(address), caplog.text]
    assert not [text for text in said if MARK in text]
    assert list(tmp_path.iterdir()) == []


def test_the_error_says_what_to_do() -> None:
    """Which server it is can be told; that this version opens files, too."""
    with pytest.raises(BadInput) as caught:
        Outeract("postgresql://me:pw@db.example.com:5432/bot?sslmode=require&password=pw")
    assert str(caught.value) == (
        "postgresql://db.example.com:5432/bot is the address of a server, and this version keeps its store "
        "in an SQLite file: give the path of a file (./NAME for one that is called so)"
    )


@pytest.mark.parametrize("command", [["doctor"], ["apps"], ["timeline"], ["export"]])
def test_commands_do_not_tell_it_either(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """On a terminal, in whatever is written there."""
    monkeypatch.chdir(tmp_path)
    try:
        status: object = main([*command, f"postgresql://me:{MARK}@host/db"])
    except SystemExit as ended:
        status = ended.code
    said = capsys.readouterr()
    assert status not in (0, None)
    assert MARK not in said.out + said.err


@pytest.mark.anyio
@pytest.mark.parametrize("form", FORMS[:4])
async def test_nor_is_it_when_something_is_to_be_written_there(
    core: Outeract, app: App, form: str
) -> None:
    """Backups, exports and imports take paths too."""
    address = form.format(scheme="s3", user="me", pw=MARK, host="bucket", db="x")
    for take in (core.backup, app.export, core.import_app):
        with pytest.raises(BadInput) as caught:
            await take(address)
        assert not [text for text in _told(caught.value) if MARK in text]


PATHS = ["bot.db", "./me:pw@host", "/data/me:pw@host/a?password=1.db", "C:\\Users\\me@home\\bot.db", "C:/a/b@c",
         "my bot.db", "a:b", "x@y.db", "~/a.db", "../postgresql:x@y", "./postgresql:x", "postgres.db", ":memory:", "file.tar:1",
         "/a;token=1", "tokens.db", "host.db", "port 5.db", "password", "a=b.db"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_shown_as_it_is(path: str) -> None:
    """What is no address is neither refused nor changed."""
    assert shown_path(path) == path
    assert place(path).path.endswith(path.lstrip("~./") if path[0] in "~." else path)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_what_begins_as_a_path_is_one(rest: str) -> None:
    """Absolute, or from here, or from home."""
    for begin in ("/", "./", "../", "~/", "C:\\"):
        assert shown_path(begin + rest) == begin + rest


MODULES = [
    *sorted((ROOT / "_store").rglob("*.py")), ROOT / "_io" / "database.py",
    ROOT / "_io" / "disk" / "place.py", ROOT / "_api" / "outeract.py",
    *(ROOT / "_cli" / f"{name}.py" for name in ("opening", "commands", "doctor")),
]  # fmt: skip


def bare_paths(source: str) -> list[str]:
    """Where a store's path is put into a text as it is: `{path}`, `{self.path}`, `{core.path}`."""
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FormattedValue)
        and ast.unparse(node.value) in ("path", "self.path", "connection.path", "core.path", "tx.path")
    ]  # fmt: skip


BESIDE = {"_cli/doctor.py": 6}
"""Names of files beside the store that the doctor makes of its path, for the file system and for `chmod`."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_messages_name_a_store_by_one_function(path: Path) -> None:
    """Whoever writes a new message is told here."""
    found = bare_paths(path.read_text("utf-8"))
    assert len(found) <= BESIDE.get(path.relative_to(ROOT).as_posix(), 0), found


def test_a_bare_path_is_seen() -> None:
    """In any text that is put together."""
    assert bare_paths('raise StoreError(f"{self.path}: broken")')
    assert not bare_paths('raise StoreError(f"{shown_path(self.path)}: broken")')
