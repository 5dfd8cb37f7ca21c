"""The way in: verify, parse, commit, answer; and what happens when one of these fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import apsw
import httpx
import pytest
from attrs import evolve

from outeract_core import App, Outeract
from outeract_core._store.writing import raw_deliveries
from outeract_core.adapter import Flow, Polled
from outeract_core.errors import StoreBroken, Transient
from outeract_core.events import Unparsed
from outeract_core.testing import ManualClock, SequentialIds, sign_slack
from tests.support.patience import BRIEFLY, soon
from tests.support.reading.crooked import CROOKED, GOOD_FACT
from tests.support.reading.signed import PLATFORMS, SIGNATURES, Line, line
from tests.support.reading.world import (
    GOOD,
    Loft,
    Pigeon,
    body_of,
    connect,
    event,
    everything,
    item,
    poll_cursor,
    post,
    raw_conn,
    said,
    texts,
    types,
)  # fmt: skip

pytestmark = pytest.mark.anyio


@pytest.fixture
def loft() -> Loft:
    """The far end of Pigeon."""
    return Loft()


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock, loft: Loft) -> AsyncIterator[Outeract]:
    """A store whose requests all go to the loft."""
    async with Outeract(
        tmp_path / "bot.db", clock=clock, ids=SequentialIds(), allow_private_addresses=True,
        transport=httpx.MockTransport(loft), busy_timeout=BRIEFLY, body_limit=10_000,
    ) as core:  # fmt: skip
        yield core


@pytest.fixture(params=PLATFORMS)
def signed(request: pytest.FixtureRequest, core: Outeract, app: App, clock: ManualClock) -> Line:
    """A connection of each platform that signs."""
    return line(core, app, clock, request.param)


# ── signatures ────────────────────────────────────────────────────────────────────────────────


async def test_a_signed_message_is_in_the_log_when_it_is_answered(signed: Line) -> None:
    """A right signature: 200, and the event is there; once more: 200, and nothing new."""
    request = signed.sign(signed.say("hello"))
    for _ in range(2):
        assert (await signed.post(request)).status == 200
        assert await texts(signed.app) == ["hello"]


SPOILT = {
    "none": None, "empty": "", "wrong": "wrong", "not ASCII": "ünïcode", "a surrogate": "\ud800",
    "an escaped byte": "\udcff", "very long": "x" * 100_000, "NUL": "\0",
}  # fmt: skip


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
async def test_a_bad_signature_is_refused(signed: Line, spoilt: str | None) -> None:
    """Missing, malformed or wrong: 401 or 403 with nothing to learn from, and nothing is stored."""
    before = await types(signed.app)
    headers, body = signed.sign(signed.say("hello"))
    name = SIGNATURES[signed.conn.platform]
    headers = {k: v for k, v in headers.items() if k != name}
    if spoilt is not None:
        headers[name] = spoilt
    answer = await signed.post((headers, body))
    assert (answer.status in (401, 403), answer.body) == (True, b"")
    assert await types(signed.app) == before
    assert await signed.core.replay() == (0, 0)


async def test_a_signature_of_another_secret_is_refused(
    signed: Line, core: Outeract, clock: ManualClock
) -> None:
    """The right scheme with somebody else's secret is as good as none."""
    headers, body = signed.sign(signed.say("hello"))
    name = SIGNATURES[signed.conn.platform]
    for other in (headers[name][:-1], headers[name][:-1] + "0x"[headers[name][-1] == "0"],
                  headers[name].swapcase(), f" {headers[name]}"):  # fmt: skip
        answer = await signed.post(({**headers, name: other}, body))
        assert answer.status in (401, 403)
    assert await texts(signed.app) == []


@pytest.mark.parametrize("platform", ["whatsapp", "slack"])
async def test_the_signature_is_over_the_raw_bytes(
    core: Outeract, app: App, clock: ManualClock, platform: str
) -> None:
    """The same JSON in other bytes does not verify; the very bytes do, however they are spaced."""
    one = line(core, app, clock, platform)
    payload = one.say("Grüße")
    headers, body = one.sign(payload)
    for changed in (body + b" ", b" " + body, json.dumps(payload, indent=1).encode(), body[:-1]):
        assert (await one.post((headers, changed))).status == 401
    spaced = json.dumps(payload, indent=3, ensure_ascii=False).encode()
    assert (await one.post(one.sign(spaced))).status == 200
    assert await texts(app) == ["Grüße"]


async def test_an_old_slack_request_is_a_replay(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """Slack's requests are good for five minutes, either way."""
    one = line(core, app, clock, "slack")
    request = one.sign(one.say("hello"))
    for seconds, status in ((301, 401), (-301, 401), (299, 200)):
        start = clock()
        clock.advance(seconds)
        assert (await one.post(request)).status == status
        clock.set(start)
    headers, body = request
    for stamp in ("", "x", "-1", "1e9", "9" * 30, "١٢٣"):
        spoilt = {**headers, "x-slack-request-timestamp": stamp}
        assert (await one.post((spoilt, body))).status == 401


# ── handshakes and methods ────────────────────────────────────────────────────────────────────


async def test_metas_handshake_is_answered_with_its_challenge(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """The challenge comes back for the right verify token, 403 for another, 405 for no handshake."""
    one = line(core, app, clock, "whatsapp")
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    answer = await one.ask("GET", {}, {**asked, "hub.verify_token": "verify-me-please"}, b"")
    assert (answer.status, answer.body) == (200, b"1158201444")
    for token in ("", "wrong", "verify-me-pleas\u00e9", "\ud800"):
        answer = await one.ask("GET", {}, {**asked, "hub.verify_token": token}, b"")
        assert answer.status == 403
        assert b"1158201444" not in answer.body
    assert (await one.ask("GET", {}, {}, b"")).status == 405


async def test_slacks_handshake_is_signed_like_all_else(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """`url_verification` is answered with its challenge when it is signed, and refused when not."""
    one = line(core, app, clock, "slack")
    payload = {"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHk"}
    answer = await one.post(one.sign(payload))
    assert (answer.status, payload["challenge"].encode() in answer.body) == (200, True)
    headers, body = sign_slack(payload, "another secret", clock())
    assert (await one.post((headers, body))).status == 401
    assert await texts(app) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "get", "", "POST "])
async def test_only_a_post_delivers(signed: Line, method: str) -> None:
    """Any other method is 405 and says what is allowed; nothing is read. The method has no case."""
    headers, body = signed.sign(signed.say("hello"))
    answer = await signed.ask(method, headers, {}, body)
    assert (answer.status, answer.headers.get("allow")) == (405, "POST")
    assert await texts(signed.app) == []
    assert (await signed.ask("post", headers, {}, body)).status == 200


# ── addresses ─────────────────────────────────────────────────────────────────────────────────

NOBODY = ["", "x", "\0", "é", "\ud800", "\udcff", "../..", "x" * 100_000, "' OR 1=1 --"]


@pytest.mark.parametrize("wrong", NOBODY)
async def test_a_wrong_address_is_not_found(core: Outeract, app: App, wrong: str) -> None:
    """A wrong id, a wrong secret, or both: one and the same 404, whoever asks."""
    conn = connect(core, app)
    answers = [
        await core.ingest(*where, "POST", GOOD, {}, body_of(item("m1")))
        for where in ((wrong, conn.webhook_secret), (conn.webhook_id, wrong), (wrong, wrong))
    ]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1
    assert await texts(app) == []


async def test_the_secret_of_another_connection_does_not_fit(core: Outeract, app: App) -> None:
    """Each webhook id goes with its own secret only."""
    one, two = connect(core, app, name="one"), connect(core, app, name="two")
    answer = await core.ingest(one.webhook_id, two.webhook_secret, "POST", GOOD, {}, b"{}")
    assert answer.status == 404


async def test_a_connection_made_elsewhere_is_found(
    core: Outeract, app: App, tmp_path: Path
) -> None:
    """A connection that another process has made answers without a restart."""
    async with Outeract(tmp_path / "bot.db", ids=SequentialIds(10**6)) as other:
        conn = connect(other, other.app("support"), name="later")
        core.register("pigeon", Pigeon)
        assert (await post(core, conn, body_of(item("m1", "hi")))).status == 200
        assert await texts(app) == ["hi"]


async def test_a_body_over_the_limit_is_refused(core: Outeract, app: App) -> None:
    """10 000 bytes are taken, 10 001 are 413; nothing of them is stored."""
    conn = connect(core, app)
    good = body_of(item("m1"))
    assert (await post(core, conn, good + b" " * (10_001 - len(good)))).status == 413
    assert await types(app) == []
    assert (await post(core, conn, good + b" " * (10_000 - len(good)))).status == 200
    assert await texts(app) == ["hi"]


# ── at once, and in trouble ───────────────────────────────────────────────────────────────────


async def test_a_thousand_at_once_are_one(core: Outeract, app: App) -> None:
    """The same webhook a thousand times at the same moment is one event, and all are acknowledged."""
    conn = connect(core, app)
    body, statuses = body_of(item("m1", "hi")), []

    async def deliver() -> None:
        statuses.append((await post(core, conn, body)).status)

    with soon():
        async with anyio.create_task_group() as group:
            for _ in range(1000):
                group.start_soon(deliver)
    assert statuses == [200] * 1000
    assert await texts(app) == ["hi"]
    positions = [e.position for e in await everything(app)]
    assert len(positions) == 1


async def test_while_the_store_is_busy_the_platform_is_told_to_come_again(
    core: Outeract, app: App, tmp_path: Path
) -> None:
    """503 with Retry-After while another process holds the lock; afterwards the repeat is stored."""
    conn = connect(core, app)
    other = apsw.Connection(str(tmp_path / "bot.db"))
    other.execute("BEGIN IMMEDIATE")
    answer = await post(core, conn, body_of(item("m1")))
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    other.execute("ROLLBACK")
    other.close()
    assert (await post(core, conn, body_of(item("m1")))).status == 200
    assert await texts(app) == ["hi"]


async def test_a_store_that_is_closed_answers_503(core: Outeract, app: App) -> None:
    """After `close` nothing is acknowledged."""
    conn = connect(core, app)
    core.close()
    assert (await post(core, conn, body_of(item("m1")))).status == 503


async def test_a_broken_store_answers_503(
    core: Outeract, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever kind of StoreError a commit ends with, the platform keeps the delivery."""
    conn = connect(core, app)

    async def broken(_unit: Any, **_more: Any) -> Any:
        raise StoreBroken("twice")

    monkeypatch.setattr(core.runtime.database, "write", broken)
    assert (await post(core, conn, body_of(item("m1")))).status == 503


async def test_a_missing_secret_is_503_until_it_is_there(
    core: Outeract, app: App, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret whose variable is not set refuses nobody for good: 503, then 200."""
    monkeypatch.delenv("PIGEON_TEST_SECRET", raising=False)
    one = line(core, app, clock, "slack", signing_secret="env:PIGEON_TEST_SECRET")
    request = one.sign(one.say("hello"))
    answer = await one.post(request)
    assert answer.status == 503
    assert "retry-after" in answer.headers
    monkeypatch.setenv("PIGEON_TEST_SECRET", "the-right-secret")
    assert (await one.post(request)).status == 200
    assert await texts(app) == ["hello"]


# ── polls ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_poll_brings_what_is_new(core: Outeract, app: App, loft: Loft) -> None:
    """Each poll goes on where the last one ended, also after a restart."""
    conn = connect(core, app)
    loft.items = [item("m1", "one"), item("m2", "two")]
    assert await core._receiver.poll(raw_conn(core, conn), 0) == 2
    assert poll_cursor(core, conn) == 2
    loft.items.append(item("m3", "three"))
    assert await core._receiver.poll(raw_conn(core, conn), 0) == 1
    assert await core._receiver.poll(raw_conn(core, conn), 0) == 0
    assert await texts(app) == ["one", "two", "three"]


async def test_facts_and_cursor_are_one_commit(
    core: Outeract, app: App, loft: Loft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the commit fails neither the facts nor the cursor are there, and the next poll has both."""
    conn = connect(core, app)
    loft.items = [item("m1", "one")]

    def refuse(*_args: Any) -> None:
        raise StoreBroken("power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(raw_deliveries, "set_poll_cursor", refuse)
        with pytest.raises(StoreBroken):
            await core._receiver.poll(raw_conn(core, conn), 0)
    assert (await texts(app), poll_cursor(core, conn)) == ([], None)
    assert await core._receiver.poll(raw_conn(core, conn), 0) == 1
    assert (await texts(app), poll_cursor(core, conn)) == (["one"], 1)


async def test_a_poll_that_raises_loses_nothing(core: Outeract, app: App, loft: Loft) -> None:
    """A poll that ends in an error changes nothing; the next one starts where the last good one ended."""

    class Shaky(Pigeon):
        fails = True

        def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
            polled = yield from super().poll(cursor, wait)
            if Shaky.fails:
                raise Transient("the line is dead")
            return polled

    core.register("shaky", Shaky)
    conn = app.connect("shaky")
    loft.items = [item("m1", "one")]
    with pytest.raises(Transient):
        await core._receiver.poll(raw_conn(core, conn), 0)
    assert (await texts(app), poll_cursor(core, conn)) == ([], None)
    Shaky.fails = False
    assert await core._receiver.poll(raw_conn(core, conn), 0) == 1
    assert await texts(app) == ["one"]


@pytest.mark.parametrize("bad", CROOKED.values(), ids=CROOKED)
async def test_a_crooked_fact_does_not_stop_polling(core: Outeract, app: App, bad: Any) -> None:
    """What a poll yields and nobody can store is kept; the cursor goes on, the others are there."""

    class Poller(Pigeon):
        def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
            yield from super().poll(cursor, wait)
            return Polled([said("m1", "one", "ann"), bad, said("m2", "two", "ann")], 7)

    core.register("poller", Poller)
    conn = app.connect("poller")
    await core._receiver.poll(raw_conn(core, conn), 0)
    assert [text for text in await texts(app) if text != "x"] == ["one", "two"]
    assert poll_cursor(core, conn) == 7


async def test_a_polled_item_is_replayed_as_it_came(
    core: Outeract, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a poll did not understand goes to the parser as that item's own JSON."""
    strange = {"items": [item("p1", "a poll", type="poll")]}

    class Poller(Pigeon):
        def poll(self, cursor: Any, wait: float) -> Flow[Polled]:
            yield from super().poll(cursor, wait)
            return Polled([Unparsed(strange, "unknown type poll"),
                           evolve(GOOD_FACT, kind="no.such", raw=strange)], 1)  # fmt: skip

    core.register("poller", Poller)
    conn = app.connect("poller")
    await core._receiver.poll(raw_conn(core, conn), 0)
    monkeypatch.setattr(Pigeon, "knows", Pigeon.knows | {"poll"})
    done, left = await core.replay(app)
    assert (done, left) == (1, 0)
    assert await texts(app) == ["a poll"]
    assert (await event(app, conn, "p1")).text == "a poll"
