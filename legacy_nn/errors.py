"""The errors of modules and criterions."""

from __future__ import annotations

from rekindle.core.errors import RekindleError


class ModuleError(RekindleError, RuntimeError):
    """A module that cannot compute: of an unknown class, or given what it cannot take."""


class InputTypeError(ModuleError, TypeError):
    """An input whose type is not the module's."""


class ArgumentError(ModuleError, ValueError):
    """A value that a module's constructor, method or field does not take."""
