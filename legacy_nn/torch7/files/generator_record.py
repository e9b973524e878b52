"""torch.Generator in a file: its state, byte for byte.

Source: torch7 Generator.c.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rekindle.core.checkpoint.layouts import GENERATOR_BYTES
from rekindle.core.storage import Storage

from ..generator import Generator
from .classes import BUILT_IN, FileClass


def _read(generator: Generator, file: Any, version: int) -> None:
    generator.set_state(file.readByte(GENERATOR_BYTES).array)


def _write(generator: Generator, file: Any) -> None:
    file.writeByte(Storage(np.frombuffer(generator.t7_payload, np.uint8)))


BUILT_IN[Generator.t7_typename] = FileClass(lambda file: Generator(0), read=_read, write=_write)
