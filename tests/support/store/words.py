"""Words that can be planted and looked for in every byte that a store keeps.

Knows: files of a folder. Does not know: tables, what the words mean.
"""

from __future__ import annotations

import secrets
from pathlib import Path


class Words:
    """Makes words that stand nowhere else, and finds them again."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where the database, its log and its files are."""
        self._folder = folder
        self._planted: dict[str, str] = {}

    def plant(self, what: str) -> str:
        """A new word, to be put wherever `what` says."""
        word = self._planted[what] = f"planted{secrets.token_hex(8)}"
        return word

    def word(self, what: str) -> str:
        """What was planted there."""
        return self._planted[what]

    def found(self) -> set[str]:
        """What can still be read in some file."""
        contents = [path.read_bytes() for path in self._folder.rglob("*") if path.is_file()]
        return {
            what
            for what, word in self._planted.items()
            if any(word.encode() in content for content in contents)
        }

    def all(self) -> set[str]:
        """Everything that was planted."""
        return set(self._planted)
