"""Which class of nn or cudnn an expression makes, and which method of optim it calls."""

from __future__ import annotations

from typing import Any

from .. import ast
from ..text import words
from ..walk import package_member, plain

CHAIN = frozenset(words("add cuda float double type clone noBias ceil floor setNumInputDims get"))
"""Methods of modules that give modules."""

OF_LAYERS = ("noBias", "ceil", "floor", "setNumInputDims")
"""Those of them that are about one layer."""

CONTAINERS = frozenset(words("Sequential ConcatTable Concat"))

RANKED = frozenset(words("LogSoftMax SoftMax View Reshape"))
"""Classes that core has only where it is known what comes in: not in variables."""

_PACKAGES = ("nn", "cudnn")


def class_of(node: Any) -> str | None:
    """Return "X" for `nn.X(...)`, "cudnn.X" for those of cudnn that differ in nothing."""
    if not isinstance(node, ast.Call):
        return None
    function = plain(node.function)
    if isinstance(function, ast.Name):  # local Convolution = nn.SpatialConvolution
        variable = function.variable
        if variable is None or variable.writes or len(variable.values) != 1:
            return None
        function = plain(variable.values[0])
    name = package_member(function, *_PACKAGES)
    if name is None:
        return None
    owner = function.table
    return name if owner.name == "nn" else f"cudnn.{name}"


def method_of(node: Any) -> str | None:
    """Return "sgd" for a call of `optim.sgd`."""
    return package_member(node.function, "optim") if isinstance(node, ast.Call) else None
