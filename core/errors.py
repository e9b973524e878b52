"""The base of every exception that Rekindle raises itself."""


class RekindleError(Exception):
    """Base class: `except RekindleError` catches whatever Rekindle reports.

    Concrete errors also derive from the built-in that fits (ValueError, TypeError,
    NotImplementedError), so that plain Python code needs no import to catch them.
    """


class ShapeError(RekindleError, ValueError):
    """Shapes or size parameters that do not fit each other, or the operation."""


class BoundsError(RekindleError, IndexError):
    """An index that names nothing: outside of its dimension, or of a dimension too many."""


class UseError(RekindleError, TypeError):
    """A tensor used as what it is not: a sequence, an index, memory of the CPU."""


class SharingError(RekindleError, BufferError):
    """Memory that cannot be shared with another library as it is."""
