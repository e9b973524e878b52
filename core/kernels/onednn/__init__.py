"""oneDNN: kernels of Intel's library for CPUs of all makers, called through its C API.

In reading order: `library.py` (finding it, its functions and errors), `memory.py` (how arrays
lie in memory), `primitives.py` (computations made ready once and run often), then one module
for each family of kernels, whose functions `core/kernels/dispatch.py` calls. Only what is the
same in all releases 3.x of oneDNN is used. Imports nothing of Rekindle but kernels and errors.
"""

from .library import describe as describe
from .library import missing as missing
