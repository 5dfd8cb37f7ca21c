"""Addresses on the network: where a URL leads, and whether that is a place for everybody.

Knows: names, addresses, which of them are private. Does not know: requests, who may go there.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import anyio

from ..errors import PrivateAddress, Unreachable


def origin(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    parts = urlsplit(url)
    return (parts.hostname or "").lower(), parts.port or (80 if parts.scheme == "http" else 443)


async def public_address(host: str, port: int) -> str:
    """An address of `host`, all of which must be public. Raises PrivateAddress, Unreachable."""
    try:
        found = await anyio.getaddrinfo(host, port, type=1)
    except OSError as error:
        raise Unreachable(f"the name {host} cannot be resolved") from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise PrivateAddress(
                f"{host} leads to the private address {address}; "
                "allow it with Outeract(..., allow_private_addresses=True) if that is meant"
            )
    return addresses[0]
