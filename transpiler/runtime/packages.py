"""The packages around torch: nn, nngraph, optim, paths, xlua, sys, tds, and the GPU's."""

from __future__ import annotations

import sys as python_sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import rekindle.legacy_nn as legacy_nn
from rekindle.core.checkpoint.registry import CLASSES as KNOWN
from rekindle.legacy_nn import image as python_image
from rekindle.legacy_nn import nngraph as python_nngraph
from rekindle.legacy_nn import optim as python_optim
from rekindle.legacy_nn import tds as python_tds
from rekindle.legacy_nn.bridge.adapt import as_lua_calls
from rekindle.legacy_nn.bridge.packages import paths as python_paths
from rekindle.legacy_nn.lualib import call, first, io, string, tostring, truth
from rekindle.legacy_nn.lualib.iteration import Stepper

from ..text import words
from .bridged import member
from .shared import G
from .tables import Table
from .tensors import as_callback
from .torch_package import torch

COMPLETED = frozenset(words("image rnn paths xlua sys tds"))
"""Packages whose rarer members are those of the Lua bridge."""


class Package:
    """A package: Python's members of it, and what the program adds.

    The rest is what Lua's package of that name has, if it is one of COMPLETED, else None.

    Parameters
    ----------
    name : str
    members : mapping, or function of a name
    """

    lua_type = "table"

    def __init__(self, name: str, members: Callable[[str], Any]) -> None:
        vars(self)["_name"] = name
        vars(self)["_members"] = members

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = self._members(name)
        if found is None and self._name in COMPLETED:
            found = member(self._name, name)
        if found is not None:
            setattr(self, name, found)
        return found

    def __repr__(self) -> str:
        return f"<package {self._name}>"


_TABLES = ("Jacobian", "SparseJacobian", "hessian", "tables", "utils")
"""Modules of Python that are tables in nn."""


def _nn_member(name: str) -> Any:
    known = KNOWN.get(f"nn.{name}")
    if known is not None and known.cls is not None:
        return known.cls
    if name == "rnn":
        return rnn
    found = getattr(legacy_nn, name, None)
    of_python = isinstance(found, ModuleType) and name not in _TABLES
    return None if of_python else found


def _optim_member(name: str) -> Any:
    found = getattr(python_optim, name, None)
    if isinstance(found, type) or found is None:
        return found
    adapted = as_lua_calls(found)
    return lambda *args: adapted(*map(as_callback, args))


def _nngraph_member(name: str) -> Any:
    if name in ("setDebug", "annotateNodes"):
        return lambda *_: None
    if name == "Node":
        return python_nngraph.NnNode
    return getattr(python_nngraph, name, None)


def _names_in(folder: Any, keep: Callable[[str, str], Any]) -> Stepper:
    found = python_paths.names(folder).array()
    return Stepper(name for name in found if keep(python_paths.concat(folder, name), name))


def _files(folder: Any = ".", wanted: Any = None) -> Stepper:
    """Yield the names in a folder, those that a pattern or function wants."""
    if wanted is None:
        return _names_in(folder, lambda path, name: True)
    if isinstance(wanted, str):
        return _names_in(folder, lambda path, name: first(string.find(name, wanted)))
    return _names_in(folder, lambda path, name: truth(first(call(wanted, name))))


def _iterfiles(folder: str) -> Stepper:
    """Yield the names of the files in a folder."""
    return _names_in(folder, lambda path, name: python_paths.filep(path))


def _iterdirs(folder: str) -> Stepper:
    """Yield the names of the folders in a folder."""
    return _names_in(folder, lambda path, name: python_paths.dirp(path) and name not in (".", ".."))


def _dir(folder: str) -> Any:
    """Return a table of the names in a folder, nil if there is none."""
    return python_paths.names(folder) if python_paths.dirp(folder) else None


_PATHS = {
    "home": python_paths.HOME,
    "files": _files,
    "iterfiles": _iterfiles,
    "iterdirs": _iterdirs,
    "dir": _dir,
    "thisfile": lambda name=None, *_: name,
}


def _image_member(name: str) -> Any:
    found = getattr(python_image, name, None)
    return as_lua_calls(found) if callable(found) and not isinstance(found, type) else None


def _paths_member(name: str) -> Any:
    if name in _PATHS:
        return _PATHS[name]
    found = getattr(python_paths, name, None)
    return as_lua_calls(found) if callable(found) else None


def _tds_member(name: str) -> Any:
    return python_tds.FUNCTIONS.get(name)


# -- xlua, sys --------------------------------------------------------------------------------


class _Bar:
    """The progress bar that is being drawn."""

    started = 0.0
    last = -1.0
    shown = -1


def _progress(current: float, goal: float) -> None:
    """Draw how far a loop is: `xlua.progress(i, n)`."""
    if current < _Bar.last or _Bar.last < 0:
        _Bar.started, _Bar.shown = time.monotonic(), -1
    _Bar.last = current
    percent = int(100 * current / goal)
    if percent != _Bar.shown or current >= goal:
        _Bar.shown = percent
        filled = int(60 * current / goal)
        elapsed = time.monotonic() - _Bar.started
        io.write(
            f"\r [{'=' * filled}{'.' * (60 - filled)}] {tostring(current)}/{tostring(goal)}"
            f" | Tot: {duration(elapsed)} | Step: {duration(elapsed / max(current, 1))} "
        )
    if current >= goal:
        io.write("\n")
        _Bar.last = -1.0


def duration(seconds: float) -> str:
    """Return a time in its two greatest units: "2m5s". Source: torch/xlua init.lua, formatTime."""
    if seconds < 1:
        return f"{int(seconds * 1000)}ms"
    if seconds < 60:
        return f"{int(seconds)}s{int(seconds % 1 * 1000)}ms"
    if seconds < 3600:
        return f"{int(seconds / 60)}m{int(seconds % 60)}s"
    if seconds < 86400:
        return f"{int(seconds / 3600)}h{int(seconds % 3600 / 60)}m"
    return f"{int(seconds / 86400)}D{int(seconds % 86400 / 3600)}h"


_XLUA: dict[str, Any] = {"progress": _progress, "formatTime": duration}

_started = [time.time()]


def _tic() -> None:
    _started[0] = time.time()


def _toc(verbose: Any = None) -> float:
    elapsed = time.time() - _started[0]
    if verbose:
        python_sys.stdout.write(f"{tostring(elapsed)}\n")
    return elapsed


def _execute(command: str) -> str:
    file = io.popen(command)
    text: str = file.read("*a")
    file.close()
    return text.strip()


_SYS: dict[str, Any] = {
    "clock": time.time,
    "tic": _tic,
    "toc": _toc,
    "sleep": time.sleep,
    "execute": _execute,
    **{name: _paths_member(name) for name in ("dirname", "basename", "concat", "filep", "dirp")},
}


def _color(code: str) -> str:
    return f"\x1b[{code}m"


_NAMES = words("black red green yellow blue magenta cyan white")
_SYS["COLORS"] = Table(
    none=_color("0"),
    **{name: _color(f"0;{30 + i}") for i, name in enumerate(_NAMES)},
    **{name.capitalize(): _color(f"1;{30 + i}") for i, name in enumerate(_NAMES)},
    **{f"_{name}": _color(str(40 + i)) for i, name in enumerate(_NAMES)},
)


# -- the GPU, which is the CPU here -------------------------------------------------------------


def _set_device(device: Any) -> None:
    if device != 1:
        raise ValueError("invalid device ordinal")


_CUTORCH: dict[str, Any] = {
    "getDevice": lambda: 1,
    "getDeviceCount": lambda: 1,
    "setDevice": _set_device,
    "synchronize": lambda *_: None,
    "getMemoryUsage": lambda *_: (2**34, 2**34),
    "manualSeed": torch.manualSeed,
    "manualSeedAll": torch.manualSeed,
    "seed": torch.seed,
    "seedAll": torch.seed,
    "hasHalf": True,
}


_CUDNN = {
    "benchmark": False,
    "fastest": False,
    "useFindEx": False,
    "version": 5110,
    "convert": lambda net, *_: net,
}


def _cudnn_member(name: str) -> Any:
    known = KNOWN.get(f"cudnn.{name}") or KNOWN.get(f"nn.{name}")
    if known is not None and known.cls is not None:
        return known.cls
    return _CUDNN.get(name)


nn = Package("nn", _nn_member)
nngraph = Package("nngraph", _nngraph_member)
graph = Package("graph", _nngraph_member)
optim = Package("optim", _optim_member)
paths = Package("paths", _paths_member)
tds = Package("tds", _tds_member)
xlua = Package("xlua", _XLUA.get)
sys = Package("sys", _SYS.get)
image = Package("image", _image_member)
rnn = Package("rnn", lambda name: None)
cutorch = Package("cutorch", _CUTORCH.get)
cunn = Package("cunn", lambda name: None)
cudnn = Package("cudnn", _cudnn_member)

PACKAGES: dict[str, Any] = {
    "torch": torch,
    "nn": nn,
    "nngraph": nngraph,
    "graph": graph,
    "optim": optim,
    "paths": paths,
    "tds": tds,
    "xlua": xlua,
    "sys": sys,
    "image": image,
    "rnn": rnn,
    "dpnn": nn,
    "stn": nn,
    "cutorch": cutorch,
    "cunn": cunn,
    "cunnx": cunn,
    "cudnn": cudnn,
}
"""What `require` gives for each name."""


def late_package(name: str) -> Any:
    """Return one of the packages that are loaded when a program asks for them, or a part of one."""
    from .lua_autograd import required

    return required(name)


def tosymbol(text: str) -> str:
    """Return the text with all that names cannot have as underscores; xlua puts it into string."""
    return str(string.gsub(text, "%W", "_")[0])


def split(text: str, pattern: str) -> Table:
    """Return the parts of a text between what a pattern finds. Source: torch/xlua init.lua."""
    parts, at = Table(), 1
    while (found := string.find(text, pattern, at)) is not None and first(found) is not None:
        start, end = int(found[0]), int(found[1])
        if start > 1:
            parts.append(text[at - 1 : start - 1])
        at = end + 1
    if at <= len(text):
        parts.append(text[at - 1 :])
    return parts


string["tosymbol"] = tosymbol
string["split"] = split

for _name in ("nn", "nngraph", "graph", "optim", "paths", "xlua", "sys"):
    G[_name] = PACKAGES[_name]
