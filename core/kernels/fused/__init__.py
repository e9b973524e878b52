"""Fused kernels: elementwise chains, and sums along rows, in one pass over memory, by numba.

In reading order: `compiling.py` (how functions become kernels, and where they are kept),
`functions.py` (exp, tanh and others in single precision, as code that vectorises),
`reductions.py` (sums of rows), `arrays.py` (which arrays the kernels take), then one module for
each family, whose functions `core/kernels/dispatch.py` calls. They take single precision, sums
and updates also double; anything else is the reference's. Imports nothing of Rekindle but
kernels and the backend.
"""

from .library import describe as describe
from .library import missing as missing
