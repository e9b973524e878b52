"""Reading and writing Torch7's checkpoints (`.t7`).

Reading, from the outside in: load.py (what users call), sniff.py (which format it is),
source.py (bytes, mapping, streams), reader.py (objects in any nesting, on the stack of
frames.py), tensors.py, layouts.py (records that are not one table, with records.py),
decoder.py with binary.py and ascii.py (elementary values), longsize.py.
What comes out: table.py, objects.py, torch_types.py; compare.py and display.py serve them.
Writing: save.py, writer.py, extent.py (how much of a storage), encoder.py.
registry.py: which Python class stands for which Torch7 class.
Beside .t7: state.py (a state_dict as safetensors or npz) and training.py (a whole run in such a
file, by packing.py), on the formats of core.export.

May import core's tensor, storage, backend, dtypes, generators and export; knows no module class.
"""

from . import layouts as layouts
from .errors import RekindleWarning as RekindleWarning
from .errors import T7Error as T7Error
from .load import load as load
from .load import load_all as load_all
from .load import load_lua as load_lua
from .load import loads as loads
from .objects import LuaFunction as LuaFunction
from .objects import LuaFunctionError as LuaFunctionError
from .objects import TdsHash as TdsHash
from .objects import TdsVec as TdsVec
from .objects import TorchObject as TorchObject
from .packing import PackingError as PackingError
from .records import RecordReader as RecordReader
from .records import RecordWriter as RecordWriter
from .registry import register as register
from .save import dump_all as dump_all
from .save import dumps as dumps
from .save import save as save
from .state import StateError as StateError
from .state import load_state as load_state
from .state import save_state as save_state
from .table import Table as Table
from .training import TrainingError as TrainingError
from .training import load_training as load_training
from .training import save_training as save_training
