"""Files of named arrays: where the weights of a model go, and come back from for comparison.

safetensors.py, npz.py and torch_file.py each write and read one format; json_text.py
writes tables that hold no tensors. formats.py chooses by name. Knows nothing of modules or
checkpoints but Table; may import core's tensor, storage, checkpoint and errors.
"""

from .errors import ExportError as ExportError
from .errors import UnreadableError as UnreadableError
from .formats import format_of as format_of
from .formats import read_shapes as read_shapes
from .formats import read_weights as read_weights
from .formats import write_weights as write_weights
from .json_text import write_json as write_json
from .weights import Weights as Weights
