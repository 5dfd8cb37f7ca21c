"""Addresses on the network: where a request may go, asked once for each and held on to.

Knows: names, addresses, which of them are for everybody, which origin each connection trusts.
Does not know: requests.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Hashable
from typing import TypeAlias

import anyio
from attrs import field

from ..._domain.values.classes import define
from ...errors import PrivateAddress, Unreachable

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host and port: what differs in one of them is somebody else."""
_HELD = 60.0
_MOST = 1024
_IPv6 = [
    ipaddress.IPv6Network(net)
    for net in (
        "::/96",  # IPv4-compatible, and what is unspecified
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96", "64:ff9b:1::/48",  # NAT64
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fec0::/10",  # site-local
        "5f00::/16",  # segment routing
    )
]  # fmt: skip
"""They lead to an IPv4 address or into somebody's own network, whatever `is_global` says."""


def public(address: str) -> bool:
    """Whether the address is one machine that everybody can reach."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if found.is_multicast or not found.is_global:
        return False
    return found.version == 4 or not any(found in net for net in _IPv6)


@define
class AddressGuard:
    """Where requests may go. `anywhere`: nothing is asked, of anybody."""

    anywhere: bool = False
    _trusted: dict[Hashable, Origin] = field(factory=dict)
    _held: dict[tuple[str, int], tuple[float, list[str]]] = field(factory=dict)

    def trust(self, by: Hashable, origin: Origin | None) -> None:
        """Requests of this connection to this origin are wanted by the host, wherever it is; to the one
        that it trusted before, no longer. None: it trusts none.
        """
        if origin is None:
            self._trusted.pop(by, None)
        else:
            self._trusted[by] = origin

    async def address(self, origin: Origin, by: Hashable, *, proxied: bool = False) -> str | None:
        """The address that a request of `by` to `origin` goes to; None: it trusts it, and goes by its name.

        `proxied`: a proxy looks names up, so one that nobody knows here goes by its name, too.
        Raises PrivateAddress, Unreachable.
        """
        if self.anywhere or self._trusted.get(by) == origin:
            return None
        where, now = origin[1:], time.monotonic()
        until, found = self._held.get(where, (0.0, []))
        if until < now:
            try:
                found = await _public_addresses(*where)
            except Unreachable:
                if not proxied:
                    raise
                found = []
            self._hold(where, found)
        return found[0] if found else None

    def unknown(self, origin: Origin) -> None:
        """Nobody here tells in time who that is: not asked again for a while."""
        self._hold(origin[1:], [])

    def _hold(self, where: tuple[str, int], found: list[str]) -> None:
        if len(self._held) >= _MOST:
            self._held.clear()
        self._held[where] = (time.monotonic() + _HELD, found)

    def failed(self, origin: Origin) -> None:
        """Nobody is there: the next request takes the next address of the name, or asks anew."""
        until, found = self._held.pop(origin[1:], (0.0, []))
        if len(found) > 1:
            self._held[origin[1:]] = (until, found[1:])


async def _public_addresses(host: str, port: int) -> list[str]:
    """The addresses of `host`, all of which must be public. Raises PrivateAddress, Unreachable."""
    try:
        found = await anyio.getaddrinfo(host, port, type=1)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {host} cannot be resolved") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not public(address):
            raise PrivateAddress(
                f"{host} leads to the private address {address}; "
                "allow it with Outeract(..., allow_private_addresses=True) if that is meant"
            )
    return addresses
