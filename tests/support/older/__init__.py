"""Files that earlier versions wrote, with what those versions answered of them."""

from pathlib import Path

OLDER = Path(__file__).parent
