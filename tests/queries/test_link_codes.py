"""Link codes: two identities become one person by a code, and by nothing less.

Knows: the specification, section 5: who may use which code, when and how often.
Does not know: how merges work (`test_people.py`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._domain.rules.link_code import checked, checksum, find_code, new_code
from outeract_core.errors import (
    BadChecksum,
    BadInput,
    ExpiredCode,
    ForeignCode,
    LinkCodeError,
    NotFound,
    OwnCode,
    TooManyAttempts,
    UnknownCode,
    UsedUpCode,
)
from outeract_core.model import Event, PlatformConnection, PlatformUser
from outeract_core.testing import ManualClock
from tests.support.store.platform import connect, events, kinds, said, take

SAMPLE, WELL_FORMED = "1234-5678-9012-3456", "1234-5678-9012-5924"


@pytest.fixture
async def pair(
    core: Outeract, app: App, plain: PlatformConnection
) -> tuple[PlatformUser, PlatformUser]:
    """Alice, who asks for codes, and Bob, who types them."""
    await take(core, plain, said("from alice", "alice"), said("from bob", "bob"))
    alice, bob = [await app.people.by_external_id(plain, name) for name in ("alice", "bob")]
    return alice, bob


async def _together(app: App, *pusers: PlatformUser) -> bool:
    return len({(await app.people.user_of(puser)).id for puser in pusers}) == 1


async def _last(app: App, kind: str) -> Event:
    return [event for event in await events(app) if event.event_type == kind][-1]


# ── the format ────────────────────────────────────────────────────────────────────────────────


def test_the_sample_of_the_product_page_is_refused() -> None:
    """The page's own sample breaks its checksum; the right last group passes."""
    with pytest.raises(BadChecksum, match="typing error"):
        checked(SAMPLE)
    assert checked(WELL_FORMED) == WELL_FORMED
    assert checked(f"  {WELL_FORMED}\n") == WELL_FORMED


def test_new_codes_are_well_formed_and_differ() -> None:
    """Fresh codes have 16 digits in four groups, a checksum that fits, and never the same digits."""
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    for code in codes:
        assert re.fullmatch(r"\d{4}(-\d{4}){3}", code)
        assert checked(code) == code
    assert {len(set(column)) for column in zip(*codes, strict=True)} == {1, 10}


@given(st.lists(st.integers(0, 9999), min_size=3, max_size=3), st.integers(0, 9999))
def test_only_the_sum_fits(groups: list[int], last: int) -> None:
    """Of all last groups exactly (g1 + g2 + g3) mod 10000 is accepted, with leading zeros."""
    code = "-".join(f"{group:04}" for group in (*groups, last))
    if last == sum(groups) % 10_000 == checksum(groups):
        assert checked(code) == code
    else:
        with pytest.raises(BadChecksum):
            checked(code)


@pytest.mark.parametrize(
    "text",
    ["", "1234567890125924", "1234-5678-9012-592", "1234-5678-9012-59244", "1234–5678–9012–5924",
     "１２３４-5678-9012-5924", "1234-5678-9012-5924-0000", "a234-5678-9012-5924", "1234 5678 9012 5924",
     None, 1234567890125924, b"1234-5678-9012-5924"],
)  # fmt: skip
def test_what_is_no_code_is_refused(text: Any) -> None:
    """Wrong shapes, other digits and other types are a typing error, not a crash."""
    with pytest.raises(BadChecksum):
        checked(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"my code is {WELL_FORMED}, thanks", WELL_FORMED),
        (f"({WELL_FORMED})", WELL_FORMED), (f"{WELL_FORMED}.", WELL_FORMED),
        (f"code:{WELL_FORMED}", WELL_FORMED), (f"{SAMPLE} or {WELL_FORMED}", SAMPLE),
        (f"9{WELL_FORMED}", None), (f"{WELL_FORMED}9", None), (f"{WELL_FORMED}-1234", None),
        (f"1234-{WELL_FORMED}", None), ("call 555-1234-5678", None), ("", None),
    ],
)  # fmt: skip
def test_codes_are_found_in_text(text: str, found: str | None) -> None:
    """A code within text is found; a part of a longer number is not taken for one."""
    assert find_code(text) == found


# ── activation by hand ────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_a_code_makes_one_person_of_two(
    app: App, pair: tuple[PlatformUser, PlatformUser]
) -> None:
    """Bob types Alice's code: his user goes into hers; generated, activation, merged are recorded."""
    alice, bob = pair
    code = await app.people.link_code(alice)
    user = await app.people.activate_link_code(code, bob)
    assert user.id == alice.user_id
    assert await _together(app, alice, bob)
    assert (await kinds(app))[-3:] == [
        "link_code.generated", "link_code.activation", "user.merged",
    ]  # fmt: skip
    generated, activation, merged = (await events(app))[-3:]
    assert generated.payload["generated_by_platform_user_id"] == str(alice.id)
    assert (generated.payload["expiry_minutes"], generated.payload["max_uses"]) == (15, 1)
    assert activation.payload == {"link_code_event_id": str(generated.id)}
    assert activation.origin_event_id == generated.id
    assert merged.origin_event_id == activation.id
    assert app.sender_of(activation) is not None
    assert app.sender_of(activation).id == bob.id  # type: ignore[union-attr]


@pytest.mark.anyio
async def test_no_code_is_in_the_file(
    core: Outeract, app: App, pair: tuple[PlatformUser, PlatformUser], tmp_path: Path
) -> None:
    """Neither the database nor its log holds a code, before and after its use."""
    alice, bob = pair
    codes = [await app.people.link_code(alice) for _ in range(3)]
    await app.people.activate_link_code(codes[0], bob)
    bytes_of = [path.read_bytes() for path in tmp_path.glob("bot.db*") if path.is_file()]
    assert any(b"link_code.generated" in data for data in bytes_of)
    for code in codes:
        for form in (code, code.replace("-", ""), code[:14]):
            assert not any(form.encode() in data for data in bytes_of)
    assert (await _last(app, "link_code.generated")).payload["code"] not in codes


async def _refused(
    app: App, code: str, who: PlatformUser, error: type[LinkCodeError], reason: str
) -> LinkCodeError:
    """Activation is refused with this class, and recorded with this reason and its author."""
    before = len(await events(app))
    with pytest.raises(error) as caught:
        await app.people.activate_link_code(code, who)
    assert type(caught.value) is error
    (event,) = (await events(app))[before:]
    assert (event.event_type, event.payload) == ("link_code.refused", {"reason": reason})
    assert app.sender_of(event).id == who.id  # type: ignore[union-attr]
    return caught.value


@pytest.mark.anyio
async def test_each_refusal_has_its_error_and_its_reason(
    core: Outeract, app: App, pair: tuple[PlatformUser, PlatformUser], clock: ManualClock
) -> None:
    """Bad checksum, unknown, foreign, own, used up, expired: each its class, event, and no merge."""
    alice, bob = pair
    other = core.app("other")
    theirs_on = connect(core, other, "others")
    await take(core, theirs_on, said("m", "mallory"))
    theirs = await other.people.link_code(await other.people.by_external_id(theirs_on, "mallory"))
    await _refused(app, SAMPLE, bob, BadChecksum, "bad_checksum")
    await _refused(app, new_code(), bob, UnknownCode, "unknown")
    await _refused(app, theirs, bob, ForeignCode, "other_application")
    mine = await app.people.link_code(bob)
    await _refused(app, mine, bob, OwnCode, "own_code")
    late = await app.people.link_code(alice, minutes=1)
    clock.advance(60)
    await _refused(app, late, bob, ExpiredCode, "expired")
    assert not await _together(app, alice, bob)
    clock.advance(15 * 60)
    once = await app.people.link_code(alice)
    await app.people.activate_link_code(once, bob)
    await _refused(app, once, bob, UsedUpCode, "used_up")


@pytest.mark.anyio
async def test_a_code_lasts_its_minutes_and_no_longer(
    app: App, pair: tuple[PlatformUser, PlatformUser], clock: ManualClock
) -> None:
    """The last millisecond counts, the next does not."""
    alice, bob = pair
    code = await app.people.link_code(alice, minutes=10)
    clock.advance(600)
    await _refused(app, code, bob, ExpiredCode, "expired")
    clock.advance(-0.001)
    await app.people.activate_link_code(code, bob)
    assert await _together(app, alice, bob)


@pytest.mark.anyio
async def test_a_code_may_be_for_several(
    core: Outeract, app: App, plain: PlatformConnection, pair: tuple[PlatformUser, PlatformUser]
) -> None:
    """A code for two uses links two more identities and refuses the third."""
    alice, bob = pair
    await take(core, plain, said("c", "carol"), said("d", "dave"))
    carol, dave = [await app.people.by_external_id(plain, name) for name in ("carol", "dave")]
    code = await app.people.link_code(alice, uses=2)
    for who in (bob, carol):
        await app.people.activate_link_code(code, who)
    await _refused(app, code, dave, UsedUpCode, "used_up")
    assert await _together(app, alice, bob, carol)
    assert not await _together(app, alice, dave)


@pytest.mark.anyio
async def test_a_code_of_the_same_person_is_their_own(
    app: App, pair: tuple[PlatformUser, PlatformUser]
) -> None:
    """Once linked, a code of the other identity is one's own too."""
    alice, bob = pair
    await app.people.activate_link_code(await app.people.link_code(alice), bob)
    await _refused(app, await app.people.link_code(alice), bob, OwnCode, "own_code")


# ── attempts ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_attempts_are_limited(
    core: Outeract, app: App, pair: tuple[PlatformUser, PlatformUser], clock: ManualClock
) -> None:
    """After five refusals even the right code is refused, for this one only, until the time is over."""
    alice, bob = pair
    code = await app.people.link_code(alice, minutes=60, uses=2)
    for _ in range(5):
        await _refused(app, new_code(), bob, UnknownCode, "unknown")
    clock.advance(100)
    for _ in range(3):
        error = await _refused(app, code, bob, TooManyAttempts, "too_many_attempts")
        assert isinstance(error, TooManyAttempts)
        assert error.again
        assert error.after == 15 * 60 - 100
    clock.advance(15 * 60 - 100.001)
    await _refused(app, code, bob, TooManyAttempts, "too_many_attempts")
    clock.advance(0.001)
    await app.people.activate_link_code(code, bob)
    assert await _together(app, alice, bob)


@pytest.mark.anyio
async def test_success_forgets_earlier_attempts(
    app: App, pair: tuple[PlatformUser, PlatformUser]
) -> None:
    """Four typing errors, then the right code: the next errors are counted from the start."""
    alice, bob = pair
    for _ in range(2):
        for _ in range(4):
            await _refused(app, SAMPLE, bob, BadChecksum, "bad_checksum")
        await app.people.activate_link_code(await app.people.link_code(alice), bob)
        await app.people.unmerge(bob.user_id)


@pytest.mark.anyio
async def test_a_clock_that_jumps_back_locks_nobody_out(
    app: App, pair: tuple[PlatformUser, PlatformUser], clock: ManualClock
) -> None:
    """After the clock was corrected by a day, old attempts are no reason to wait for a day."""
    alice, bob = pair
    for _ in range(5):
        await _refused(app, SAMPLE, bob, BadChecksum, "bad_checksum")
    clock.advance(-86400)
    code = await app.people.link_code(alice)
    await app.people.activate_link_code(code, bob)
    assert await _together(app, alice, bob)


# ── what may be asked for ─────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
@pytest.mark.parametrize(
    "limits", [{"minutes": 0}, {"minutes": 10_081}, {"uses": 0}, {"uses": 101}, {"uses": True}, {"minutes": 1.5}]
)  # fmt: skip
async def test_limits_are_checked(
    app: App, pair: tuple[PlatformUser, PlatformUser], limits: dict[str, Any]
) -> None:
    """Minutes and uses out of range are refused before anything is written."""
    before = await kinds(app)
    with pytest.raises(BadInput):
        await app.people.link_code(pair[0], **limits)
    assert await kinds(app) == before


@pytest.mark.anyio
async def test_codes_are_for_persons(core: Outeract, app: App, plain: PlatformConnection) -> None:
    """A group, the bot, a stranger: no code."""
    await take(core, plain, said("m", "alice", group="friends"))
    for name in ("friends", "system"):
        with pytest.raises(BadInput, match="person"):
            await app.people.link_code(await app.people.by_external_id(plain, name))
    with pytest.raises(NotFound):
        await app.people.link_code(core.app("other").id)
