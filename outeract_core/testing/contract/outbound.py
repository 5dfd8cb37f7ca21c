"""Contract: rendering, and flows that end in a result or a SendError, whatever is answered.

Knows: every kind of flow and what may go wrong while one runs.
Does not know: any platform's requests; the subclass answers them in `replies`.
"""

from __future__ import annotations

import inspect
import json
import math
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from ... import adapter as protocols
from ...adapter import Call, Flow, Recipient, Reply
from ...errors import Ambiguous, SendError, Throttled
from ...text.commonmark import plain
from ..flows import drive
from .flows import TOKEN, Flows, Start, sends
from .hostile import DOCUMENT, STATUSES, TEXTS, error_replies
from .sealed import sealed
from .subject import expect

__all__ = ["OutboundContract"]

_RESULTS: dict[str, Any] = {
    "send": protocols.Sent, "find": (protocols.Sent, type(None)), "fetch": protocols.Download,
    "check": protocols.Health, "poll": protocols.Polled, "profile": protocols.Profile,
    "identify": (str, type(None)),
}  # fmt: skip


class OutboundContract(Flows):
    """Tests of `render`, `send` and the optional flows."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Each test of one flow runs once for every flow that the adapter claims to have."""
        if "verb" in metafunc.fixturenames:
            metafunc.parametrize("verb", self.verbs())

    # ── render ──

    def test_render_keeps_plain_words(self) -> None:
        """A word without any special character is rendered as it stands."""
        rendered = self.make().render(plain("Hello"))
        expect("Hello" in rendered, f"render made {rendered!r} of 'Hello'")

    def test_render_survives_hostile_text(self) -> None:
        """Any text renders to text, and never to nothing."""
        for text in TEXTS:
            rendered = self.make().render(plain(text))
            expect(isinstance(rendered, str) and rendered, f"render made {rendered!r} of {text!r}")

    def test_render_knows_every_node(self) -> None:
        """Each block and each inline node renders, alone and together, the same every time."""
        adapter = self.make()
        for document in (DOCUMENT, *((block,) for block in DOCUMENT)):
            first = adapter.render(document)
            expect(first == adapter.render(document), f"render differs between calls: {document}")
        for word in ("Heading", "bold", "gone", "under", "secret", "quoted", "deeper", "print"):
            expect(word in adapter.render(DOCUMENT), f"{word!r} is lost in rendering")

    # ── flows that go well ──

    def test_flow_succeeds(self, verb: str) -> None:
        """With the platform's own answers every flow returns what its protocol promises."""
        result, calls = drive(self.start(verb)(self.make()), self.replies)
        wanted = _RESULTS.get(verb.split()[0], type(None))
        expect(isinstance(result, wanted), f"{verb} returned {result!r}")
        if verb.startswith("send "):
            expect(calls, f"{verb} made no call")
            _check_sent(result)
        if isinstance(result, protocols.Profile):
            expect(result != protocols.Profile(), "profile tells nothing of somebody who is there")
            _check_profile(result, self.secrets())

    def test_flows_stay_inside(self, verb: str) -> None:
        """A flow only yields: whatever it imports, it connects, sleeps and starts nothing itself."""
        start = self.start(verb)
        with sealed():
            drive(start(self.make()), self.replies)

    def test_calls_are_well_formed(self, verb: str) -> None:
        """Calls are absolute, encodable, say one thing each, and are the same on every attempt."""
        calls = self._calls(verb)
        expect(calls == self._calls(verb), f"{verb}: another attempt makes other calls")
        for call in calls:
            _check_call(call, self.schemes)
        base = str(self.config.get("base_url") or "")
        if base and verb.startswith("send "):
            expect(any(c.url.startswith(base) for c in calls), f"{verb}: base_url is not used")

    def test_hostile_text_stays_in_the_body(self) -> None:
        """Nothing that people write can change a URL or add a header."""
        plainly = [(c.method, c.url, c.headers) for c in self._calls("send text")]
        for text in TEXTS:
            outgoing = self.outgoing(self.to(), text)
            calls = self._run(sends(outgoing))
            expect(calls, f"no call for {text!r}")
            for call in calls:
                _check_call(call, self.schemes)
            told = [(c.method, c.url, c.headers) for c in calls]
            expect(told[0] == plainly[0], f"{text!r} changes the request to {told}")

    def test_hostile_recipients_stay_on_the_host(self) -> None:
        """An address like a path or a URL reaches no other host and breaks no request."""
        hosts = {urlsplit(c.url).netloc for c in self._calls("send text")}
        for address in ("../../x?y=1#z", "@evil.example/", "//evil.example", "a b\r\nX: y", "é\0"):
            outgoing = self.outgoing(Recipient(address, address), "Hello")
            for call in self._run(sends(outgoing)):
                _check_call(call, self.schemes)
                expect(urlsplit(call.url).netloc in hosts, f"{address!r} leads to another host")
                expect(".." not in urlsplit(call.url).path, f"{address!r} climbs in the path")

    def test_native_idempotency_carries_the_token(self) -> None:
        """Where a repeated send is harmless by the platform's doing, the request holds the token."""
        if self.manifest.idempotency != "native":
            pytest.skip(f"idempotency is {self.manifest.idempotency}")
        calls = self._calls("send text")
        expect(any(TOKEN in _whole(c) for c in calls), f"no call carries the token {TOKEN}")

    # ── flows that go wrong ──

    def test_errors_become_send_errors(self, verb: str) -> None:
        """An error answer to any call ends in a SendError without secrets; sending never succeeds."""
        start = self.start(verb)
        for at in range(len(self._calls(verb))):
            for bad in (reply for status in STATUSES for reply in error_replies(status)):
                what = f"{verb}, call {at + 1}: {bad.status} {bad.body!r}"
                error = self._fail(start, at, bad, what)
                done = error is None and verb.startswith("send ")
                expect(not done, f"{what}: taken for a success")

    def test_nonsense_in_a_success_is_no_crash(self, verb: str) -> None:
        """A 200 with an empty, cut or foreign body ends in a SendError or a result."""
        start = self.start(verb)
        for at in range(len(self._calls(verb))):
            for bad in error_replies(200):
                self._fail(start, at, bad, f"{verb}, call {at + 1}: 200 {bad.body!r}")

    def test_flow_can_be_abandoned(self, verb: str) -> None:
        """A flow is a generator; closed at any call it ends, and a SendError thrown in comes out."""
        start = self.start(verb)
        for at in range(len(self._calls(verb))):
            self._walk(start, at).close()
            flow = self._walk(start, at)
            try:
                flow.throw(Ambiguous("the connection broke"))
            except (SendError, StopIteration):
                continue
            raise AssertionError(f"{verb}: yields on after the connection broke at call {at + 1}")

    def test_no_secret_shows(self) -> None:
        """Adapter, settings and calls hide every secret; a URL that holds one says so."""
        shown = [repr(self.make()), repr(self.settings())]
        for verb in self.verbs():
            for call in self._calls(verb) if self._has(verb) else ():
                shown.append(repr(call))
                hidden = call.secret_url or not self._secret_in(call.url)
                expect(hidden, f"{verb}: a secret in the URL, but secret_url is not set")
        for text in shown:
            expect(not self._secret_in(text), "a secret in a repr")

    # ── of use above ──

    def _secret_in(self, text: str) -> bool:
        return any(s in text or quote(s, safe="") in text for s in self.secrets())

    def _fail(self, start: Start, at: int, bad: Reply, what: str) -> SendError | None:
        """Answer call `at` and all later ones with `bad`; what the flow raised, checked."""
        answered = 0

        def answer(call: Call) -> Reply:
            nonlocal answered
            answered += 1
            return self.replies(call) if answered <= at else bad

        try:
            drive(start(self.make()), answer)
        except SendError as error:
            expect(not self._secret_in(_chain(error)), f"{what}: a secret in {type(error)}")
            _check_wait(error, what)
            return error
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(f"{what}: raised {error!r}, not a SendError") from error
        return None

    def _walk(self, start: Start, at: int) -> Flow[Any]:
        """The flow, stopped where it waits for the reply to call `at`."""
        flow = start(self.make())
        expect(inspect.isgenerator(flow), f"a flow must be a generator, not {type(flow)}")
        call = next(flow)
        for _ in range(at):
            call = flow.send(self.replies(call))
        return flow

    def _calls(self, verb: str) -> list[Call]:
        return drive(self.start(verb)(self.make()), self.replies)[1]

    def _run(self, start: Start) -> list[Call]:
        """The calls of a flow that may be refused on the way."""
        calls: list[Call] = []

        def answer(call: Call) -> Reply:
            calls.append(call)
            return self.replies(call)

        try:
            drive(start(self.make()), answer)
        except SendError:
            pass
        return calls

    def _has(self, verb: str) -> bool:
        try:
            self.start(verb)
        except pytest.skip.Exception:
            return False
        return True


def _check_profile(told: protocols.Profile, secrets: list[str]) -> None:
    for what in (told.name, told.picture_url, told.version):
        expect(what is None or (isinstance(what, str) and what), f"profile tells {what!r}")
    handle = {} if told.picture is None else told.picture.handle
    shown = json.dumps([told.name, told.picture_url, told.version, handle], allow_nan=False)
    expect(not any(one in shown for one in secrets), "profile tells a secret")


def _check_sent(sent: protocols.Sent) -> None:
    external = sent.external_id
    expect(external is None or (isinstance(external, str) and external), f"{external!r} as an id")
    expect(all(isinstance(a, str) and a for a in sent.aliases), f"aliases {sent.aliases!r}")
    json.dumps(sent.raw, allow_nan=False)


def _check_call(call: Call, schemes: tuple[str, ...]) -> None:
    expect(isinstance(call, Call), f"a flow yielded {call!r}")
    expect(call.method in ("GET", "POST", "PUT", "PATCH", "DELETE"), f"method {call.method!r}")
    url = urlsplit(call.url)
    expect(url.scheme in schemes and url.netloc, f"the URL of {call!r} is not absolute")
    clean = call.url.isascii() and call.url.isprintable() and " " not in call.url
    expect(clean, f"the URL of {call!r} is not encoded")
    for name, value in call.headers.items():
        sound = isinstance(value, str) and not {"\r", "\n", "\0"} & set(name + value)
        expect(sound, f"header {name!r} of {call!r} is not one line of text")
    bodies = [b for b in (call.json, call.form, call.content) if b is not None]
    expect(len(bodies) <= 1, f"{call!r} has {len(bodies)} bodies")
    json.dumps(call.json, allow_nan=False)
    for pairs in (call.params, call.form):
        texts = all(isinstance(v, str) for v in (pairs or {}).values())
        expect(texts, f"params and form of {call!r} must hold text")
    expect(call.timeout > 0, f"{call!r} has no time")


def _check_wait(error: SendError, what: str) -> None:
    if isinstance(error, Throttled):
        sound = error.after is None or 0 <= error.after < math.inf
        expect(sound, f"{what}: Throttled for {error.after} seconds")
        expect(error.scope in ("chat", "connection"), f"{what}: the scope {error.scope!r}")


def _whole(call: Call) -> str:
    body = json.dumps([call.json, dict(call.form or {}), dict(call.params or {})])
    content = call.content.decode(errors="replace") if isinstance(call.content, bytes) else ""
    return " ".join([call.url, body, content, *call.headers.values()])


def _chain(error: BaseException | None) -> str:
    """The error and everything that it was raised from, as a log would show it."""
    shown = []
    while error is not None:
        shown.append(f"{error} {error!r} {vars(error)!r}")
        error = error.__cause__ or error.__context__
    return " ".join(shown)
