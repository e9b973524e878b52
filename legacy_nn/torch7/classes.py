"""Torch7's classes beside tensors and storages, and the functions that come with them.

`CLASSES` has the Python class for each class name; `FUNCTIONS` what is `torch.<name>` besides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import files, tester, timer
from .cmdline import CmdLine

CLASSES: dict[str, type] = {
    **files.CLASSES,
    **timer.CLASSES,
    **tester.CLASSES,
    "torch.CmdLine": CmdLine,
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **files.FUNCTIONS,
    **timer.FUNCTIONS,
    **tester.FUNCTIONS,
}
