"""The people of one application, for the host: users, platform users, merges, link codes, erasure.

Knows: the questions and commands. Does not know: their rules (`_store/writing/identity.py`,
`link_codes.py`, `_store/transfer/erasure.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from ..._domain.rules.link_code import MINUTES, USES
from ..._domain.rules.naming import meant
from ..._domain.rules.redaction import Quoting
from ..._domain.values.classes import frozen
from ..._domain.values.ids import maybe_ms
from ..._inbound import reactions
from ..._io import forgetting
from ..._io.connections import connection
from ..._io.runtime import Runtime
from ..._io.tenant import Tenant
from ..._store.records import nodes, rows
from ..._store.records.conn import Conn
from ..._store.transfer import erasing, erasure, quotes
from ..._store.transfer.quotes import Rule as OwnRule
from ..._store.writing import identity, link_codes, people
from ..._store.writing.handlers import peer_of
from ..._store.writing.link_codes import Try
from ...driver import Tx
from ...errors import BadInput, NotFound, OuteractError, UnknownPlatform
from ...model import Event, PlatformUser, User

T = TypeVar("T")
_MAX_MINUTES = 7 * 24 * 60
_MAX_USES = 100


@frozen
class Erased:
    """What an erasure has made unreadable: counts of events and files, and its own event.

    `quotes`: events of others out of which single values were taken.
    """

    event: Event
    events: int
    quotes: int
    files: int


class People:
    """Who writes. A user is a person; a platform user is their identity on one connection."""

    def __init__(self, tenant: Tenant, runtime: Runtime) -> None:
        self._tenant = tenant
        self._runtime = runtime

    async def user(self, who: Any) -> User:
        """A user: by itself, by id, or the one above a platform user. Raises NotFound."""

        def query(tx: Tx, app: int) -> User:
            return rows.user(tx, app, _person(tx, app, who))

        return await self._tenant.read(query)

    async def platform_user(self, who: PlatformUser | UUID | str) -> PlatformUser:
        """A platform user as it is now. Raises NotFound."""

        def query(tx: Tx, app: int) -> PlatformUser:
            return rows.platform_user(tx, app, nodes.key(tx, app, who, "platform_user"))

        return await self._tenant.read(query)

    async def by_external_id(self, connection_of: Any, external_id: str) -> PlatformUser:
        """Whom a connection knows by this id or alias. Raises NotFound.

        However it is written: it is read as `send` reads it, and then as it stands.
        """
        conn = connection(self._runtime, self._tenant.key, connection_of)
        names = _written(self._runtime, conn, external_id)

        def query(tx: Tx, app: int) -> PlatformUser:
            found = (people.find(tx, conn, name) for name in names)
            key = next((one for one in found if one is not None), None)
            if key is None:
                raise NotFound(f"nobody called {external_id!r:.80} on {conn.entity.name}")
            return rows.platform_user(tx, app, key)

        return await self._tenant.read(query)

    async def platform_users(self, user: User | UUID) -> list[PlatformUser]:
        """The identities of a user, oldest first. Raises NotFound."""

        def query(tx: Tx, app: int) -> list[PlatformUser]:
            person = nodes.key(tx, app, user, "user")
            keys = [row[0] for row in tx.all(identity.PUSERS, person=person)]
            return rows.platform_users(tx, app, keys)

        return await self._tenant.read(query)

    async def user_of(
        self, platform_user: PlatformUser | UUID, *, at: datetime | None = None
    ) -> User:
        """Whose identity this is, or was at a time (aware). Raises NotFound, BadInput."""
        moment = maybe_ms(at)

        def query(tx: Tx, app: int) -> User:
            puser = nodes.key(tx, app, platform_user, "platform_user")
            return rows.user(tx, app, identity.user_of(tx, puser, moment))

        return await self._tenant.read(query)

    async def merge(self, source: Any, target: Any) -> Event:
        """Two users are one person: the platform users of `source` move to `target`.

        Users, or platform users whose user is meant. No edge is rewritten and no route changes.
        Returns `user.merged`. Raises BadInput (one user already, merged before, the system user).
        """

        def unit(tx: Tx, app: int) -> Event:
            pair = _person(tx, app, source), _person(tx, app, target)
            return rows.event(tx, app, identity.merge(tx, app, *pair))

        return await self._write(unit)

    async def unmerge(self, source: User | UUID) -> Event:
        """Undo the merge of `source`. Returns `user.unmerged`. Raises BadInput when it is not merged."""

        def unit(tx: Tx, app: int) -> Event:
            person = nodes.key(tx, app, source, "user")
            return rows.event(tx, app, identity.unmerge(tx, app, person))

        return await self._write(unit)

    # ── link codes ────────────────────────────────────────────────────────────────────────────

    async def link_code(
        self, platform_user: PlatformUser | UUID, *, minutes: int = MINUTES, uses: int = USES
    ) -> str:
        """A code `DDDD-DDDD-DDDD-CCCC` to show to this platform user; it is not stored in clear.

        Typed elsewhere within `minutes` (1 to 10080), at most `uses` times (1 to 100), it makes the
        one who types it the same person. Seen in a group, it is spent. Raises BadInput, NotFound, MissingSecret.
        """
        _between("minutes", minutes, _MAX_MINUTES)
        _between("uses", uses, _MAX_USES)
        hashed_with = self._runtime.key.codes()

        def unit(tx: Tx, app: int) -> str:
            puser = nodes.key(tx, app, platform_user, "platform_user")
            return link_codes.generate(tx, app, hashed_with, puser, minutes, uses)[1]

        return await self._write(unit)

    async def activate_link_code(
        self, code: str, platform_user: PlatformUser | UUID, *, event: Event | UUID | None = None
    ) -> User:
        """`platform_user` has given `code`: their user goes into the one that it was made for.

        `event`: the message that carried it; if that was in a group, the code was public, so a
        second one goes to the first person and ConfirmationRequired is raised. Returns the user
        that both are now. Raises BadChecksum, UnknownCode, ForeignCode, ExpiredCode, UsedUpCode,
        OwnCode, TooManyAttempts, NotFound; the attempt is recorded all the same.
        """
        hashed_with = self._runtime.key.codes()

        def unit(tx: Tx, app: int) -> link_codes.Attempt:
            puser = nodes.key(tx, app, platform_user, "platform_user")
            message = None if event is None else nodes.key(tx, app, event, "event")
            public = message is not None and _is_public(tx, app, message)
            confirm = reactions.confirmation(self._runtime)
            attempt = link_codes.activate(
                tx, app, Try(puser, str(code), hashed_with, message, public), confirm
            )
            reactions.tell(self._runtime, tx, app, attempt)
            return attempt

        attempt = await self._write(unit)
        if attempt.refusal is not None:
            raise attempt.refusal
        return await self.user_of(platform_user)

    # ── erasure ───────────────────────────────────────────────────────────────────────────────

    async def erase(self, user: Any, *, own_events: Mapping[str, OwnRule] | None = None) -> Erased:
        """Make everything unreadable that a person (and whoever was merged into them) has left.

        Payloads, raw items, names, addresses, files; what was done because of their words (answers in
        groups, events emitted in their turns); messages of theirs that others have passed on; and out of
        what others have said what quotes or names them. The structure, the counts and the platform's ids
        of messages stay. What is still to be sent to them is cancelled. It cannot be undone.

        It is decided in one commit. What is to go then goes in pieces, so that nobody waits for long; the
        call returns when all of it has gone, and a program that is killed or a call that is cancelled
        before goes on by itself: at once, or when the file is opened next.

        own_events  what becomes of the host's own events among those: pattern → `replace` (the default),
                    `keep`, or a plain function of the payload that returns it with `[erased]` in place
                    of each value that goes, or None for all of it. The first pattern that fits counts.

        Raises NotFound, and BadInput for the system user, for a user that is merged into another, for
        a pattern or what a function has returned.
        """
        rules = quotes.Rules(self._quoting(), quotes.own(own_events))
        conns = {conn.id: conn for conn in self._runtime.conns(self._tenant.key)}
        seen = await self._looked(user)

        def unit(tx: Tx, app: int) -> tuple[erasure.Erased, Event] | None:
            if erasing.is_under_way(tx, app):
                return (
                    None  # what another erasure leaves of an event is not known before it is done
                )
            done = erasure.erase(tx, app, _person(tx, app, user), conns, rules, seen)
            return done, rows.event(tx, app, done.event)

        while (decided := await self._write(unit)) is None:
            await forgetting.finish(self._runtime)
        await forgetting.finish(self._runtime)
        await forgetting.drop(self._runtime)
        await self._tenant.database.truncate_log()
        done, event = decided
        return Erased(event, done.events, done.quotes, done.files)

    async def _looked(self, user: Any) -> quotes.Look:
        """What names the person, window by window: each is a short read, so that no write waits."""

        def begin(tx: Tx, app: int) -> quotes.Look:
            return quotes.begin(tx, app, erasure.persons(tx, app, _person(tx, app, user))[1])

        seen = await self._tenant.traverse(begin)
        while seen.more:
            seen = await self._tenant.traverse(partial(quotes.look, seen=seen))
        return seen

    def _quoting(self) -> dict[int, Quoting]:
        """What each platform says of its members; nothing, where it is not installed."""
        found = {}
        for conn in self._runtime.conns(self._tenant.key):
            with suppress(OuteractError):
                told = self._runtime.adapter(conn).manifest
                found[conn.id] = Quoting(told.answers, told.names, told.forwards)
        return found

    async def _write(self, unit: Callable[[Tx, int], T]) -> T:
        result = await self._tenant.write(unit)
        self._runtime.wake("handlers", "outbox")
        return result


def _person(tx: Tx, app: int, who: Any) -> int:
    key, node_type = nodes.resolve(tx, app, who, ("user", "platform_user"))
    return key if node_type == "user" else identity.user_of(tx, key, None)


def _written(runtime: Runtime, conn: Conn, external_id: str) -> list[str]:
    """The name in the platform's one form, where it has one, and as it was given."""
    try:
        party = meant(runtime.adapter(conn), external_id)
    except (BadInput, UnknownPlatform):
        return [str(external_id)]
    found = [party.external_id, *(alias.value for alias in party.aliases)]
    return [*(one for one in found if one is not None), str(external_id)]


def _is_public(tx: Tx, app: int, message: int) -> bool:
    peer = peer_of(tx, message)
    return bool(peer) and rows.platform_user(tx, app, peer).kind in ("group", "channel")


def _between(name: str, value: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise BadInput(f"{name} is 1 to {most}, not {value!r}")
