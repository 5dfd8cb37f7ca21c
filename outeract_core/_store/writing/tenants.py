"""Units of work on organisations, applications and connections.

Knows: how a tenant and its system user come to be, what a connection's row holds.
Does not know: adapters, secrets (a config holds references only).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

from ..._domain.rules.tenant_names import check_name
from ..._domain.values import stored
from ..._domain.values.codec import encode
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import BadInput, UnfinishedImport
from ...model import (
    AppId,
    Application,
    ConnectionId,
    Organisation,
    OrganisationId,
    PlatformConnection,
)
from ...tenancy import Address, sealed
from ..engine.statements import statement
from ..records.conn import DISABLED, Conn
from ..records.log import append
from .people import add_system_person, add_system_puser

_ConnectionRow = tuple[
    int, bytes, int, bytes, str, str, str | None, str, str, int, str, int, int, str
]

ORGANISATION_ADD: Statement[Any] = statement("organisation_add")
ORGANISATION: Statement[tuple[int, bytes, str, int]] = statement("organisation_by_name")
APPLICATION_ADD: Statement[Any] = statement("application_add")
APPLICATION: Statement[tuple[int, bytes, bytes, str, str, int, int]] = statement(
    "application_by_name"
)
APPLICATIONS: Statement[tuple[int, str, str]] = statement("applications")
APPLICATION_SYSTEM: Statement[Any] = statement("application_system")
APPLICATION_CONFIG: Statement[Any] = statement("application_config")
CONNECTION_ADD: Statement[Any] = statement("connection_add")
CONNECTION_CHANGE: Statement[Any] = statement("connection_change")
HELD_BY: Statement[tuple[int, str, str, str]] = statement("account_held_by")
HELD: Statement[tuple[bytes]] = statement("account_held")
HOLD: Statement[Any] = statement("account_hold")
LET_GO: Statement[Any] = statement("account_let_go")
CODE_KEY: Statement[tuple[bytes]] = statement("account_key")
PROFILES_ANEW: Statement[Any] = statement("profiles_anew")
UNPAUSE_ALL: Statement[Any] = statement("profile_unpause_all")
CONNECTION_PIN: Statement[Any] = statement("connection_pin")
CONNECTION_STATUS: Statement[Any] = statement("connection_status")
CONNECTION_ENABLE: Statement[Any] = statement("connection_enable")
CONNECTION_SYSTEM: Statement[Any] = statement("connection_system")
CONNECTION: Statement[_ConnectionRow] = statement("connection_by_name")
CONNECTIONS: Statement[_ConnectionRow] = statement("connections")
BY_WEBHOOK: Statement[tuple[int]] = statement("connection_by_webhook")
BY_ACCOUNT: Statement[tuple[int]] = statement("connection_by_account")
BY_NUMBER: Statement[tuple[int]] = statement("connection_there")
STANDING: Statement[tuple[str, int, int, int]] = statement("importing_by_app")
"""An import of this application that is not finished."""

CONFIG = {
    "auto_mark_read": ("never", "on_received", "on_processing_complete"),
    "link_code_auto_detect": ("disabled", "enabled"),
    "transcription": ("disabled", "enabled"),
    "profiles": ("names", "pictures", "disabled"),
    "overlap": ("burst", "queue", "concurrent"),
}
"""Application config: each name, its values, the default first (specification, section 6)."""


def _refuse_unfinished(tx: Tx, app: int, where: str) -> None:
    """Raises UnfinishedImport when this application is not whole yet."""
    if tx.one(STANDING, app=app) is not None:
        raise UnfinishedImport(
            f"{where} is not whole: its import was interrupted; run it again with the same file"
        )


def check_config(config: dict[str, str]) -> dict[str, str]:
    """The whole config with defaults. Raises BadInput for an unknown name or value."""
    for name, value in config.items():
        if name not in CONFIG:
            raise BadInput(f"no application config {name!r}; there are {', '.join(CONFIG)}")
        if value not in CONFIG[name]:
            raise BadInput(f"{name} is one of {', '.join(CONFIG[name])}, not {value!r}")
    return {name: config.get(name, values[0]) for name, values in CONFIG.items()}


def _config_of(app: int, text: str) -> dict[str, str]:
    """The config of an application as it is stored. Raises StoreCorrupt."""
    found = stored.values(text, "application", app)
    for name, value in found.items():
        stored.word(value, stored.behind(name, CONFIG, "application", app), "application", app)
    return check_config(found)


def organisation(tx: Tx, name: str) -> tuple[int, Organisation]:
    """The organisation called `name`, made on first use. Raises BadInput for a new one's bad name."""
    row = tx.one(ORGANISATION, name=name)
    if row is None:
        check_name("an organisation", name)
        tx.run(ORGANISATION_ADD, uid=tx.new_id().bytes, name=name, now=tx.now)
        row = tx.one(ORGANISATION, name=name)
    assert row is not None  # noqa: S101 - inserted above
    return row[0], _organisation(row)


def _organisation(row: Any) -> Organisation:
    """The organisation of a row. Raises StoreCorrupt."""
    return Organisation(
        OrganisationId(stored.uid(row[1], "organisation", row[0])), row[2],
        stored.moment(row[3], "organisation", row[0]),
    )  # fmt: skip


def application(
    tx: Tx, organisation_name: str, name: str, config: dict[str, str]
) -> tuple[int, Application]:
    """The application `name`, made on first use; `config` changes what it names.

    Raises UnfinishedImport, and BadInput for a new one's bad name.
    """
    parent, _ = organisation(tx, organisation_name)
    row = tx.one(APPLICATION, organisation=parent, name=name)
    if row is not None:
        _refuse_unfinished(tx, row[0], f"{organisation_name}/{name}")
    if row is None:
        check_name("an application", name)
        row = _add_application(tx, parent, name, check_config(config))
    elif config:
        merged = check_config({**_config_of(row[0], row[4]), **config})
        tx.run(APPLICATION_CONFIG, app=row[0], config=encode(merged))
        if merged["profiles"] != _config_of(row[0], row[4])["profiles"]:
            lo, hi = span(row[0])
            tx.run(PROFILES_ANEW, lo=lo, hi=hi)
        row = tx.one(APPLICATION, organisation=parent, name=name)
    assert row is not None  # noqa: S101
    return _named(row, parent)


def standing(
    tx: Tx, organisation_name: str, name: str, config: dict[str, str]
) -> tuple[int, Application] | None:
    """The application `name` when it is there and `config` changes nothing of it: then nothing is written.

    Raises UnfinishedImport, BadInput, StoreCorrupt.
    """
    parent = tx.one(ORGANISATION, name=organisation_name)
    row = None if parent is None else tx.one(APPLICATION, organisation=parent[0], name=name)
    if parent is None or row is None:
        return None
    _organisation(parent)  # damage is told here, too
    _refuse_unfinished(tx, row[0], f"{organisation_name}/{name}")
    now = _config_of(row[0], row[4])
    return _named(row, parent[0]) if check_config({**now, **config}) == now else None


def _named(row: Any, parent: int) -> tuple[int, Application]:
    return row[0], Application(
        id=AppId(stored.uid(row[1], "application", row[0])),
        organisation_id=OrganisationId(stored.uid(row[2], "organisation", parent)),
        name=row[3],
        config=stored.values(row[4], "application", row[0]),
        created_at=stored.moment(row[6], "application", row[0]),
    )


def _add_application(tx: Tx, parent: int, name: str, config: dict[str, str]) -> Any:
    uid = tx.new_id().bytes
    tx.run(
        APPLICATION_ADD, uid=uid, organisation=parent, name=name, config=encode(config), now=tx.now
    )
    row = tx.one(APPLICATION, organisation=parent, name=name)
    assert row is not None  # noqa: S101
    tx.run(APPLICATION_SYSTEM, app=row[0], person=add_system_person(tx, row[0]))
    return tx.one(APPLICATION, organisation=parent, name=name)


def connect(
    tx: Tx, app: int, organisation_name: str, app_name: str, platform: str, name: str,
    account: str | None, config: dict[str, Any],
) -> Conn:  # fmt: skip
    """The connection (app, platform, name), made on first use or given its new config.

    Raises BadInput for a new one's bad name.
    """
    row = tx.one(CONNECTION, app=app, platform=platform, name=name)
    if row is None:
        check_name("a connection", name)
        _add_connection(tx, app, organisation_name, app_name, platform, name, account, config)
    elif (row[6], stored.values(row[7], "connection", row[0])) != (account or row[6], config):
        tx.run(CONNECTION_CHANGE, id=row[0], account=account or row[6], config=encode(config))
        tx.run(UNPAUSE_ALL, conn=row[0])
    if row is not None and row[8] == DISABLED:  # its config is the host's own now
        tx.run(CONNECTION_ENABLE, id=row[0], config=encode(config))
    row = tx.one(CONNECTION, app=app, platform=platform, name=name)
    assert row is not None  # noqa: S101
    return _conn(row)


def _add_connection(
    tx: Tx, app: int, organisation_name: str, app_name: str, platform: str, name: str,
    account: str | None, config: dict[str, Any],
) -> None:  # fmt: skip
    parent, _ = organisation(tx, organisation_name)
    application_row = tx.one(APPLICATION, organisation=parent, name=app_name)
    assert application_row is not None  # noqa: S101
    tx.run(
        CONNECTION_ADD, uid=tx.new_id().bytes, app=app, platform=platform, name=name,
        account=account, config=encode(config), system_puser=0,
        webhook_id=secrets.token_urlsafe(12), now=tx.now,
    )  # fmt: skip
    row = tx.one(CONNECTION, app=app, platform=platform, name=name)
    assert row is not None  # noqa: S101
    puser = add_system_puser(tx, app, row[0], application_row[5], name)
    tx.run(CONNECTION_SYSTEM, id=row[0], puser=puser)
    tx.forget(("names", app))


def as_it_stands(tx: Tx, conn: Conn) -> Conn | None:
    """The connection as the file has it now, whoever has changed it; None: it is gone."""
    row = tx.one(CONNECTION, app=conn.app, platform=conn.platform, name=conn.entity.name)
    return None if row is None else _conn(row)


def enable(tx: Tx, conn: Conn, config: dict[str, Any]) -> bool:
    """The host has looked at this config; False when it is another one."""
    row = tx.one(CONNECTION, app=conn.app, platform=conn.platform, name=conn.entity.name)
    if row is None or stored.values(row[7], "connection", row[0]) != config:
        return False
    return bool(tx.changed(CONNECTION_ENABLE, id=row[0], config=row[7]))


def hold(tx: Tx, conn: Conn, marks: Sequence[str], account: str | None) -> Conn:
    """The connection holds the account that these identify, and lets go of another one that it had.

    `marks`: what identifies it, secrets among them; only a keyed hash is kept. `account`: as given by
    the host. Raises BadInput, naming the connection that holds it already.
    """
    digests = [_digest(tx, mark) for mark in marks]
    for digest in digests:
        other = tx.one(HELD_BY, digest=digest)
        if other is not None and other[0] != conn.id:
            raise BadInput(
                f"this account is connected already: {conn.platform} {other[1]!r} of {other[3]}/{other[2]}; "
                "use that connection, or give this one an account of its own"
            )
    before = {row[0] for row in tx.all(HELD, conn=conn.id)}
    if digests and before and not before & set(digests):
        tx.run(CONNECTION_CHANGE, id=conn.id, account=account, config=encode(conn.entity.config))
    if digests:
        tx.run(LET_GO, conn=conn.id)
    for digest in digests:
        tx.run(HOLD, digest=digest, conn=conn.id)
    row = tx.one(CONNECTION, app=conn.app, platform=conn.platform, name=conn.entity.name)
    assert row is not None  # noqa: S101
    return _conn(row)


def _digest(tx: Tx, mark: str) -> bytes:
    key = tx.one(CODE_KEY, name="code_key")
    assert key is not None  # noqa: S101 - written with the file
    return hmac.new(
        key[0], b"account\0" + mark.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).digest()


def pin(tx: Tx, conn: Conn, account: str) -> None:
    """From now on the connection is that of this account, unless it has one already."""
    tx.run(CONNECTION_PIN, id=conn.id, account=account)


def stands(tx: Tx, conn: Conn, status: str) -> bool:
    """A connection's state is this now; whether that is news."""
    return bool(tx.changed(CONNECTION_STATUS, id=conn.id, status=status))


def set_status(tx: Tx, conn: Conn, status: str, reason: str) -> None:
    """A connection's state has changed; recorded as an event, once."""
    if stands(tx, conn, status):
        payload = {"connection_id": str(conn.entity.id), "status": status, "reason": reason}
        append(tx, conn.app, "system.connection_changed", encode(payload), conn=conn.id)
        if (conn.entity.status, status) == ("unauthorised", "active"):
            tx.run(UNPAUSE_ALL, conn=conn.id)


def connections(tx: Tx, address: Address = sealed) -> list[Conn]:
    """Every connection of the file; `address`: what their webhooks' secrets follow from."""
    return [_conn(row, address) for row in tx.all(CONNECTIONS)]


def has_webhook(tx: Tx, webhook_id: str) -> bool:
    """Whether a connection of the file has this id in its address."""
    return bool(tx.all(BY_WEBHOOK, webhook_id=webhook_id))


def has_account(tx: Tx, platform: str, account: str) -> bool:
    """Whether a connection of the file that is not disabled has this account."""
    return bool(tx.all(BY_ACCOUNT, platform=platform, account=account))


def has_number(tx: Tx, number: int) -> bool:
    """Whether a connection of the file has this number."""
    return bool(tx.all(BY_NUMBER, id=number))


def _conn(row: _ConnectionRow, address: Address = sealed) -> Conn:
    entity = PlatformConnection(
        id=ConnectionId(stored.uid(row[1], "connection", row[0])),
        app_id=AppId(stored.uid(row[3], "application", row[2])),
        platform=row[4],
        name=row[5],
        account=row[6],
        config=stored.values(row[7], "connection", row[0]),
        status=row[8],
        webhook_id=row[10],
        created_at=stored.moment(row[12], "connection", row[0]),
        webhook_version=row[11],
        address=address,
    )
    return Conn(row[0], row[2], row[9], entity, _config_of(row[2], row[13]))
