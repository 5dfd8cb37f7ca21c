"""What a connection has learnt from its file, and how long it is true.

Knows: that what a transaction has learnt counts once it has committed, that another writer's commit
makes everything doubtful but the interned names, which are only ever added.
Does not know: SQL, what the things mean.
"""

from __future__ import annotations

from typing import Any

_MOST = 20_000
"""So many remembered things are enough; then remembering starts anew."""


_LASTING = ("names",)
"""What is only ever added to, as interned names are: who finds something missing reads it again. (An import
that may be undone is not read before it is whole.)"""


class Known:
    """The memory of one connection. `numbers` and `names` are those of interned kinds."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.names: dict[int, str] = {}
        self._known: dict[Any, Any] = {}
        self._staged: dict[Any, Any] = {}
        self._lasting: dict[Any, Any] = {}
        self._hidden: dict[Any, Any] | None = None
        self._version = -1

    def remember(self, key: Any, value: Any) -> None:
        """Cache something that is true once this transaction has committed."""
        self._staged[key] = value

    def recall(self, key: Any) -> Any:
        """What was remembered under `key`, here or in an earlier commit, or None."""
        if key in self._staged:
            return self._staged[key]
        found = self._known.get(key)
        return self._lasting.get(key) if found is None else found

    def forget(self, key: Any = None) -> None:
        """Drop what was remembered under `key`, or everything."""
        for cache in (self._staged, self._known, self._lasting):
            if key is None:
                cache.clear()
            else:
                cache.pop(key, None)

    def watch(self, version: int) -> None:
        """The file is at `version` now: what another connection may have changed is forgotten."""
        if version != self._version:
            self._known.clear()
            self._version = version

    def stands(self, version: int) -> bool:
        """Whether the file is still at the version at which it was looked at last."""
        return version == self._version

    def hide(self) -> None:
        """It is not known yet at which version the file is: nothing is remembered but what lasts."""
        self._hidden, self._known = self._known, {}

    def show(self) -> None:
        """It is known, or no more asked."""
        if self._hidden is not None:
            self._known, self._hidden = self._hidden, None

    def own(self, version: int) -> None:
        """The file is at `version` by this connection's own commit."""
        self._version = version

    def learn(self) -> None:
        """What was staged is true now; interned names stay true whatever others commit."""
        if len(self._known) > _MOST:
            self._known.clear()
        for key, value in self._staged.items():
            if key[0] == "kind":
                self.numbers[key[1]] = value
            elif key[0] == "kind_name":
                self.names[key[1]] = value
            elif key[0] in _LASTING:
                self._lasting[key] = value
            else:
                self._known[key] = value
        self._staged.clear()

    def unstage(self, staged: dict[Any, Any] | None = None) -> None:
        """Back to what was staged then, or to nothing."""
        self._staged = {} if staged is None else dict(staged)

    @property
    def staged(self) -> dict[Any, Any]:
        """A copy of what waits for the commit."""
        return dict(self._staged)
