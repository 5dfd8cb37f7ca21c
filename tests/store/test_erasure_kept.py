"""Erasure also reaches deliveries that were kept as bytes because they were not understood."""

from __future__ import annotations

from typing import Any

import pytest

from outeract_core import App, Outeract
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import NUMBER, deliver, whatsapp, writes

pytestmark = pytest.mark.anyio
ANN, BOB = "14155550100", "14155550199"


async def test_a_kept_delivery_that_names_an_erased_person_loses_its_body(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """What was not understood is forgotten too, when it is about them; others' stays."""
    with FakePlatform(clock=clock) as fake:
        connection = whatsapp(app, fake)
        for who in (ANN, BOB):
            await writes(core, connection, fake, "hi", who=who)
            broken = fake.whatsapp.say(who, "secret words", phone_number_id=NUMBER)
            broken["entry"][0]["changes"][0]["value"]["messages"] = [{"from": who, "text": 5}]
            await deliver(core, connection, broken)
        await app.people.erase(await app.people.by_external_id("whatsapp", f"+{ANN}"))

        def bodies(tx: Any) -> list[bytes]:
            return [bytes(row[0]) for row in tx.script("SELECT body FROM raw_delivery ORDER BY id")]

        kept = core.runtime.database.read(bodies)
        assert kept[0] == b""
        assert BOB.encode() in kept[1]
