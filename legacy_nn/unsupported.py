"""What of a model cannot run, and why."""

from __future__ import annotations

from typing import Any, NamedTuple

from rekindle.core.checkpoint import LuaFunction, TorchObject

from .containers import Container, how_to_register
from .module import Module
from .naming import Place, root_place, walk
from .unknown_classes import looks_like_module, typename

FORWARD_METHODS = ("updateOutput", "forward", "evaluate", "training")
"""Methods that decide what a module computes; stored in an instance they replace the class's."""

_BATCH_LAST = "it computes on planes x height x width x batch, the layout of cuda-convnet"

_PACKAGES = {
    "ccn2.": _BATCH_LAST,
    "inn.": "the package imagine-nn is not part of Rekindle",
    "fbnn.": "the package fbcunn is not part of Rekindle",
}

_CLASSES = {
    **dict.fromkeys(
        ("nn.SpatialConvolutionCUDA", "nn.SpatialMaxPoolingCUDA", "nn.SpatialConvolutionMMCUDA"),
        f"{_BATCH_LAST}; torch/cunn removed it in April 2015",
    ),
    **dict.fromkeys(
        (
            *("nn.SpatialConvolutionFFT", "nn.SpatialConvolutionCuFFT"),
            *("nn.SpatialConvolutionFBFFT", "nn.SpatialConvolutionFBFFTGemm"),
            *("nn.SpatialConvolutionFFTTiled", "nn.SpatialConvolutionFFTTiledAsync"),
            *("nn.SpatialConvolutionFFTTiledIterated", "nn.SpatialConvolutionFFTTiledSync"),
            *("nn.TemporalConvolutionFB", "nn.TemporalKMaxPooling", "nn.LookupTableGPU"),
            *("nn.HalfPrecision", "nn.OneBitDataParallel"),
        ),
        _PACKAGES["fbnn."],
    ),
    **dict.fromkeys(
        (
            *("nn.Minus", "nn.MultiSoftMax", "nn.NarrowLookupTable", "nn.OmpModule", "nn.Probe"),
            *("nn.PixelSort", "nn.PullTable", "nn.PushTable", "nn.QDRiemaNNLinear"),
            *("nn.SoftMaxForest", "nn.SoftMaxTree", "nn.SpatialClassifier"),
            *("nn.SpatialColorTransform", "nn.SpatialFovea", "nn.SpatialGraph", "nn.SpatialLinear"),
            *("nn.SpatialMatching", "nn.SpatialMaxSampling", "nn.SpatialNormalization"),
            *("nn.SpatialPadding", "nn.SpatialPyramid"),
            *("nn.SpatialRecursiveFovea", "nn.SpatialUpSampling"),
        ),
        "the package nnx is not part of Rekindle",
    ),
}
"""Why classes that files are known to hold are not here, where the reason is not just time."""


class Gap(NamedTuple):
    """Something in a model that cannot run.

    Attributes
    ----------
    path : str
        Where it is, as Lua says: `modules[3]`; "" for the model itself.
    typename : str
        Its class in Torch7.
    reason : str
    """

    path: str
    typename: str
    reason: str


def unsupported(model: Any) -> list[Gap]:
    """Return what stops a model from running, in the order of its modules.

    Parameters
    ----------
    model : object
        A module, or a table of modules, as loaded. Whatever is inside objects of unknown
        classes is looked at too.
    """
    return [
        Gap(place.lua_path, typename(place.value) or "", reason)
        for place in walk(root_place(model))
        for reason in _reasons(place)
    ]


def stored_methods(module: Module) -> list[str]:
    """Return the methods of forward that a file stores in this module in place of its class's."""
    fields = vars(module)
    return [name for name in FORWARD_METHODS if isinstance(fields.get(name), LuaFunction)]


def _reasons(place: Place) -> list[str]:
    value = place.value
    name = typename(value)
    if isinstance(value, Module):
        stored = (f"method stored in the instance: {method}" for method in stored_methods(value))
        return [*([] if has_forward(value) else ["its forward pass is not there yet"]), *stored]
    if name is None or not _is_part_of_model(place):
        return []
    if isinstance(value, TorchObject):
        return [_why_unknown(name)]
    return [f"its class {type(value).__name__} is no subclass of rekindle.legacy_nn.Module"]


def has_forward(module: Module) -> bool:
    """Whether the module's class says what it computes."""
    cls = type(module)
    if issubclass(cls, Container):
        inherited = cls.flow is Container.flow and cls.updateOutput is Container.updateOutput
    else:
        inherited = cls.compute is Module.compute and cls.updateOutput is Module.updateOutput
    return not inherited


def _is_part_of_model(place: Place) -> bool:
    """Whether an object that is no Module stands where one is expected."""
    if place.parent is not None and isinstance(place.parent.value, Module):
        return True
    return isinstance(place.value, TorchObject) and looks_like_module(place.value)


def _why_unknown(name: str) -> str:
    for prefix, reason in _PACKAGES.items():
        if name.startswith(prefix):
            return reason
    return _CLASSES.get(name) or f"no class of this name is registered; {how_to_register(name)}"
