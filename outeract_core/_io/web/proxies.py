"""Which proxy a request goes through: as the host says, or as the environment does.

Knows: the variables that programs agree on (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`).
Does not know: requests. The environment is read once, when this is made.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from attrs import field

from ..._domain.values.classes import frozen
from ...errors import BadInput, MissingExtra

_SCHEMES = ("http", "https", "socks5", "socks5h")


@frozen
class Proxies:
    """Proxies by scheme (`https`, `http`, `all`), and the hosts that need none (`no`).

    `everything`: the host has said so, of this machine too; a variable is not meant for that.
    """

    by_scheme: Mapping[str, str] = field(factory=dict, repr=False)
    everything: bool = False

    def of(self, scheme: str, host: str) -> str | None:
        """The proxy's URL for a request, or None."""
        if (_loopback(host) and not self.everything) or _spared(host, self.by_scheme.get("no", "")):
            return None
        return self.by_scheme.get(scheme) or self.by_scheme.get("all")


def _loopback(host: str) -> bool:
    return host == "localhost" or host == "::1" or host.startswith("127.")


def _spared(host: str, spared: str) -> bool:
    """Whether NO_PROXY names the host or a domain above it; `*` names all."""
    names = [name.strip().lower().lstrip(".") for name in spared.split(",")]
    return any(name == "*" or host == name or host.endswith(f".{name}") for name in names if name)


def proxies(given: str | None, hide: Callable[[str], object] = str) -> Proxies:
    """The proxies of this process: `given` for everything, else what the environment says.

    `given`: a URL, or `""` for none at all. `hide` is told their passwords, which nobody may read. What a
    variable says is looked at when it is needed: who only reads needs none.
    Raises BadInput for what is no proxy's URL.
    """
    if given is None:
        said = _told()
        found = {name: _url(said[name]) for name in ("https", "http", "all") if said.get(name)}
        found |= {"no": said["no"]} if "no" in said else {}
    else:
        found = {"all": checked(given)} if given else {}
    for url in found.values():
        before, at, _ = url.rpartition("@")
        password = before.rpartition(":")[2]
        for one in {password, unquote(password)} if at else ():
            hide(one)
    return Proxies(found, everything=given is not None)


def _told() -> Mapping[str, str]:
    """What the environment says; where a system has settings of its own, what those say."""
    named = any(name.lower().endswith("_proxy") for name in os.environ)
    if not named and sys.platform not in ("darwin", "win32"):
        return {}  # nearly always, and the module that knows how they are read is not small
    from urllib.request import getproxies

    return getproxies()


def checked(url: str, what: str = "proxy=") -> str:
    """A proxy's URL. Raises BadInput, which does not repeat it: it may hold a password; MissingExtra."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise BadInput(
            f"{what} is no proxy's URL: one is http://proxy.example:3128 ({', '.join(_SCHEMES)})"
        )
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise MissingExtra(f"{what} is a SOCKS proxy: pip install 'httpx[socks]'")
    return url


def _url(value: str) -> str:
    """A variable may leave the scheme out."""
    return value if "://" in value else f"http://{value}"
