"""Whom TLS believes, and who we are in it: what the host says of certificates, read when a file is opened.

Knows: bundles of authorities, client certificates and their keys. Does not know: requests, which proxy one
goes through.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ...errors import BadInput
from .proxies import Proxies, proxies

if TYPE_CHECKING:
    import ssl

__all__ = ["authorities", "reach"]

At: TypeAlias = Callable[[Any], os.PathLike[str]]
Hide: TypeAlias = Callable[[str], object]


def reach(proxy: str | None, verify: Any, cert: Any, at: At, hide: Hide) -> tuple[Proxies, Any]:
    """How the network is reached, as the host and the environment say now. Raises BadInput, MissingExtra."""
    return proxies(proxy, hide), authorities(verify, cert, at, hide)


def authorities(verify: Any, cert: Any, at: At, hide: Hide) -> Any:
    """True (the public ones), or a context made of what the host gives.

    `at`: makes a path absolute; `hide` is told the password of a key. Raises BadInput, which says
    what cannot be used.
    """
    if verify is True and cert is None:
        return True
    made = _believing(verify, at)
    if cert is not None:
        _present(made, cert, at, hide)
    return made


def _believing(verify: Any, at: At) -> ssl.SSLContext:
    import ssl  # who gives none of his own needs it with the first request

    if isinstance(verify, ssl.SSLContext):
        return verify
    if verify is True:
        import certifi

        return ssl.create_default_context(cafile=certifi.where())
    if verify is False:
        made = ssl.create_default_context()
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        return made
    if not isinstance(verify, str | os.PathLike):
        raise BadInput(f"verify= is a path, an ssl.SSLContext or False, not {verify!r:.60}")
    path = Path(at(verify))
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:  # SSLError is one
        raise BadInput(
            f"verify={path} is no bundle of certificates (PEM) that can be read: {_said(error)}"
        ) from None


def _present(made: ssl.SSLContext, cert: Any, at: At, hide: Hide) -> None:
    given = [cert] if isinstance(cert, str | os.PathLike) else cert
    if not isinstance(given, tuple | list) or not 1 <= len(given) <= 3 or given[0] is None:
        raise BadInput("cert= is a path, or (certificate, key[, password])")
    file, key, password = [*given, None, None][:3]
    path, own = at(file), None if key is None else at(key)
    if password is not None:
        hide(str(password))
    try:  # without a password OpenSSL would ask the terminal for one
        made.load_cert_chain(path, own, lambda: password or "")
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(
            f"cert={path} is no certificate (PEM) with its key that can be used: {_said(error)}; "
            "look at the key and its password"
        ) from None


def _said(error: Exception) -> str:
    """In words, without OpenSSL's place in its own code."""
    return str(getattr(error, "strerror", None) or error).partition(" (_ssl.c")[0]
