"""Models of core.nn as Torch's own modules, on the same parameters.

Programs that were translated in modern style need it where a part of them is still Torch's:
`return as_torch(model)` in a file of models, `torch.save(path, as_torch(model))`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from rekindle import legacy_nn as legacy
from rekindle.core import nn
from rekindle.core.creation import zeros_like
from rekindle.core.dtypes import is_floating
from rekindle.legacy_nn.core_module import CoreModule, LegacyModule
from rekindle.legacy_nn.torch7 import random, types

TYPES = {"float16": "Half", "float32": "Float", "float64": "Double"}
_FIELDS = (("weight", "gradWeight"), ("bias", "gradBias"))

_made: WeakKeyDictionary[nn.Module, legacy.Module] = WeakKeyDictionary()
"""What models have become: the same one when they are asked for again."""


_fields: WeakKeyDictionary[nn.Module, dict[str, Any]] = WeakKeyDictionary()
"""What programs have put into fields of their own."""


def set_field(model: nn.Module, name: str, value: Any) -> None:
    """Give a module a field of the program's own, which it has as a module of Torch as well."""
    setattr(model, name, value)
    _fields.setdefault(model, {})[name] = value


def as_torch(model: Any) -> Any:
    """Return a model of core.nn as a model of Torch, which shares its parameters and buffers.

    Its containers and layers are Torch's, with the fields and methods that programs look for,
    and `torch.save` writes them as Torch does. A layer that Torch lacks is a `CoreModule`.
    Asked for again, it is the same object, unless modules were added since.

    Parameters
    ----------
    model : core.nn.Module
        Anything else is given back as it is.

    Returns
    -------
    legacy_nn.Module

    Examples
    --------
    >>> from rekindle import nn
    >>> as_torch(nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.ReLU()))
    nn.Sequential {
      [input -> (1) -> (2) -> output]
      (1): nn.SpatialConvolution(3 -> 8, 5x5, 1,1, 2,2)
      (2): nn.ReLU
    }
    """
    if not isinstance(model, nn.Module):
        return model
    floats = [p.dtype for p in model.parameters() if is_floating(p.dtype)]
    dtype = floats[0] if floats else types.default_dtype()
    with undrawn():
        return Translation(f"torch.{TYPES[dtype.name]}Tensor").module(model)


@contextmanager
def undrawn() -> Iterator[None]:
    """Leave Torch's random numbers where they are: constructors draw weights that nobody needs."""
    state = random.default.get_state()
    try:
        yield
    finally:
        random.default.set_state(state)


class Translation:
    """Makes modules of Torch that are of one type of tensor."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def module(self, model: nn.Module, fresh: bool = False) -> Any:
        """Return a module of core as one of Torch; a `fresh` one is no other's."""
        found = None if fresh else _made.get(model)
        if found is None or (isinstance(model, nn.Sequential) and _length(found) != _size(model)):
            found = self._new(model)
            if not fresh:
                _made[model] = found
        found.train = model.training
        for name, value in _fields.get(model, {}).items():
            setattr(found, name, value)
        return found

    def _new(self, model: nn.Module) -> Any:
        if isinstance(model, LegacyModule):
            return model.legacy
        branches = getattr(model, "branches", None)
        if type(model) is nn.Sequential or isinstance(branches, nn.ModuleList):
            made: Any = legacy.Sequential().type(self.kind)
            for part in self._parts(model):
                made.add(part)
            for name in vars(model).keys() - vars(nn.Sequential()).keys() - {"branches", "dim"}:
                setattr(made, name, getattr(model, name))
            return made
        maker = MAKERS.get(type(model).__name__)
        made = None if maker is None else maker(model)
        return CoreModule(model) if made is None else self._shared(made.type(self.kind), model)

    def _parts(self, model: Any) -> Iterator[Any]:
        """Yield what a chain holds; branches are two modules in Torch, the second joins them."""
        branches = getattr(model, "branches", None)
        if not isinstance(branches, nn.ModuleList):
            for child in model:
                if isinstance(getattr(child, "branches", None), nn.ModuleList):
                    yield from self._parts(child)
                else:
                    yield self.module(child)
            return
        kind = type(model).__name__
        beside = kind == "Concatenation"
        made = legacy.Concat(model.dim + 1) if beside else legacy.ConcatTable()
        made.type(self.kind)
        for branch in branches:
            made.add(self.module(branch))
        made.train = model.training
        yield made
        if kind == "Joined":
            place = (1, -model.dim) if model.dim < 0 else (model.dim + 1,)
            yield legacy.JoinTable(*place).type(self.kind)
        elif kind in ("Sum", "Product"):
            yield {"Sum": legacy.CAddTable, "Product": legacy.CMulTable}[kind]().type(self.kind)

    def _shared(self, made: Any, model: Any) -> Any:
        """Give a layer of Torch the parameters and buffers of its counterpart in core."""
        own = dict(model.own_parameters())
        for name, gradient in _FIELDS:
            if name not in vars(made):
                continue
            parameter = own.get(name)
            if parameter is None:
                delattr(made, name)
                delattr(made, gradient)
                continue
            if parameter.grad is None:
                parameter.grad = zeros_like(parameter.detach())
            setattr(made, gradient, parameter.grad)
            setattr(made, name, parameter)
        for name in ("running_mean", "running_var"):
            if getattr(model, name, None) is not None:
                setattr(made, name, getattr(model, name))
        return made


def _size(model: nn.Sequential) -> int:
    return sum(_places(child) for child in model)


def _places(child: Any) -> int:
    """Return how many modules of Torch one of core is in a chain."""
    branches = getattr(child, "branches", None)
    alone = type(child).__name__ in ("Branches", "Concatenation")
    return 1 if alone or not isinstance(branches, nn.ModuleList) else 2


def _length(made: Any) -> int:
    return len(made.modules)


def _pair(value: Any) -> tuple[Any, Any]:
    """Return height and width of a size."""
    return value if isinstance(value, tuple) else (value, value)


def _turned(*sizes: Any) -> list[Any]:
    """Return width before height, as Torch's constructors have them."""
    return [n for size in sizes for n in reversed(_pair(size))]


def _convolution(m: Any) -> Any:
    sizes = _turned(m.kernel_size, m.stride, m.padding)
    if m.groups != 1:
        made: Callable[..., Any] = legacy.cudnn.SpatialConvolution
        return made(m.in_channels, m.out_channels, *sizes, m.groups)
    if _pair(m.dilation) != (1, 1):
        dilation = _turned(m.dilation)
        return legacy.SpatialDilatedConvolution(m.in_channels, m.out_channels, *sizes, *dilation)
    return legacy.SpatialConvolution(m.in_channels, m.out_channels, *sizes)


def _full_convolution(m: Any) -> Any:
    sizes = _turned(m.kernel_size, m.stride, m.padding, m.output_padding)
    return legacy.SpatialFullConvolution(m.in_channels, m.out_channels, *sizes)


def _volumetric(m: Any) -> Any:
    sizes = []
    for time, height, width in (m.kernel_size, m.stride, m.padding):
        sizes += [time, width, height]
    return legacy.VolumetricConvolution(m.in_channels, m.out_channels, *sizes)


def _pooling(kind: Callable[..., Any]) -> Callable[[Any], Any]:
    def make(m: Any) -> Any:
        stride = m.kernel_size if m.stride is None else m.stride
        made = kind(*_turned(m.kernel_size, stride, m.padding))
        return made.ceil() if m.ceil_mode else made

    return make


def _adaptive(kind: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda m: kind(*_turned(m.output_size))


def _normalization(kind: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda m: kind(m.num_features, m.eps, m.momentum, m.affine)


def _softmax(features: Callable[[], Any], planes: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda m: {-1: features, -3: planes}[m.dim]()


def _flatten(m: Any) -> Any:
    return legacy.View(-1).setNumInputDims(-m.start_dim)


def _unflatten(m: Any) -> Any:
    return legacy.View(*m.unflattened_size).setNumInputDims(1)


def _padded(kind: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda m: kind(*(m.padding if isinstance(m.padding, tuple) else (m.padding,) * 4))


def _plain(kind: Callable[..., Any], *fields: str) -> Callable[[Any], Any]:
    return lambda m: kind(*(getattr(m, name) for name in fields))


def _shared_slopes(m: Any) -> Any:
    return legacy.PReLU(0 if m.num_parameters == 1 else m.num_parameters)


def _loss(kind: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda m: legacy.ModuleFromCriterion(kind())


MAKERS: dict[str, Callable[[Any], Any]] = {
    "Linear": lambda m: legacy.Linear(m.in_features, m.out_features, m.bias is not None),
    "Conv2d": _convolution,
    "ConvTranspose2d": _full_convolution,
    "Conv3d": _volumetric,
    "MaxPool2d": _pooling(legacy.SpatialMaxPooling),
    "AvgPool2d": _pooling(legacy.SpatialAveragePooling),
    "AdaptiveMaxPool2d": _adaptive(legacy.SpatialAdaptiveMaxPooling),
    "AdaptiveAvgPool2d": _adaptive(legacy.SpatialAdaptiveAveragePooling),
    "BatchNorm1d": _normalization(legacy.BatchNormalization),
    "BatchNorm2d": _normalization(legacy.SpatialBatchNormalization),
    "BatchNorm3d": _normalization(legacy.VolumetricBatchNormalization),
    "LocalResponseNorm": _plain(legacy.SpatialCrossMapLRN, "size", "alpha", "beta", "k"),
    "Dropout": _plain(legacy.Dropout, "p"),
    "LogSoftmax": _softmax(legacy.LogSoftMax, legacy.SpatialLogSoftMax),
    "Softmax": _softmax(legacy.SoftMax, legacy.SpatialSoftMax),
    "Flatten": _flatten,
    "Unflatten": _unflatten,
    "View": lambda m: legacy.View(*m.shape),
    "Reshape": lambda m: legacy.Reshape(*m.shape),
    "Embedding": _plain(legacy.LookupTable, "num_embeddings", "embedding_dim"),
    "Identity": _plain(legacy.Identity),
    "Tanh": _plain(legacy.Tanh),
    "Sigmoid": _plain(legacy.Sigmoid),
    "LogSigmoid": _plain(legacy.LogSigmoid),
    "ReLU": _plain(legacy.ReLU),
    "ReLU6": _plain(legacy.ReLU6),
    "LeakyReLU": _plain(legacy.LeakyReLU, "negative_slope"),
    "PReLU": _shared_slopes,
    "ELU": _plain(legacy.ELU, "alpha"),
    "Threshold": _plain(legacy.Threshold, "threshold", "value"),
    "Hardtanh": _plain(legacy.HardTanh, "min_val", "max_val"),
    "Softplus": _plain(legacy.SoftPlus, "beta"),
    "Softsign": _plain(legacy.SoftSign),
    "Tanhshrink": _plain(legacy.TanhShrink),
    "Hardshrink": _plain(legacy.HardShrink, "lambd"),
    "Softshrink": _plain(legacy.SoftShrink, "lambd"),
    "ZeroPad2d": _padded(legacy.SpatialZeroPadding),
    "ReflectionPad2d": _padded(legacy.SpatialReflectionPadding),
    "ReplicationPad2d": _padded(legacy.SpatialReplicationPadding),
    "Upsample": _plain(legacy.SpatialUpSamplingNearest, "scale_factor"),
    "PixelShuffle": _plain(legacy.PixelShuffle, "upscale_factor"),
    "MSELoss": _loss(legacy.MSECriterion),
    "L1Loss": _loss(legacy.AbsCriterion),
    "SmoothL1Loss": _loss(legacy.SmoothL1Criterion),
    "NLLLoss": _loss(legacy.ClassNLLCriterion),
    "CrossEntropyLoss": _loss(legacy.CrossEntropyCriterion),
}
"""By the class, of core.nn or written into the file: what makes its counterpart of Torch."""
