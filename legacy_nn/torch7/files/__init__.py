"""torch.File and its kinds, and torch.save, load, serialize and deserialize.

- `file`: torch.File, what all kinds have, on `state`; `kinds`, `scanning`: its elementary values
- `disk_file`, `pipe_file`, `memory_file`: the kinds
- `objects`: readObject and writeObject, on the reader and writer of core.checkpoint
- `classes`: how classes that write their own record are made, read and written;
  `generator_record`: torch.Generator
- `saving`: the functions

`CLASSES` and `FUNCTIONS` are what becomes `torch.<name>`.
"""

from collections.abc import Callable
from typing import Any

from . import generator_record as generator_record
from .classes import FileClasses as FileClasses
from .disk_file import DiskFile as DiskFile
from .file import File as File
from .memory_file import MemoryFile as MemoryFile
from .pipe_file import PipeFile as PipeFile
from .saving import deserialize as deserialize
from .saving import deserializeFromStorage as deserializeFromStorage
from .saving import load as load
from .saving import save as save
from .saving import serialize as serialize
from .saving import serializeToStorage as serializeToStorage

CLASSES: dict[str, type] = {cls.t7_typename: cls for cls in (File, DiskFile, MemoryFile, PipeFile)}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "save": save,
    "load": load,
    "saveobj": save,
    "loadobj": load,
    "serialize": serialize,
    "deserialize": deserialize,
    "serializeToStorage": serializeToStorage,
    "deserializeFromStorage": deserializeFromStorage,
}
