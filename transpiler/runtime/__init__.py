"""What translated programs import: Lua's values and libraries, Torch's packages.

- `lua`: operators and calls where the type of a value is unknown
- `tables`, `shared`, `loading`: Table, the globals of a program, require and dofile
- `tensors`, `torch_package`, `packages`, `classes`: Torch's tensors, packages and classes

Nothing is implemented here that legacy_nn, its torch7 and its lualib have.
"""

from typing import Any

from rekindle.legacy_nn.lualib import bit as bit
from rekindle.legacy_nn.lualib import collectgarbage as collectgarbage
from rekindle.legacy_nn.lualib import coroutine as coroutine
from rekindle.legacy_nn.lualib import error as error
from rekindle.legacy_nn.lualib import io as io
from rekindle.legacy_nn.lualib import ipairs as ipairs
from rekindle.legacy_nn.lualib import math as math
from rekindle.legacy_nn.lualib import os as os
from rekindle.legacy_nn.lualib import pairs as pairs
from rekindle.legacy_nn.lualib import pcall as pcall
from rekindle.legacy_nn.lualib import print_ as print  # noqa: F401
from rekindle.legacy_nn.lualib import rawequal as rawequal
from rekindle.legacy_nn.lualib import rawget as rawget
from rekindle.legacy_nn.lualib import rawlen as rawlen
from rekindle.legacy_nn.lualib import rawset as rawset
from rekindle.legacy_nn.lualib import select as select
from rekindle.legacy_nn.lualib import string as string
from rekindle.legacy_nn.lualib import table as table
from rekindle.legacy_nn.lualib import tonumber as tonumber
from rekindle.legacy_nn.lualib import tostring as tostring
from rekindle.legacy_nn.lualib import unpack as unpack
from rekindle.legacy_nn.lualib import xpcall as xpcall

from . import depth as depth
from . import lua as lua
from . import tensors as tensors
from .chunks import load as load
from .chunks import loadstring as loadstring
from .classes import TorchObject as TorchObject
from .classes import torch_class as torch_class
from .loading import arg as arg
from .loading import dofile as dofile
from .loading import include as include
from .loading import require as require
from .packages import cudnn as cudnn
from .packages import cunn as cunn
from .packages import cunn as cunnx  # noqa: F401
from .packages import cutorch as cutorch
from .packages import graph as graph
from .packages import image as image
from .packages import nn as dpnn  # noqa: F401
from .packages import nn as nn
from .packages import nngraph as nngraph
from .packages import optim as optim
from .packages import paths as paths
from .packages import rnn as rnn
from .packages import sys as sys
from .packages import tds as tds
from .packages import xlua as xlua
from .shared import G as G
from .table_objects import TableObject as TableObject
from .table_objects import getmetatable as getmetatable
from .table_objects import overridable as overridable
from .table_objects import setmetatable as setmetatable
from .tables import Table as Table
from .tensors import tensor as tensor
from .torch_package import torch as torch


def __getattr__(name: str) -> Any:
    """Return a package that is loaded when a program asks for it."""
    from .. import library
    from .packages import late_package

    if name in library.LATE:
        return late_package(name)
    if name in library.PENLIGHT:
        return require(name if name == "pl" else f"pl.{name}")
    if name in library.BRIDGED:
        return require(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
