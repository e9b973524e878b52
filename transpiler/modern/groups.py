"""Sets of variables that are rewritten together or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Groups:
    """Sets of anchors that share a fate."""

    parents: dict[Any, Any] = field(default_factory=dict)

    def root(self, anchor: Any) -> Any:
        """Return the representative of an anchor's set."""
        while (above := self.parents.get(anchor, anchor)) != anchor:
            anchor = above
        return anchor

    def join(self, anchors: Iterable[Any]) -> None:
        """Make one set of several."""
        first = None
        for anchor in anchors:
            root = self.root(anchor)
            if first is None:
                first = root
            else:
                self.parents[root] = first
