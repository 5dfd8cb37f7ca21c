"""`python -m outeract_core.testing`: a fake platform as a process of its own.

Knows: its one option, `--port`; it tells its base URL on the first line and serves until its input
ends (Ctrl-D in a terminal, the death of the parent in a test).
Does not know: what it is used for; another process steers it by `/control`.
"""

from __future__ import annotations

import argparse
import sys

from .fakes.platform import FakePlatform


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m outeract_core.testing")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    with FakePlatform(port=parser.parse_args().port) as fake:
        sys.stdout.write(f"{fake.url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
