"""One form for every name: however a person writes a number or an id, it is one platform user.

Knows: what people type, what platforms write. Does not know: which adapter is asked by whom.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_adapters.e164 import e164
from outeract_adapters.slack.naming import normalise as slack
from outeract_adapters.telegram.naming import normalise as telegram
from outeract_adapters.whatsapp.naming import normalise as whatsapp
from outeract_core import App, Outeract
from outeract_core.errors import BadInput
from outeract_core.model import Alias
from outeract_core.testing import FakePlatform, sign_whatsapp

NUMBER = "+4917012345678"
WRITTEN = [
    NUMBER, "4917012345678", "004917012345678", "+49 170 12345678", "+49 (0) 170-1234 5678",
    "+49(170)12345678", " +49.170.12345678 ", "\u202a+49 170 12345678\u202c", "+49/170/12345678",
    "＋４９１７０１２３４５６７８", "+٤٩١٧٠١٢٣٤٥٦٧٨", "0049 170 1234-5678", "+49\u00a0170\u201312345678",
]  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
def test_a_number_is_one_however_it_is_written(written: str) -> None:
    """Spaces, marks, 00, (0), other digits: all of it is one number in E.164."""
    assert e164(written) == whatsapp(written, "person") == NUMBER


@pytest.mark.parametrize(
    "wrong", ["0170 12345678", "(0)170 12345678", "1234", "+" + "1" * 16, "++491701234", "ann", "+49x17012345", "", "000491701", "+0170123456"]
)  # fmt: skip
def test_what_is_no_international_number_is_refused(wrong: str) -> None:
    """A national number, too few or too many digits, letters: refused, with what to write instead."""
    with pytest.raises(BadInput, match="international"):
        whatsapp(wrong, "person")


TABLE: list[tuple[Any, str, str, Any]] = [
    (whatsapp, "US.13491208655302741918", "person", Alias("bsuid", "US.13491208655302741918")),
    (whatsapp, "Y2FwaV9ncm91cA", "group", "Y2FwaV9ncm91cA"),
    (slack, "u0anna0001", "person", "U0ANNA0001"),
    (slack, " <@U0ANNA0001|anna> ", "person", "U0ANNA0001"),
    (slack, "D0ANNA0001", "person", Alias("dm_channel", "D0ANNA0001")),
    (slack, "#General", "channel", "#general"),
    (lambda text, _kind: telegram(text), " 0042", "person", "42"),
    (lambda text, _kind: telegram(text), "-1001234567890", "group", "-1001234567890"),
    (lambda text, _kind: telegram(text), "@Engines", "channel", "@engines"),
    (lambda text, _kind: telegram(text), "42:biz", "person", "42:biz"),
]


@pytest.mark.parametrize(("normalise", "given_", "kind", "right"), TABLE)
def test_ids_have_one_form(normalise: Any, given_: str, kind: str, right: Any) -> None:
    """Case, mentions, zeros in front, what is only a name for somebody: the platform's own form."""
    assert normalise(given_, kind) == right


@pytest.mark.parametrize(
    ("normalise", "wrong"),
    [(slack, "anna@example.org"), (slack, "@anna"), (telegram, "+4917012345678"), (telegram, "Ann"), (telegram, "0")],
)  # fmt: skip
def test_what_cannot_be_an_id_there_is_refused(normalise: Any, wrong: str) -> None:
    """The reason names the platform and what it takes."""
    with pytest.raises(BadInput, match=r"slack: |telegram: "):
        normalise(*((wrong, "person") if normalise is slack else (wrong,)))


@given(st.text(max_size=30))
def test_the_one_form_is_one(text: str) -> None:
    """Applied again it changes nothing; anything else is BadInput and no other error."""
    for normalise in (e164, telegram, lambda one: slack(one, "channel")):
        try:
            found = normalise(text)
        except BadInput:
            continue
        assert normalise(found) == found


@pytest.mark.anyio
async def test_one_number_is_one_person_however_it_is_written(core: Outeract, app: App) -> None:
    """Written to in every spelling, answering as Meta writes it: one person, found by every spelling."""
    with FakePlatform() as fake:
        conn = app.connect(
            "whatsapp", phone_number_id="111", access_token="token", app_secret="secret!",
            base_url=fake.url,
        )  # fmt: skip
        for written in WRITTEN:
            await app.send(("whatsapp", written), "hello")
        headers, body = sign_whatsapp(
            fake.whatsapp.say(NUMBER[1:], "answer", phone_number_id="111"), "secret!"
        )
        await core.ingest(conn.webhook_id, conn.webhook_secret, "POST", headers, {}, body)
        (one,) = (await app.conversations.recent()).nodes
        assert (one.peer.external_id, one.inbound, one.outbound) == (NUMBER, 1, len(WRITTEN))
        for written in WRITTEN:
            assert (await app.people.by_external_id(conn, written)).id == one.peer.id
        with pytest.raises(BadInput, match="international"):
            await app.send(("whatsapp", "0170 12345678"), "hello")


@pytest.mark.anyio
async def test_a_name_of_an_older_file_is_found(core: Outeract, app: App) -> None:
    """What was stored as it was typed comes into the one form when the host connects again."""
    config = {"phone_number_id": "111", "access_token": "token", "app_secret": "secret!"}
    conn = app.connect("whatsapp", **config)
    await app.send((conn, NUMBER), "hello")
    await app.send((conn, "+4917099999999"), "hello")
    one = await app.people.by_external_id(conn, NUMBER)

    def older(tx: Any) -> None:
        tx.script(
            "UPDATE puser SET ext = substr(ext, 2), address = substr(address, 2) WHERE ext LIKE '+%'"
        )
        tx.script("DELETE FROM meta WHERE name LIKE 'names of%'")
        tx.forget()

    core.runtime.database.write_now(older)
    conn = app.connect("whatsapp", **config)
    after = await app.people.by_external_id(conn, NUMBER)
    assert (after.id, after.external_id) == (one.id, NUMBER)
    await app.send((conn, "4917012345678"), "again")
    assert (await (await app.conversations.of(one)).page()).nodes[0].text == "again"
