"""Jumps of `goto` that Python has no statement for."""

from __future__ import annotations


class Jump(BaseException):
    """A jump on its way to its label; no protected call stops it."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label

    def check(self, label: str) -> None:
        """Let the jump go on if it is for another label."""
        if self.label != label:
            raise self
