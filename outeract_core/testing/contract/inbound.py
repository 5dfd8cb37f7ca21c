"""Contract: verify fails closed, parse is pure and survives whatever a socket can deliver.

Knows: what core may assume of facts. Does not know: any platform's signature or payload.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from ...adapter import (
    Adapter,
    CanAcknowledge,
    CanHandshake,
    CanNormalise,
    CanPoll,
    CanReread,
    Inbound,
    Response,
)
from ...errors import BadInput, MissingSecret, ParseError, SignatureError, WebhookError
from ...events import Fact, Unparsed
from ...model import Alias
from ..samples import Sample
from .facts import KEYED, check_action, check_fact, check_message
from .hostile import BODIES, TEXTS, mutations
from .sealed import sealed
from .subject import Subject, expect

__all__ = ["InboundContract"]

REFUSALS = (ParseError, ValueError, RecursionError)
"""What `parse` may raise; core keeps such a delivery and can replay it."""

REREAD = frozenset({"message.inbound", "message.edited", "message.action", "system.notice"})
"""Kinds of facts whose `raw` core has read again by a better parser."""


class InboundContract(Subject):
    """Tests of `verify`, `parse`, `handshake` and `acknowledge`."""

    # ── verify ──

    def test_verify_accepts_samples(self) -> None:
        """What the platform signed is accepted."""
        expect(list(self.samples()), "samples() is empty")
        for sample in self.samples():
            self.make().verify(sample.inbound)

    def test_verify_refuses_tampered(self) -> None:
        """What the platform did not sign is refused."""
        self._needs_webhook()
        requests = list(self.tampered())
        expect(requests, "tampered() is empty: give requests that must be refused")
        for inbound in requests:
            self._refused(inbound, "a tampered request")

    def test_verify_refuses_a_changed_body(self) -> None:
        """One flipped bit or one more byte anywhere in the body breaks the signature."""
        self._needs_webhook()
        if not self.signs_body:
            pytest.skip("the platform does not sign the body")
        for sample in self.samples():
            for body in _changed(sample.inbound.body):
                self._refused(evolve(sample.inbound, body=body), f"{sample.name}, body changed")

    def test_verify_refuses_a_bad_header(self) -> None:
        """A signature header that is missing, empty or not ASCII is refused, never an exception."""
        self._needs_webhook()
        for sample in self.samples():
            names = [n for n in sample.inbound.headers if self._refuses(_without(sample, n))]
            expect(names, f"{sample.name}: accepted whichever header is left out")
            for name in names:
                for value in ("", " ", "é", "\udcff", "sha256=é", "v0=" + "\udcff" * 64, "0" * 64):
                    self._refused(_with(sample, name, value), f"{sample.name}, {name}: {value!a}")

    def test_verify_survives_any_header(self) -> None:
        """Nonsense in any header ends in acceptance or SignatureError, in nothing else."""
        self._needs_webhook()
        for sample in self.samples():
            for name in sample.inbound.headers:
                for value in ("", "-1", "9" * 400, "nan", "1e999", "é", "\udcff", "=", ",", "\0"):
                    self._refuses(_with(sample, name, value))

    def test_a_missing_secret_fails_closed(self) -> None:
        """Without its secret the adapter refuses everything, also what is signed with an empty one."""
        self._needs_webhook()
        needed = [n for n in self.manifest.secrets if self._closed_without({n})]
        expect(needed, "verify accepts without any one of the secrets: what does it check?")
        expect(self._closed_without(self.manifest.secrets), "verify accepts without any secret")

    def _closed_without(self, names: Iterable[str]) -> bool:
        """Whether all samples are refused, as they are and signed with empty secrets."""
        full = self.config
        emptied = {**full, **dict.fromkeys(names, "")}
        removed = {name: value for name, value in full.items() if name not in set(names)}
        samples = list(self.samples())
        self.config = emptied
        try:
            samples += self.samples()
        finally:
            self.config = full
        return all(
            self._refuses(sample.inbound, config)
            for sample in samples
            for config in (emptied, removed)
        )

    # ── parse ──

    def test_parse_finds_the_facts(self) -> None:
        """Each sample yields facts of the expected kinds, in order."""
        for sample, found in self.told():
            kinds = tuple("unparsed" if isinstance(f, Unparsed) else f.kind for f in found)
            expect(kinds == sample.kinds, f"{sample.name}: {kinds}, expected {sample.kinds}")

    def test_parse_is_pure(self) -> None:
        """Parsing twice, with the same or another instance, gives equal facts and changes nothing."""
        for sample in self.samples():
            adapter, inbound = self.make(), sample.inbound
            before = (dict(inbound.headers), dict(inbound.query), inbound.body)
            first, second = list(adapter.parse(inbound)), list(adapter.parse(inbound))
            expect(first == second, f"{sample.name}: parsed twice, two results")
            expect(first == list(self.make().parse(inbound)), f"{sample.name}: depends on the past")
            after = (dict(inbound.headers), dict(inbound.query), inbound.body)
            expect(before == after, f"{sample.name}: parse changed the request")

    def test_parse_stays_inside(self) -> None:
        """Verifying and parsing connect, sleep and start nothing."""
        for sample in self.samples():
            adapter = self.make()
            with sealed():
                adapter.verify(sample.inbound)
                list(adapter.parse(sample.inbound))

    def test_facts_are_sound(self) -> None:
        """Every fact has a known kind, a usable key, JSON for a payload, and a time in UTC."""
        for sample, fact in self.facts():
            check_fact(fact, f"{sample.name}, {fact.kind}")

    def test_keys_are_unique(self) -> None:
        """No two facts of a request share a key: the second would count as a duplicate."""
        for sample, found in self.told():
            keys = [str(f.key) for f in found if isinstance(f, Fact) and f.key is not None]
            expect(len(set(keys)) == len(keys), f"{sample.name}: keys {keys}")

    def test_keys_survive_redelivery(self) -> None:
        """The same delivery an hour later yields the same keys, or it would count as another."""
        for sample in self.samples():
            later = evolve(
                sample.inbound, received_at=sample.inbound.received_at + timedelta(hours=1)
            )
            first, second = (
                [f.key for f in self.make().parse(inbound) if isinstance(f, Fact)]
                for inbound in (sample.inbound, later)
            )
            expect(first == second, f"{sample.name}: keys {first}, and again {second}")

    def test_what_can_repeat_has_a_key(self) -> None:
        """Webhooks and polls come twice: without a key nobody could tell."""
        if self.manifest.webhook == "none" and not isinstance(self.make(), CanPoll):
            pytest.skip("neither webhook nor poll: nothing comes twice")
        for sample, fact in self.facts():
            keyed = fact.key is not None or fact.kind not in KEYED
            expect(keyed, f"{sample.name}: {fact.kind} without a key")

    def test_messages_have_their_payload(self) -> None:
        """A message tells type, message {type, text, role}, platform and external_message_id."""
        for sample, fact in self.facts():
            if fact.kind in ("message.inbound", "message.outbound"):
                check_message(fact, self.platform, sample.name)

    def test_actions_have_their_payload(self) -> None:
        """An action tells platform, type, id, its own external id, and the message it was upon."""
        for sample, fact in self.facts():
            if fact.kind == "message.action":
                check_action(fact, self.platform, sample.name)

    def test_ids_have_one_form(self) -> None:
        """`normalise` leaves what `parse` tells as it is, and refuses by BadInput alone."""
        adapter = self.make()
        if not isinstance(adapter, CanNormalise):
            pytest.skip("every text is an id of its own")
        for sample, fact in self.facts():
            for party in (fact.sender, fact.chat):
                if party is None or party.external_id is None or party.kind == "system":
                    continue
                found = adapter.normalise(party.external_id, party.kind)
                expect(
                    found == party.external_id, f"{sample.name}: {party.external_id!r} → {found!r}"
                )
        for text in TEXTS:
            try:
                found = adapter.normalise(text, "person")
            except BadInput:
                continue
            again = found if isinstance(found, Alias) else adapter.normalise(found, "person")
            expect(
                again == found, f"normalise({text!r:.40}) gives {found!r}, and of that {again!r}"
            )

    def test_facts_hold_no_secret(self) -> None:
        """No secret of the connection is in a fact: facts are stored."""
        for sample, fact in self.facts():
            for secret in self.secrets():
                expect(secret not in repr(fact), f"{sample.name}: a secret in {fact.kind}")

    @pytest.mark.parametrize("body", BODIES)
    def test_parse_survives_hostile_bodies(self, body: str) -> None:
        """A body of any shape is understood, yields Unparsed, or is refused; it is never lost."""
        for inbound in self._shapes():
            found = _parsed(self.make(), evolve(inbound, body=BODIES[body]), body)
            expect(found is None or found, f"{body}: verified, not understood, and dropped")

    def test_parse_survives_wrong_shapes(self) -> None:
        """Each member of each sample may be missing or of another type."""
        for sample in self.samples():
            for where, body in _mutated(sample.inbound.body):
                inbound = evolve(sample.inbound, body=body)
                _parsed(self.make(), inbound, f"{sample.name}, {where}")

    def test_what_is_kept_reads_again(self) -> None:
        """What a fact keeps as `raw` yields that fact again: the same kind and payload."""
        adapter = self.make()
        if not isinstance(adapter, CanReread):
            pytest.skip("what it keeps is read again as a request")
        for sample, fact in self.facts():
            if fact.raw is not None and fact.kind in REREAD:
                kept = json.loads(fact.raw if isinstance(fact.raw, bytes) else json.dumps(fact.raw))
                again = _twin(fact, list(adapter.reread(kept, sample.inbound.received_at)))
                expect(again == _content(fact), f"{sample.name}, {fact.kind}: reads as {again}")

    # ── answers ──

    def test_handshake_answers_or_passes(self) -> None:
        """A handshake gives a Response or None for samples and for what strangers send."""
        adapter = self.make()
        if not isinstance(adapter, CanHandshake):
            pytest.skip("no handshake")
        for inbound in [*self._shapes(), *self._strangers()]:
            for method in ("GET", inbound.method):
                try:
                    found = adapter.handshake(evolve(inbound, method=method))
                except (WebhookError, ValueError, RecursionError):
                    continue
                expect(found is None or isinstance(found, Response), f"handshake gave {found!r}")

    def test_acknowledge_gives_a_response(self) -> None:
        """What the platform is told after the commit is a success."""
        adapter = self.make()
        if not isinstance(adapter, CanAcknowledge):
            pytest.skip("answers with an empty 200")
        for sample in self.samples():
            found = adapter.acknowledge(sample.inbound)
            expect(200 <= found.status < 300, f"{sample.name}: acknowledged with {found.status}")

    # ── of use above ──

    def _needs_webhook(self) -> None:
        if self.manifest.webhook == "none":
            pytest.skip("no webhook: nothing arrives from a network")

    def _refuses(self, inbound: Inbound, config: Mapping[str, Any] | None = None) -> bool:
        try:
            self.make(config).verify(inbound)
        except (SignatureError, MissingSecret):
            return True
        return False

    def _refused(self, inbound: Inbound, what: str) -> None:
        expect(self._refuses(inbound), f"verify accepted {what}")

    def _shapes(self) -> list[Inbound]:
        """One sample of each content type."""
        found: dict[str | None, Inbound] = {}
        for sample in self.samples():
            found.setdefault(sample.inbound.headers.get("content-type"), sample.inbound)
        return list(found.values())

    def _strangers(self) -> Iterator[Inbound]:
        for inbound in self._shapes():
            for body in BODIES.values():
                yield evolve(inbound, headers={}, body=body)


def _content(fact: Fact) -> tuple[str, str]:
    """What is compared: keys of what has no id of its own may be made of the whole delivery."""
    told = {k: v for k, v in fact.payload.items() if k != "external_message_id" or v != fact.key}
    return fact.kind, json.dumps(told, sort_keys=True, default=str)


def _twin(fact: Fact, found: list[Fact | Unparsed]) -> tuple[str, str] | None:
    """The fact among those read again: by its key, or because there is but one."""
    facts = [one for one in found if isinstance(one, Fact)]
    same = [one for one in facts if one.key == fact.key] or (facts if len(facts) == 1 else [])
    return _content(same[0]) if same else None


def _changed(body: bytes) -> Iterator[bytes]:
    for at in sorted({0, len(body) // 2, len(body) - 1}):
        yield body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    yield from (body + b" ", b" " + body, body[:-1], b"")


def _with(sample: Sample, name: str, value: str) -> Inbound:
    return evolve(sample.inbound, headers={**sample.inbound.headers, name: value})


def _without(sample: Sample, name: str) -> Inbound:
    left = {n: value for n, value in sample.inbound.headers.items() if n != name}
    return evolve(sample.inbound, headers=left)


def _mutated(body: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        value = json.loads(body)
    except ValueError:
        return
    for where, changed in mutations(value):
        yield where, json.dumps(changed).encode()


def _parsed(adapter: Adapter, inbound: Inbound, what: str) -> list[Fact | Unparsed] | None:
    """The sound facts, or None when the delivery was refused as a whole."""
    try:
        found = list(adapter.parse(inbound))
    except REFUSALS:
        return None
    except Exception as error:
        raise AssertionError(f"{what}: parse raised {error!r}; raise ParseError") from error
    for fact in found:
        if isinstance(fact, Fact):
            check_fact(fact, what)
    return found
