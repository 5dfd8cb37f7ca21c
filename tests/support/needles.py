"""Words of several people that stand nowhere else, and where their stems are found, however written.

Knows: UTF-8, UTF-16, base64 at any offset, packed files; escapes leave a stem of plain letters alone.
Does not know: tables, platforms, what the words mean.
"""

from __future__ import annotations

import base64
import gzip
import secrets
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from attrs import Factory, define

__all__ = ["Needles", "contents"]


@define
class Needles:
    """What each person has left: owner → what → its stem."""

    stems: dict[str, dict[str, str]] = Factory(dict)

    def plant(self, owner: str, what: str) -> str:
        """A new word of theirs, with letters that JSON, URLs and indexes write in their own ways."""
        return self.keep(owner, what, f"z{secrets.token_hex(6)}q") + "ü"

    def keep(self, owner: str, what: str, stem: str) -> str:
        """A word that the test has chosen, of plain letters and digits."""
        own = self.stems.setdefault(owner, {})
        assert what not in own, what
        own[what] = stem
        return stem

    def found(self, owner: str, haystacks: Iterable[bytes]) -> set[str]:
        """What of theirs can be read in any of these."""
        stacks = list(haystacks)
        return {
            what
            for what, stem in self.stems.get(owner, {}).items()
            if any(form in stack for form in _forms(stem) for stack in stacks)
        }


def _forms(stem: str) -> list[bytes]:
    plain = stem.encode()
    inner = [base64.b64encode(b"\0" * shift + plain) for shift in range(3)]
    packed = [one[4:-4] if n else one[:-4] for n, one in enumerate(inner)]
    return [
        plain,
        stem.upper().encode(),
        stem.encode("utf-16-le"),
        stem.encode("utf-16-be"),
        *packed,
    ]


def contents(*places: Path) -> list[bytes]:
    """Every file below these, its name too, unpacked where it is packed."""
    found = []
    for place in places:
        for path in [place, *place.rglob("*")] if place.is_dir() else [place]:
            found.append(path.name.encode())
            if path.is_file():
                found += _opened(path)
    return found


def _opened(path: Path) -> list[bytes]:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        return [data, gzip.decompress(data)]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            return [data, *(packed.read(name) for name in packed.namelist())]
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as packed:
            streams = (packed.extractfile(one) for one in packed.getmembers())
            return [data, *(one.read() for one in streams if one is not None)]
    return [data]
