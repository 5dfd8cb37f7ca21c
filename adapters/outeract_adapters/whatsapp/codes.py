"""What the error codes of the Cloud API mean: wait, give up, or call the host.

Knows: the codes, and what helps against each.
Does not know: requests; how a code becomes a SendError (`meta_graph.py`).

Meta, Cloud API, error codes. Most messages that cannot be delivered are accepted at first and
fail later, by a status.
"""

from __future__ import annotations

from ..meta_graph import GRAPH, Codes

__all__ = ["CODES", "REENGAGEMENT"]

REENGAGEMENT = 131047

CODES = GRAPH | Codes(
    throttled={
        80007: "connection",
        130429: "connection",
        131048: "connection",
        131056: "chat",
        133016: "connection",
    },
    growing=frozenset({131056}),
    transient=frozenset({131000, 131016, 131057}),
    unauthorised=frozenset({368, 131005, 131031}),
    final=frozenset({
        130472, 130497, 131008, 131009, 131021, 131026, 131042, 131045, REENGAGEMENT, 131049,
        131050, 131051, 131052, 131053, 131062, 131063, 133010, *range(132000, 133000),
    }),
    failures={
        **dict.fromkeys((368, 131005, 131031, 131042, 131045, 133010), "unauthorised"),
        **dict.fromkeys(range(132000, 133000), "template"),
        REENGAGEMENT: "window_closed",
        131026: "unknown_recipient",
        131021: "unknown_recipient",
        131050: "blocked",
        131048: "throttled",
        131049: "throttled",
        131056: "throttled",
        130429: "throttled",
        130472: "forbidden",
        130497: "forbidden",
        131051: "unsupported",
        131052: "gone",
        131000: "unreachable",
        131016: "unreachable",
    },
    remedies={
        368: "the account is blocked for breaking a policy; see the Business Support Home",
        100: "the request has a wrong or missing parameter",
        130472: "the person is part of an experiment of Meta's and gets no such template",
        130497: "the account may not write to people in that country",
        131026: "the person cannot be reached: no WhatsApp, an old version, or terms not accepted",
        131031: "the account is locked; see the Business Support Home",
        131042: "the account's payment method is missing or was refused",
        131045: "the number is not registered for the Cloud API",
        REENGAGEMENT: "24 hours after their last message only a template reaches a person",
        131048: "too many people have blocked or reported this number",
        131049: "Meta limits how many marketing messages a person gets",
        131050: "the person has stopped marketing messages",
        131056: "too many messages to the same person within a short time",
        131062: "an authentication template needs a phone number, not a user id",
        132001: "there is no approved template of this name in this language",
    },
)  # fmt: skip
