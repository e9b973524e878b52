"""Puts the shim where `import torch` finds it."""

import importlib
import math
import sys

from . import gradients, suite, tensors
from .missing import LOADING, Finder

ROOTS = ("torch", "torch_npu", "autograd")  # the last: files beside the tests

ELSEWHERE = ("torch.cuda", "torch.npu", "torch.backends.mps", "torch.backends.mkldnn")
"""What a machine may have, and Rekindle has not."""


def install(more=()):
    """Make `import torch` import the shim, in this process; `more` are roots beside it."""
    if "torch" in sys.modules:
        raise RuntimeError("PyTorch itself is imported already; use a process of its own")
    sys.meta_path.insert(0, Finder((*ROOTS, *more)))
    functions = tensors.functions()
    modules = [{"torch": functions | {"inf": math.inf, "nan": math.nan, "e": math.e}}]
    modules += [gradients.names(), suite.names()]
    for contents in modules:
        for module, values in contents.items():
            vars(importlib.import_module(module)).update(values)
    for module in ELSEWHERE:
        none = {"is_available": lambda: False, "device_count": lambda: 0}
        vars(importlib.import_module(module)).update(none)
    torch = sys.modules["torch"]
    for name in [*sys.modules]:
        parent, _, child = name.rpartition(".")
        if name.startswith("torch.") and parent in sys.modules:
            setattr(sys.modules[parent], child, sys.modules[name])
    tensors.install_methods(functions)
    gradients.install_methods()
    importlib.import_module("torch.nn").Parameter = functions["nn.Parameter"]
    torch.nn = sys.modules["torch.nn"]


def loaded():
    """From now on a missing name raises when it is used."""
    LOADING[0] = False
