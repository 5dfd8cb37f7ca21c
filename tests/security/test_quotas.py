"""An application that has too much of the program waits, is told, loses nothing, and hinders nobody.

Knows: the attack of a tenant, or of those who write to one. Does not know: platforms.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core import App, Outeract, PlatformConnection, Quotas, blocking
from outeract_core._cli import main
from outeract_core._domain.rules.fair import capped, shares
from outeract_core._io.quotas import Meters
from outeract_core.errors import BadInput
from outeract_core.events import Unparsed
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.store.platform import connect, said, take

pytestmark = pytest.mark.anyio
REACHED = type_is("system.quota_reached")


@pytest.fixture
def other(core: Outeract) -> App:
    """A tenant beside."""
    return core.app("beside")


@pytest.fixture
def held(core: Outeract) -> App:
    """A tenant that may have three events in a minute."""
    return core.app("held", quotas=Quotas(events_per_minute=3))


async def flood(core: Outeract, where: PlatformConnection, count: int, first: int = 0) -> list[int]:
    """One message after the other; what each is answered."""
    made = range(first, first + count)
    return [(await take(core, where, said(f"m{n}", f"p{n}"))).status for n in made]


async def test_a_flood_is_delivered_again_and_nothing_is_lost(
    core: Outeract, held: App, other: App, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Over it: 429 with Retry-After, nothing kept, told once; the next minute takes what is delivered again."""
    where, beside = connect(core, held), connect(core, other, "beside")
    assert await flood(core, where, 6) == [200, 200, 200, 429, 429, 429]
    refused = await take(core, where, said("m3", "p3"))
    assert refused.status == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert set(await flood(core, beside, 20)) == {200}
    assert await held.events.count(type_is("message.inbound")) == 3
    (told,) = [one async for one in held.events.all(REACHED)]
    assert (told.payload["quota"], told.payload["limit"]) == ("events_per_minute", 3)
    assert len([r for r in caplog.records if "events_per_minute=3" in r.getMessage()]) == 1
    assert await other.events.count(REACHED) == 0
    clock.advance(int(refused.headers["retry-after"]))
    assert await flood(core, where, 3, first=3) == [200, 200, 200]
    assert await held.events.count(type_is("message.inbound")) == 6
    assert await flood(core, where, 1, first=9) == [429]
    assert await held.events.count(REACHED) == 2


async def test_what_is_not_understood_counts(core: Outeract, held: App) -> None:
    """Nonsense is kept, so it is counted: nobody fills the file with it instead."""
    where = connect(core, held)
    answers = [(await take(core, where, Unparsed({"n": n}, "no"))).status for n in range(5)]
    assert answers == [200, 200, 200, 429, 429]


async def test_a_clock_that_is_set_back_frees_nobody_and_locks_nobody_out(
    core: Outeract, held: App, clock: ManualClock
) -> None:
    """Windows go by intervals, not by the time of day."""
    where = connect(core, held)
    await flood(core, where, 4)
    clock.advance(-3600)
    assert await flood(core, where, 1, first=9) == [429]
    clock.advance(60)
    assert await flood(core, where, 1, first=9) == [200]


async def test_one_delivery_of_several_applications_comes_in(core: Outeract) -> None:
    """What is not for somebody who is over is taken: a shared address is no way to hinder a neighbour."""
    meters = Meters(lambda: 0)
    meters.set(1, Quotas(events_per_minute=1))
    assert meters.admit({1: 5}, "events_per_minute") == 0
    assert meters.admit({1: 1}, "events_per_minute") == 60
    assert meters.admit({1: 1, 2: 1}, "events_per_minute") == 0
    assert meters.admit({}, "events_per_minute") == 0


def polled(app: App, fake: FakePlatform, name: str) -> PlatformConnection:
    """A bot on Telegram that is polled."""
    return app.connect(
        "telegram", name=name, token=f"{len(name)}:{name}", poll=True, base_url=fake.url
    )


def asked(fake: FakePlatform, name: str, method: str) -> int:
    """How often a bot's method was called."""
    return sum(f":{name}/{method}" in one.path for one in fake.requests)


async def test_polls_pause(core: Outeract, held: App, clock: ManualClock) -> None:
    """Whoever is over is not polled; what waits at the platform comes a minute later, all of it."""
    with FakePlatform(clock=clock) as fake:
        polled(held, fake, "flooded")
        for n in range(3):
            fake.telegram.say(100 + n, f"m{n}")
        await core.pump()
        assert await held.events.count(type_is("message.inbound")) == 3
        before = asked(fake, "flooded", "getUpdates")
        fake.telegram.say(200, "later")
        await core.pump()
        assert asked(fake, "flooded", "getUpdates") == before
        assert await held.events.count(REACHED) == 1
        clock.advance(61)
        await core.pump()
        assert await held.events.count(type_is("message.inbound")) == 4


async def test_files_over_the_quota_wait(core: Outeract, clock: ManualClock) -> None:
    """The bytes of an hour: what is over is fetched in the next, and nothing fails."""
    held = core.app("held", quotas=Quotas(file_bytes_per_hour=10, downloads=1))
    with FakePlatform(clock=clock) as fake:
        polled(held, fake, "heavy")

        def send(n: int) -> None:
            file_id = fake.telegram.add_file(f"{n} and ten bytes".encode(), f"{n}.txt")
            document = {"file_id": file_id, "file_unique_id": f"u{n}", "file_name": f"{n}.txt",
                        "mime_type": "text/plain"}  # fmt: skip
            fake.telegram.say(100, "", document=document)

        for n in range(3):
            send(n)
        await core.pump()
        await core.pump()
        assert await held.events.count(type_is("system.file_stored")) == 1
        (told,) = [one async for one in held.events.all(REACHED)]
        assert told.payload["quota"] == "file_bytes_per_hour"
        clock.advance(3601)
        await core.pump()
        assert await held.events.count(type_is("system.file_stored")) == 2
        core.app("held", quotas=Quotas())
        await core.pump()
        assert await held.events.count(type_is("system.file_stored")) == 3
        assert await held.events.count(type_is("system.file_failed")) == 0


@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=8), st.lists(st.integers(0, 7), max_size=20),
    st.dictionaries(st.integers(1, 3), st.integers(1, 5), max_size=3),
)  # fmt: skip
def test_no_application_has_more_downloads_than_it_may(
    groups: list[int], held: list[int], most: dict[int, int]
) -> None:
    """Together with what is under way; who has no limit has its whole share."""
    of = dict(enumerate(groups))
    held = [conn for conn in held if conn in of]
    plain = shares(of, held, 4)
    found = capped(plain, of, held, most)
    for group, limit in most.items():
        mine = sum(share for conn, share in found.items() if of[conn] == group)
        before = sum(of[conn] == group for conn in held)
        assert mine <= max(0, limit - before)
        wanted = sum(share for conn, share in plain.items() if of[conn] == group)
        assert mine == min(wanted, max(0, limit - before))
    free = {conn: share for conn, share in plain.items() if of[conn] not in most}
    assert free.items() <= found.items()


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "5", True])
@pytest.mark.parametrize("name", ["events_per_minute", "file_bytes_per_hour", "downloads"])
def test_a_quota_that_is_none_is_refused(name: str, wrong: Any) -> None:
    """By its name."""
    with pytest.raises(BadInput, match=name):
        Quotas(**{name: wrong})


async def test_a_quota_stays_until_another_is_set(core: Outeract, held: App) -> None:
    """To open an application without one changes nothing; a larger one counts at once."""
    where = connect(core, held)
    assert core.app("held") is held
    assert (await flood(core, where, 4))[-1] == 429
    core.app("held", quotas=Quotas(events_per_minute=5))
    assert await flood(core, where, 3, first=5) == [200, 200, 429]
    core.organisation("default").app("held", quotas=Quotas())
    assert set(await flood(core, where, 5, first=20)) == {200}


def test_the_same_without_a_loop_and_the_doctor_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The blocking core has it too; `outeract doctor` says who was held back."""
    caplog.set_level(logging.ERROR)
    path = tmp_path / "b.db"
    with blocking.Outeract(path, console=lambda _message: {}) as core:
        app = core.app("held", quotas=Quotas(events_per_minute=1))
        where = app.connect("console")
        answers = [
            core.ingest(
                where.webhook_id, where.webhook_secret,
                body=f'{{"user":"ann","text":"hi","n":{n}}}'.encode(),
            ).status
            for n in range(2)
        ]  # fmt: skip
    assert answers == [200, 429]
    main(["doctor", str(path)])
    assert "default/held was held back 1 times" in capsys.readouterr().out
