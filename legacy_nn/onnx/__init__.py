"""ONNX: legacy models as ONNX files.

`writer.py` collects nodes; `layers.py` and `operations.py` say what each layer and operation of
a plan (see legacy_nn.modernise) is in ONNX; `model.py` goes through a plan and writes the file.
Needs the package onnx, which is imported when a file is written.
"""

from .errors import OnnxError as OnnxError
from .model import write_onnx as write_onnx
