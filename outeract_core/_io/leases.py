"""Who holds a lease: a name that tells whether its holder still lives.

Knows: processes of this machine. Does not know: what the lease is for.
"""

from __future__ import annotations

import os
import secrets
import socket


def owner_name() -> str:
    """A name for this process: host, process id, and a part that tells two openings apart."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """Whether `owner` was a process of this machine that is gone. Unsure counts as alive."""
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not rest.isdigit() or int(rest) == os.getpid():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
