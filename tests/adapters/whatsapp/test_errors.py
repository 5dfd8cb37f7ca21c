"""What Meta's refusals mean: by their code first, whatever the HTTP status says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters.meta_graph import GRAPH, Codes, Graph
from outeract_core.adapter import Call, Reply, Settings
from outeract_core.errors import (
    Ambiguous,
    Rejected,
    SendError,
    Throttled,
    Transient,
    Unauthorised,
)
from outeract_core.testing import drive, reply
from tests.support.whatsapp.calls import no, out
from tests.support.whatsapp.samples import CONFIG, whatsapp


def refused(answer: Reply, attempt: int = 1) -> SendError:
    """What a send makes of this answer."""
    with pytest.raises(SendError) as caught:
        drive(whatsapp().send(out(attempt=attempt)), [answer])
    return caught.value


THROTTLED = {
    4: "connection", 17: "connection", 32: "connection", 613: "connection", 80007: "connection",
    130429: "connection", 131048: "connection", 131056: "chat", 133016: "connection",
}  # fmt: skip
TRANSIENT = (2, 131000, 131016, 131057)
UNAUTHORISED = (0, 3, 10, 190, 200, 299, 131005, 368, 131031)
FINAL = (
    100, 131008, 131009, 131026, 131047, 131049, 131050, 131051, 131053, 130472, 130497, 132000,
    132001, 132015, 132999, 131062, 131063,
)  # fmt: skip


@pytest.mark.parametrize("status", [400, 403, 429, 500])
@pytest.mark.parametrize(("code", "scope"), THROTTLED.items())
def test_too_fast(code: int, scope: str, status: int) -> None:
    """Throttles come as 400 as often as 429: the code says so, and what has to wait."""
    error = refused(no(code, status))
    assert isinstance(error, Throttled)
    assert (error.scope, error.code) == (scope, str(code))


@pytest.mark.parametrize("status", [400, 500, 503])
@pytest.mark.parametrize("code", TRANSIENT)
def test_again_later(code: int, status: int) -> None:
    """These say that nothing was done and that it may work later."""
    assert type(refused(no(code, status))) is Transient


@pytest.mark.parametrize("code", [1, 131999, 999999])
def test_meta_says_it_is_transient(code: int) -> None:
    """`is_transient` counts for codes that are not known."""
    assert type(refused(no(code, 400, is_transient=True))) is Transient


@pytest.mark.parametrize("status", [400, 401, 403, 429])
@pytest.mark.parametrize("code", UNAUTHORISED)
def test_the_host_has_to_act(code: int, status: int) -> None:
    """Token, permission and account: everything on the connection waits."""
    assert type(refused(no(code, status))) is Unauthorised


@pytest.mark.parametrize("status", [400, 404, 500])
@pytest.mark.parametrize("code", FINAL)
def test_never(code: int, status: int) -> None:
    """What will never be accepted fails at once, even when it comes as a server's error."""
    assert type(refused(no(code, status))) is Rejected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Rejected), (404, Rejected), (413, Rejected), (401, Unauthorised), (429, Throttled),
        (408, Ambiguous), (500, Ambiguous), (502, Ambiguous), (504, Ambiguous), (302, Ambiguous),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"null", b"[]", b'{"error": "x"}', b'{"error": {"code": "x"}}']
)
def test_without_a_code(status: int, expected: type[SendError], body: bytes) -> None:
    """An answer without a code is judged by its status; after a 5xx nobody knows what was done."""
    assert type(refused(reply(body, status))) is expected


def test_an_unknown_code() -> None:
    """A code that is not in the tables: 4xx is a refusal, 5xx is unclear."""
    assert type(refused(no(987654, 400))) is Rejected
    assert type(refused(no(987654, 500))) is Ambiguous


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"17", b"<html>", b'{"error": {"code": 131000}}']
)
def test_a_success_that_is_none(body: bytes) -> None:
    """A 200 with an error or without JSON is no receipt."""
    assert isinstance(refused(reply(body, 200)), Ambiguous | Transient)


def test_a_broken_connection() -> None:
    """A send whose answer is lost is Ambiguous; what may be repeated is only Transient."""
    flow = whatsapp().send(out())
    next(flow)
    with pytest.raises(Ambiguous):
        flow.throw(Ambiguous("broke off"))
    check = whatsapp().check()
    next(check)
    with pytest.raises(Transient):
        check.throw(Ambiguous("broke off"))


# ── waiting ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0), ({"retry-after": "soon"}, None), ({"retry-after": "-1"}, None),
        ({"retry-after": "²"}, None), ({}, None),
        ({"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 3}]}'}, 180.0),
        ({"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 0}]}'}, None),
        ({"x-business-use-case-usage": '{"1": 5, "2": [5, {}], "3": [{"estimated_time_to_regain_access": "x"}]}'}, None),
        ({"x-business-use-case-usage": "nonsense"}, None),
        ({"x-business-use-case-usage": "[" * 100_000}, None),
    ],
)  # fmt: skip
def test_how_long(headers: dict[str, str], seconds: float | None) -> None:
    """`Retry-After` and the usage header say how long; otherwise core backs off by itself."""
    error = refused(no(130429, 429, headers))
    assert isinstance(error, Throttled)
    assert error.after == seconds


# ── words ─────────────────────────────────────────────────────────────────────────────────────


def test_the_window_is_explained() -> None:
    """24 hours after the last message the reason names the way out: a template."""
    error = refused(no(131047, 400, error_data={"details": "More than 24 hours have passed"}))
    assert error.reason.startswith("Meta: (#131047) Something; More than 24 hours have passed")
    assert "template" in error.reason
    assert error.code == "131047"


def test_the_token_is_not_repeated() -> None:
    """Meta quotes a malformed token in its error; the reason does not."""
    token = CONFIG["access_token"]
    error = refused(no(190, 401, message=f"Malformed access token {token}"))
    assert isinstance(error, Unauthorised)
    assert token not in str(error) + repr(error) + repr(vars(error))
    assert "Malformed access token …" in error.reason


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["error", "code", "message", "error_data", "details", "error_subcode", "is_transient", "messages", "id"]), inner, max_size=4),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(body=anything, status=st.sampled_from([200, 302, 400, 401, 408, 429, 500, 503]))
def test_any_answer_is_judged(body: Any, status: int) -> None:
    """Whatever comes back ends in a receipt or a SendError, and only a 2xx gives a receipt."""
    try:
        sent, _ = drive(whatsapp().send(out()), [reply(body, status)])
    except SendError:
        return
    assert status == 200
    assert sent.external_id


# ── what other Meta platforms will add ────────────────────────────────────────────────────────


def test_subcodes_go_first() -> None:
    """A platform's final subcode outweighs its code (Messenger: 10 with 2018278, window closed)."""
    codes = GRAPH | Codes(subcodes=frozenset({2018278}))
    graph = Graph(Settings("facebook", None, {"access_token": "EAAG-test"}), codes)
    call = Call("POST", "https://graph.facebook.com/v23.0/me/messages")
    for subcode, expected in ((2018278, Rejected), (1, Unauthorised)):
        with pytest.raises(expected):
            drive(graph.ask(call, repeatable=False), [no(10, error_subcode=subcode)])
