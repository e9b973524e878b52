"""Rekindle: LuaTorch (Torch7) models and code, brought back to life in Python.

The public names, each imported when it is first used, so that `import rekindle` and the
command line start at once.

    import rekindle
    model = rekindle.load("model.t7")
    y = model(rekindle.tensor([[1.0, 2.0]]))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rekindle import core as core
    from rekindle import legacy_nn as legacy_nn
    from rekindle.core import autograd as autograd
    from rekindle.core import data as data
    from rekindle.core import func as func
    from rekindle.core import nn as nn
    from rekindle.core import ops as ops
    from rekindle.core import optim as optim
    from rekindle.core import random as random
    from rekindle.core.autograd import check_grads as check_grads
    from rekindle.core.autograd import enable_grad as enable_grad
    from rekindle.core.autograd import grad as grad
    from rekindle.core.autograd import is_grad_enabled as is_grad_enabled
    from rekindle.core.autograd import no_grad as no_grad
    from rekindle.core.backend import Device as Device
    from rekindle.core.backend.pool import memory_stats as memory_stats
    from rekindle.core.checkpoint import LuaFunction as LuaFunction
    from rekindle.core.checkpoint import RecordReader as RecordReader
    from rekindle.core.checkpoint import RecordWriter as RecordWriter
    from rekindle.core.checkpoint import RekindleWarning as RekindleWarning
    from rekindle.core.checkpoint import T7Error as T7Error
    from rekindle.core.checkpoint import Table as Table
    from rekindle.core.checkpoint import TorchObject as TorchObject
    from rekindle.core.checkpoint import dump_all as dump_all
    from rekindle.core.checkpoint import dumps as dumps
    from rekindle.core.checkpoint import load as load
    from rekindle.core.checkpoint import load_all as load_all
    from rekindle.core.checkpoint import load_lua as load_lua
    from rekindle.core.checkpoint import load_state as load_state
    from rekindle.core.checkpoint import load_training as load_training
    from rekindle.core.checkpoint import loads as loads
    from rekindle.core.checkpoint import register as register
    from rekindle.core.checkpoint import save as save
    from rekindle.core.checkpoint import save_state as save_state
    from rekindle.core.checkpoint import save_training as save_training
    from rekindle.core.creation import arange as arange
    from rekindle.core.creation import empty as empty
    from rekindle.core.creation import eye as eye
    from rekindle.core.creation import from_dlpack as from_dlpack
    from rekindle.core.creation import full as full
    from rekindle.core.creation import ones as ones
    from rekindle.core.creation import tensor as tensor
    from rekindle.core.creation import zeros as zeros
    from rekindle.core.creation import zeros_like as zeros_like
    from rekindle.core.dtypes import bool_ as bool_
    from rekindle.core.dtypes import float16 as float16
    from rekindle.core.dtypes import float32 as float32
    from rekindle.core.dtypes import float64 as float64
    from rekindle.core.dtypes import int8 as int8
    from rekindle.core.dtypes import int16 as int16
    from rekindle.core.dtypes import int32 as int32
    from rekindle.core.dtypes import int64 as int64
    from rekindle.core.dtypes import uint8 as uint8
    from rekindle.core.errors import RekindleError as RekindleError
    from rekindle.core.kernels.threads import get_num_threads as get_num_threads
    from rekindle.core.kernels.threads import set_num_threads as set_num_threads
    from rekindle.core.random import Generator as Generator
    from rekindle.core.random import manual_seed as manual_seed
    from rekindle.core.storage import Storage as Storage
    from rekindle.core.tensor import Parameter as Parameter
    from rekindle.core.tensor import Tensor as Tensor
    from rekindle.legacy_nn import bridge as lua  # noqa: F401
    from rekindle.legacy_nn.compare import compare as compare
    from rekindle.legacy_nn.modernise import modernise as modernise
    from rekindle.legacy_nn.optimise import optimise as optimise
    from rekindle.legacy_nn.resume import resume as resume
    from rekindle.legacy_nn.torch7.random import torch_seed as torch_seed
    from rekindle.legacy_nn.trace import trace as trace

_HOMES = {
    "core.autograd": "check_grads enable_grad grad is_grad_enabled no_grad",
    "core.backend": "Device",
    "core.creation": "arange empty eye from_dlpack full ones tensor zeros zeros_like",
    "core.dtypes": "bool_ float16 float32 float64 int8 int16 int32 int64 uint8",
    "core.errors": "RekindleError",
    "core.backend.pool": "memory_stats",
    "core.kernels.threads": "get_num_threads set_num_threads",
    "core.random": "Generator manual_seed",
    "core.storage": "Storage",
    "core.tensor": "Parameter Tensor",
    "core.checkpoint": "LuaFunction RecordReader RecordWriter RekindleWarning T7Error Table "
    "TorchObject dump_all dumps load load_all load_lua load_state load_training loads "
    "register save save_state save_training",
    "legacy_nn.modernise": "modernise",
    "legacy_nn.compare": "compare",
    "legacy_nn.optimise": "optimise",
    "legacy_nn.resume": "resume",
    "legacy_nn.trace": "trace",
    "legacy_nn.torch7.random": "torch_seed",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
_PACKAGES = {
    "autograd": "core.autograd",
    "core": "core",
    "data": "core.data",
    "func": "core.func",
    "legacy_nn": "legacy_nn",
    "lua": "legacy_nn.bridge",
    "nn": "core.nn",
    "ops": "core.ops",
    "optim": "core.optim",
    "random": "core.random",
}

__version__: str
__all__ = [*_HOME_OF, *_PACKAGES]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # slow to import, seldom asked for

        return version("rekindle")
    home = _PACKAGES.get(name) or _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'rekindle' has no attribute {name!r}")
    # Tensors have their methods once the operations are imported; files give modules
    # once the module classes are registered.
    importlib.import_module(
        "rekindle.legacy_nn" if home == "core.checkpoint" else "rekindle.core.ops"
    )
    module = importlib.import_module(f"rekindle.{home}")
    value = module if name in _PACKAGES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
