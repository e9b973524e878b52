"""Arrays and devices: the only place that knows which array library is in use.

`device.py` names devices and moves arrays between them, `memory.py` says what memory an array
covers, `pool.py` uses that of outputs again, `functions.py` has what the libraries name
differently, `batched.py` has the arrays of vmap. Imports nothing of Rekindle but errors and dtypes.
"""

from .batched import OPEN as OPEN
from .batched import Batched as Batched
from .batched import BatchingError as BatchingError
from .batched import Level as Level
from .batched import draw_levels as draw_levels
from .batched import innermost as innermost
from .batched import levels_in as levels_in
from .batched import levels_of as levels_of
from .batched import unwrapped as unwrapped
from .batched import wrapped as wrapped
from .device import CPU as CPU
from .device import Device as Device
from .device import DeviceError as DeviceError
from .device import as_device as as_device
from .device import asarray as asarray
from .device import cuda_available as cuda_available
from .device import device_of as device_of
from .device import from_dlpack as from_dlpack
from .device import library_of as library_of
from .device import namespace as namespace
from .device import on as on
from .device import to_device as to_device
from .device import to_numpy as to_numpy
from .functions import add_at as add_at
from .functions import names_once as names_once
from .functions import random_stream as random_stream
from .functions import special as special
from .functions import stable_argsort as stable_argsort
from .memory import address as address
from .memory import diagonal as diagonal
from .memory import flat_memory as flat_memory
from .memory import shares_memory as shares_memory
from .memory import strided_view as strided_view
from .memory import windows as windows
from .pool import MemoryStats as MemoryStats
from .pool import empty as empty
from .pool import holds_alone as holds_alone
from .pool import memory_stats as memory_stats
