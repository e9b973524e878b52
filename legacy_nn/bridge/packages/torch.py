"""The package torch: the tensor library, files, timers and testers under their Lua names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rekindle.core.dtypes import Dtype

from ...torch7 import api, files
from ...torch7.classes import CLASSES, FUNCTIONS
from ...torch7.generator import Generator
from ..adapt import as_lua_calls
from ..files import LuaClasses
from ..toolbox import Toolbox

DTYPES = "dflihbBe"
"""The dtype characters of Torch's tensor types."""


def load(tools: Toolbox) -> Any:
    """Return the functions of the tensor library and of files, for `torch.lua`."""
    methods = {name: tools.function(f) for name, f in api.METHODS.items()}
    storage_methods = tools.table(api.STORAGE_METHODS)
    for char in DTYPES:
        dtype = np.dtype(char)
        own = tools.raw_table({name: methods[name] for name in api.methods_of(dtype)})
        tools.shared.define_tensors(
            char,
            own,
            storage_methods,
            tools.function(_constructor(api.construct, dtype)),
            tools.function(_constructor(api.construct_storage, dtype)),
        )
    known = LuaClasses(tools)
    functions = {name: as_lua_calls(f) for name, f in FUNCTIONS.items()} | dict(api.FUNCTIONS)
    for name, function in files.FUNCTIONS.items():
        functions[name] = as_lua_calls(partial(function, classes=known), function)
    module = tools.table(functions)
    for name, cls in {**CLASSES, "torch.Generator": Generator}.items():
        if name in ("torch.CmdLine", "torch.Tester"):  # they print with the program's functions
            members = {"environment": tools.globals, "t7_typename": name}
            cls = type(cls.__name__, (cls,), members)
        options = {"classes": known} if name in files.CLASSES else {}
        tools.classes.publish(cls, name, module, **options)
    return module


def _constructor(construct: Callable[..., Any], dtype: Dtype) -> Callable[..., Any]:
    return lambda *args: construct(dtype, args)
