"""Whatever a platform's moods: each conversation's messages leave in order, once, and none is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import Outeract
from outeract_core.adapter import Call, Flow, Inbound, Manifest, Outgoing, Sent, Settings
from outeract_core.errors import Ambiguous, Rejected, Throttled, Transient
from outeract_core.events import Fact, Unparsed
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from outeract_core.text import Document, to_plain

MOODS = {
    "throttled": Throttled("slower", after=7, scope="chat"),
    "busy": Throttled("slower, all of you", after=3, scope="connection"),
    "down": Transient("not now"),
    "no": Rejected("never"),
    "silent": Ambiguous("the line went dead"),
}


class Moody:
    """A platform that answers each request as the test's terminal tells it."""

    manifest: ClassVar[Manifest] = Manifest(platform="moody", text_limit=None, webhook="none")

    def __init__(self, settings: Settings) -> None:
        pass

    def verify(self, inbound: Inbound) -> None:
        """Nothing comes in."""

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """Nothing comes in."""
        return ()

    def render(self, document: Document) -> str:
        """As plain text."""
        return to_plain(document)

    def send(self, outgoing: Outgoing) -> Flow[Sent]:
        """Ask the terminal for its mood, and act on it."""
        said = {"to": outgoing.to.address, "text": outgoing.text}
        reply = yield Call("POST", "console://mood", json=said)
        mood = reply.json()
        if mood in MOODS:
            raise MOODS[mood]
        return Sent(f"moody:{outgoing.token}")


steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from("ab")),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("wait"), st.sampled_from([1, 8, 60, 4000])),
        st.tuples(st.just("pump"), st.none()),
    ),
    max_size=30,
)
moods = st.lists(st.sampled_from(["ok", "ok", "ok", *MOODS]), max_size=20)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps, moods=moods)
def test_order_and_number_hold_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, backend: str, steps: list[Any], moods: list[str]
) -> None:
    """Each message ends sent once, failed, unknown or cancelled; those sent kept their order."""
    path = tmp_path_factory.mktemp("lanes") / "a.db"
    anyio.run(_play, path, list(steps), list(moods), backend=backend)


async def _play(path: Any, steps: list[Any], moods: list[str]) -> None:
    accepted: list[tuple[str, str]] = []

    def terminal(said: dict[str, str]) -> str:
        mood = moods.pop(0) if moods else "ok"
        if mood in ("ok", "silent"):
            accepted.append((said["to"], said["text"]))
        return mood

    clock = ManualClock()
    async with Outeract(path, clock=clock, console=terminal, durability="normal") as core:
        core.register("moody", Moody)
        app = core.app("lanes")
        app.connect("moody")
        sent: list[Any] = []
        for verb, what in steps:
            if verb == "send":
                sent.append((what, await app.send(("moody", what), f"{len(sent):03}")))
            elif verb == "cancel" and sent:
                await sent[what % len(sent)][1].cancel()
            elif verb == "wait":
                clock.advance(what)
            elif verb == "pump":
                await core.pump()
        for _ in range(20 + len(sent)):
            clock.advance(4000)
            await core.pump()
        states = [(await delivery.state()).status for _to, delivery in sent]
        assert await app.events.count(type_is("message.outbound")) == len(sent)
    assert set(states) <= {"sent", "failed", "unknown", "cancelled"}
    for lane in "ab":
        texts = [text for to, text in accepted if to == lane]
        assert texts == sorted(set(texts))
    arrived = {text for _to, text in accepted}
    for number, status in enumerate(states):
        assert (f"{number:03}" in arrived) == (status in ("sent", "unknown"))
