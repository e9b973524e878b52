"""The errors of modules."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import RekindleError


class ModuleError(RekindleError, RuntimeError):
    """A module that cannot do what is asked: it has no forward, or was not initialised."""


class AssignmentError(RekindleError, TypeError):
    """An attribute set to what it cannot hold, or registered under a name that is no name."""


class ArgumentError(RekindleError, ValueError):
    """A value that a module's constructor, a layer function or an initialiser does not take."""


class StateDictError(RekindleError, ValueError):
    """A state_dict that does not fit its module; it lists everything that does not.

    Attributes
    ----------
    missing, unexpected, misshaped : tuple of str
        Keys that the module has and the state lacks, the other way round, and those whose
        tensors have other shapes. Nothing was loaded.
    """

    def __init__(
        self,
        module: str,
        missing: Sequence[str],
        unexpected: Sequence[str],
        misshaped: Sequence[tuple[str, tuple[int, ...], tuple[int, ...]]],
    ) -> None:
        self.missing, self.unexpected = tuple(missing), tuple(unexpected)
        self.misshaped = tuple(key for key, _, _ in misshaped)
        lines = [f"this state_dict is not that of {module}; nothing was loaded"]
        lines += [f"  missing: {key}" for key in missing]
        lines += [f"  unexpected: {key}" for key in unexpected]
        lines += [
            f"  {key}: the module has shape {own}, the state {given}"
            for key, own, given in misshaped
        ]
        if (prefix := _prefix(missing, unexpected)) is not None:
            lines.append(
                f"  all keys of the state begin with {prefix!r}, which those of the module do not: "
                "take it away"
            )
        super().__init__("\n".join(lines))


def _prefix(missing: Sequence[str], unexpected: Sequence[str]) -> str | None:
    """Return what all unexpected keys begin with, if those that are missing come behind it."""
    for prefix in (key.removesuffix(missing[0]) for key in unexpected if missing):
        rest = {key.removeprefix(prefix) for key in unexpected if key.startswith(prefix)}
        if prefix.endswith(".") and len(rest) == len(unexpected) and rest >= set(missing):
            return prefix
    return None
