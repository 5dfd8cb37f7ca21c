"""The contract notices what is wrong with an adapter, and a third party's package passes it."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib.metadata import EntryPoint
from itertools import count
from pathlib import Path

import pytest

from outeract_core.testing import AdapterContract
from outeract_core.testing.contract.hostile import BODIES
from outeract_core.testing.contract.sealed import sealed
from outeract_core.testing.contract.subject import GROUP
from tests.support.patience import PATIENCE
from tests.support.places import ROOT

DOCS = ROOT / "docs"
PIGEON = DOCS / "examples" / "outeract-pigeon"
PAGE = DOCS / "how-to" / "write-an-adapter.md"
NUMBERS = count()

GIVEN = 'given = inbound.headers.get("x-pigeon-signature", "").encode("utf-8", "replace")'
REFUSE = "if not hmac.compare_digest(expected, given):"
ASK = "        reply = yield self._call("
IDEMPOTENT = '{"idempotency-key": outgoing.token}'
NO_ID = """        if not isinstance(body, dict) or not isinstance(body.get("id"), str) or not body["id"]:
            raise Ambiguous("the loft took the letter, but gave no id")
"""
RENDER = "    def render("
ODD = 'yield Unparsed(letter, f"not a letter: {error!r}")'

FAULTS: dict[str, tuple[str, str, str]] = {
    "verify accepts everything": (REFUSE, "if False:", "test_verify_refuses_tampered"),
    "verify accepts nothing": (REFUSE, "if True:", "test_verify_accepts_samples"),
    "verify expects a number": (
        REFUSE, f"if int(given or b'0', 16) < 0 or {REFUSE[3:]}",
        "test_verify_survives_any_header",
    ),
    "verify lets the unsigned in": (
        REFUSE, f"if given and not {REFUSE[7:]}", "test_verify_refuses_a_bad_header",
    ),
    "verify breaks on a header": (
        GIVEN, 'given = inbound.headers.get("x-pigeon-signature", "").encode("ascii")',
        "test_verify_refuses_a_bad_header",
    ),
    "verify signs what it parsed": (
        "signature(inbound.body,", 'signature(inbound.body.strip(b" "),',
        "test_verify_refuses_a_changed_body",
    ),
    "verify works without a secret": (
        'self._settings.secret("webhook_secret")',
        'str(self._settings.get("webhook_secret") or "")', "test_a_missing_secret_fails_closed",
    ),
    "parse counts": (
        "(letter: dict[str, Any]) -> Fact:",
        "(letter: dict[str, Any], seen: list[int] = []) -> Fact:\n    seen.append(1)\n"
        "    letter = {**letter, 'id': f'{letter[\"id\"]}.{len(seen)}'}",
        "test_parse_is_pure",
    ),
    "parse reads the clock": (
        'datetime.fromtimestamp(letter["at"], UTC)', "datetime.now(UTC)", "test_is_pure",
    ),
    "parse goes by the time of arrival": (
        "yield fact(letter)",
        'yield fact({**letter, "id": f"{letter[\'id\']}@{inbound.received_at}"})',
        "test_keys_survive_redelivery",
    ),
    "parse looks up a name": (
        "yield fact(letter)",
        'import socket; socket.getaddrinfo("loft.example", 80); yield fact(letter)',
        "test_parse_stays_inside",
    ),
    "one bad letter loses the rest": (ODD, "return", "test_parse_finds_the_facts"),
    "one bad letter loses the batch": (
        ODD, 'raise ParseError("bad") from error', "test_parse_finds_the_facts",
    ),
    "parse breaks on odd letters": (
        "except (KeyError, TypeError, ValueError, OverflowError, OSError) as error",
        "except ParseError as error", "test_parse_finds_the_facts",
    ),
    "parse breaks on another type": ("TypeError, ValueError, ", "ValueError, ", "test_parse_survives_wrong_shapes"),
    "a handshake of no use": (
        RENDER, f"    def handshake(self, inbound):\n        return 'pong'\n\n{RENDER}",
        "test_handshake_answers_or_passes",
    ),
    "a delivery is refused afterwards": (
        RENDER,
        "    def acknowledge(self, inbound):\n        from outeract_core.adapter import Response\n"
        f"        return Response(500)\n\n{RENDER}",
        "test_acknowledge_gives_a_response",
    ),
    "what is kept reads otherwise": (
        RENDER,
        "    def reread(self, raw, at):\n        yield fact({**raw, 'text': 'lost'})\n\n"
        f"{RENDER}",
        "test_what_is_kept_reads_again",
    ),
    "nothing is said of no letters": (
        'raise ParseError("no letters")', "return", "test_parse_survives_hostile_bodies",
    ),
    "the key is missing": ("key=number,", "key=None,", "test_what_can_repeat_has_a_key"),
    "the key is always the same": ("key=number,", 'key="k",', "test_keys_are_unique"),
    "the key is not the message's id": (
        "key=number,", 'key=f"x{number}",', "test_messages_have_their_payload",
    ),
    "the time has no zone": (
        'datetime.fromtimestamp(letter["at"], UTC)', 'datetime.fromtimestamp(letter["at"])',
        "test_facts_are_sound",
    ),
    "the kind is unknown": (
        'kind="message.inbound"', 'kind="message.letter"', "test_facts_are_sound",
    ),
    "an action of another shape": (
        'kind="message.inbound"', 'kind="message.action"', "test_actions_have_their_payload",
    ),
    "ids have two forms": (
        "    def render(",
        "    def normalise(self, external_id: str, kind: str) -> str:\n"
        '        return f"{external_id}!"\n\n    def render(',
        "test_ids_have_one_form",
    ),
    "a secret is stored": (
        "key=number,", 'key="pigeon-loft-token",', "test_facts_hold_no_secret",
    ),
    "send connects": (
        ASK, f'        __import__("socket").create_connection(("127.0.0.1", 9))\n{ASK}',
        "test_flows_stay_inside",
    ),
    "send imports socket": (ASK, f"        import socket\n{ASK}", "test_is_pure"),
    "send sleeps": (ASK, f'        __import__("time").sleep(9)\n{ASK}', "test_flows_stay_inside"),
    "send retries": (
        f'{ASK}"POST"',
        "        try:\n            yield self._call(\"GET\", \"/loft\")\n"
        f'        except SendError:\n            pass\n{ASK}"POST"',
        "test_flow_can_be_abandoned",
    ),
    "send gives no receipt": ('return Sent(body["id"])', "return None", "test_flow_succeeds"),
    "an error without its reason": (
        'body.get("wait") if isinstance(body, dict) else None', 'body["wait"]',
        "test_errors_become_send_errors",
    ),
    "the address gets into the path": (
        '"/letters", letter', 'f"/{outgoing.to.address}/letters", letter',
        "test_hostile_recipients_stay_on_the_host",
    ),
    "send believes every answer": (NO_ID, "", "test_nonsense_in_a_success_is_no_crash"),
    "send forgets the token": (IDEMPOTENT, "None", "test_native_idempotency_carries_the_token"),
    "send makes a new token": (
        IDEMPOTENT,
        '{"idempotency-key": f"{setattr(Pigeon, \'n\', getattr(Pigeon, \'n\', 0) + 1)}'
        '{Pigeon.n}{outgoing.token}"}',
        "test_calls_are_well_formed",
    ),
    "the text gets into the address": (
        '"/letters", letter', 'f"/letters?{outgoing.text}", letter',
        "test_hostile_text_stays_in_the_body",
    ),
    "the key gets into the address": (
        '"/letters", letter', 'f"/letters?{self._settings.secret(\'token\')}", letter',
        "test_no_secret_shows",
    ),
    "base_url is not used": (
        'f"{base}{path}"', 'f"https://elsewhere.example{path}"', "test_calls_are_well_formed",
    ),
    "render loses the text": (
        "return to_plain(document)", 'return ""', "test_render_keeps_plain_words",
    ),
    "render takes only ASCII": (
        "return to_plain(document)", 'return to_plain(document).encode("ascii").decode()',
        "test_render_survives_hostile_text",
    ),
    "render takes only paragraphs": (
        "return to_plain(document)", "return document[0].children[0].text",
        "test_render_knows_every_node",
    ),
    "a claim that core does not know": (
        'frozenset({"text"})', 'frozenset({"text", "flying"})', "test_capabilities_are_known",
    ),
    "a limit below zero": ("pace_chat=1.0", "pace_chat=-1.0", "test_limits_are_positive"),
    "a claim without a method": (
        'frozenset({"text"})', 'frozenset({"text", "react"})',
        "test_capabilities_agree_with_methods",
    ),
    "a claim without a limit": (
        'frozenset({"text"})', 'frozenset({"text", "buttons"})',
        "test_capabilities_agree_with_limits",
    ),
    "a secret nobody explains": (
        'frozenset({"token", "webhook_secret"})', 'frozenset({"token", "password"})',
        "test_config_is_documented",
    ),
    "a private import": (
        "import hashlib", "import hashlib\nfrom outeract_core._domain.values.ids import *", "test_is_pure",
    ),
    "another name": ('platform="pigeon"', 'platform="dove"', "test_platform_is_its_entry_point"),
}  # fmt: skip


@pytest.fixture
def contract(monkeypatch, tmp_path):
    """The pigeon's own contract class, and a way to plant a fault in its adapter."""
    monkeypatch.syspath_prepend(str(PIGEON))
    monkeypatch.syspath_prepend(str(tmp_path))
    theirs = importlib.import_module("test_pigeon").TestPigeon

    def planted(old: str, new: str):
        source = (PIGEON / "outeract_pigeon.py").read_text()
        assert source.count(old) >= 1, f"{old!r} is not in the pigeon's source"
        name = f"faulty_pigeon_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(source.replace(old, new))
        importlib.invalidate_caches()
        assert importlib.import_module(name).Pigeon

        class Faulty(theirs):
            def entry(self):
                return EntryPoint("pigeon", f"{name}:Pigeon", GROUP)

        return Faulty()

    return planted


def failed(subject) -> set[str]:
    """Which of the contract's tests do not hold for this subject."""
    names = [name for name in dir(subject) if name.startswith("test_")]
    return {name for name in names if not holds(subject, name)}


def holds(subject, name: str) -> bool:
    """Whether one test of the contract holds, for each flow and each hostile body that it is given."""
    test = getattr(subject, name)
    wanted = test.__code__.co_varnames[1 : test.__code__.co_argcount]
    cases = {"verb": subject.verbs, "body": lambda: list(BODIES)}
    for case in cases[wanted[0]]() if wanted else [None]:
        try:
            test(*([] if case is None else [case]))
        except pytest.skip.Exception:
            continue
        except Exception:
            return False
    return True


def test_a_sound_adapter_passes(contract):
    """Without a fault no test of the contract fails: the faults below are what the others catch."""
    subject = contract("import hmac", "import hmac")
    assert failed(subject) == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_noticed(contract, fault):
    """A planted fault makes the test fail that is there for it."""
    old, new, test = FAULTS[fault]
    assert not holds(contract(old, new), test)


def test_every_test_of_the_contract_can_fail():
    """Each test of the contract is the one that notices some fault of an adapter or of its test."""
    names = {name for name in dir(AdapterContract) if name.startswith("test_")}
    assert names == {test for _, _, test in FAULTS.values()} | {"test_secrets_can_be_seen"}


@pytest.mark.parametrize("secret", ["short", "pigeon-loft-token"])
def test_secrets_of_a_test_must_be_telling(contract, secret):
    """A secret too short to be looked for, or the same as another, makes the contract fail."""
    subject = contract("import hmac", "import hmac")
    subject.config = {**subject.config, "webhook_secret": secret}
    assert failed(subject) >= {"test_secrets_can_be_seen"}


# ── sealed ────────────────────────────────────────────────────────────────────────────────────


def connect() -> None:
    """Connect a socket that is closed in any case."""
    with socket.socket() as one:
        one.connect(("127.0.0.1", 9))


@pytest.mark.parametrize(
    "door",
    [
        connect,
        lambda: socket.getaddrinfo("localhost", 80),
        lambda: socket.create_connection(("127.0.0.1", 9)),
        lambda: time.sleep(0),
        lambda: threading.Thread(target=print).start(),
        lambda: subprocess.run(["true"], check=True),
    ],
)
def test_sealed_doors_stay_shut(door):
    """Each way out raises, also when the code inside swallows the error."""
    with pytest.raises(AssertionError, match="yield a Call"), sealed(), suppress(AssertionError):
        door()


def test_sealed_is_undone():
    """Afterwards everything is as it was, and other threads never notice."""
    before = (socket.socket.__dict__.get("connect"), socket.getaddrinfo, time.sleep)
    told: list[str] = []
    waiting, go = threading.Event(), threading.Event()

    def other() -> None:
        waiting.set()
        go.wait(PATIENCE)
        time.sleep(0)
        told.append("slept")

    thread = threading.Thread(target=other)
    thread.start()
    waiting.wait(PATIENCE)
    with sealed():
        go.set()
        thread.join(PATIENCE)
    assert told == ["slept"]
    assert (socket.socket.__dict__.get("connect"), socket.getaddrinfo, time.sleep) == before


# ── a package of a third party ────────────────────────────────────────────────────────────────


def test_the_pigeon_passes_when_installed(tmp_path):
    """Built and installed by pip, found by its entry point, the example passes its own contract."""
    site, work = tmp_path / "site", tmp_path / "work"
    source = shutil.copytree(PIGEON, tmp_path / "source")
    install = ["pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "--target"]
    run([sys.executable, "-m", *install, str(site), str(source)], tmp_path)
    work.mkdir()
    shutil.copy(PIGEON / "test_pigeon.py", work)
    told = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], work, str(site))
    passed = re.search(r"(\d+) passed", told)
    assert passed
    assert int(passed[1]) >= 60
    assert "failed" not in told


def run(command: list[str], at: Path, *paths: str) -> str:
    """What a command says; it must succeed."""
    path = os.pathsep.join([*paths, *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(language: str) -> list[str]:
    """The fenced blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_page_shows_the_package():
    """Module, test and project file of the example stand in the page, word for word and in order."""
    shown = "\n".join(blocks("python"))
    for name in ("outeract_pigeon.py", "test_pigeon.py"):
        source = (PIGEON / name).read_text()
        _, _, code = source.partition('"""\n\n')
        code, at = code.replace("from outeract_pigeon import signature\n", ""), 0
        for paragraph in (part.strip("\n") for part in code.split("\n\n")):
            at = shown.find(paragraph, at)
            assert at >= 0, paragraph
    assert (PIGEON / "pyproject.toml").read_text() in blocks("toml")


def test_the_page_runs(tmp_path, monkeypatch):
    """Every Python block of the page runs, one after the other."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "page"}
    for block in blocks("python"):
        exec(compile(block, PAGE.name, "exec"), namespace)
    assert namespace["Pigeon"]
