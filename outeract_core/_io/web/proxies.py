"""Which proxy a request goes through: as the host says, or as the environment does.

Knows: the variables that programs agree on (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`).
Does not know: requests. The environment is read once, when this is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from attrs import field, frozen

from ...errors import BadInput

_SCHEMES = ("http", "https", "socks5", "socks5h")


@frozen
class Proxies:
    """Proxies by scheme (`https`, `http`, `all`), and the hosts that need none (`no`)."""

    by_scheme: Mapping[str, str] = field(factory=dict, repr=False)

    def of(self, scheme: str, host: str) -> str | None:
        """The proxy's URL for a request, or None."""
        if _loopback(host) or _spared(host, self.by_scheme.get("no", "")):
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

    `given`: a URL, or `""` for none at all. `hide` is told their passwords, which nobody may read.
    Raises BadInput for what is no proxy's URL.
    """
    if given is None:
        found = {
            name: value if name == "no" else _url(value) for name, value in getproxies().items()
        }
    else:
        found = {"all": checked(given)} if given else {}
    for url in found.values():
        before, at, _ = url.rpartition("@")
        password = before.rpartition(":")[2]
        for one in {password, unquote(password)} if at else ():
            hide(one)
    return Proxies(found)


def checked(url: str) -> str:
    """A proxy's URL. Raises BadInput, which does not repeat it: it may hold a password."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise BadInput(f"proxy= is a URL such as http://proxy.example:3128 ({', '.join(_SCHEMES)})")
    return url


def _url(value: str) -> str:
    """A variable may leave the scheme out."""
    return value if "://" in value else f"http://{value}"
