"""What cannot be translated, in one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rekindle.core.errors import RekindleError


@dataclass(frozen=True, slots=True)
class Untranslated:
    """A module that has no translation.

    Attributes
    ----------
    path : str
        Its Lua path: `modules[3]`.
    typename : str
    reason : str
    """

    path: str
    typename: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path or 'the model'} ({self.typename}): {self.reason}"


class TranslationError(RekindleError, NotImplementedError):
    """Modules of a model have no translation.

    Attributes
    ----------
    found : tuple of Untranslated
    """

    def __init__(self, found: Sequence[Untranslated]) -> None:
        self.found = tuple(found)
        listed = "".join(f"\n  {one}" for one in self.found)
        super().__init__(f"not translated to modules of core.nn (docs/not-translated.md):{listed}")


class Refusal(Exception):  # an answer of a rule, which never reaches users
    """A rule's word that this module cannot be translated."""
