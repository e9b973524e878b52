"""What modules of the three families have in common: their kind, settings and parameters."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from rekindle.core.nn import Module as CoreModule
from rekindle.core.tensor import Tensor

from .modernise.build import Translated
from .modernise.recurrent_weights import SEQ_LSTM, in_order
from .module import Module
from .rnn.sequence_layer import SequenceLayer
from .trace import Array, arrays_in

_SYNONYMS = {
    "lookuptable": "embedding",
    "fullconvolution": "conv transposed",
    "convtranspose": "conv transposed",
    "convolution": "conv",
    "conv": "conv",
    "maxpooling": "max pooling",
    "maxpool": "max pooling",
    "averagepooling": "average pooling",
    "avgpool": "average pooling",
    "adaptivemaxpooling": "adaptive max pooling",
    "adaptivemaxpool": "adaptive max pooling",
    "adaptiveaveragepooling": "adaptive average pooling",
    "adaptiveavgpool": "adaptive average pooling",
    "batchnormalization": "batch norm",
    "batchnorm": "batch norm",
    "instancenormalization": "instance norm",
    "instancenorm": "instance norm",
    "crossmaplrn": "local response norm",
    "localresponsenorm": "local response norm",
    "seqlstm": "lstm",
    "seqlstmp": "lstm",
    "vanillarnn": "rnn",
    "rnncell": "rnn",
    "fastlstm": "lstm",
    "lstmcell": "lstm",
    "seqgru": "gru",
    "grucell": "gru",
    "upsamplingnearest": "upsample",
    "upsamplingbilinear": "upsample",
}

SHAPERS = {"identity", "view", "reshape", "flatten", "copy", "contiguous", "squeeze", "unsqueeze",
           "splittable", "selecttable", "narrow", "select", "transpose", "unflatten"}  # fmt: skip
"""Kinds that compute nothing, and that a port often does without."""


def kind_of(module: Any) -> str:
    """Return what a module is, by one name for all families."""
    name = getattr(module, "t7_typename", None) or type(module).__name__
    if isinstance(module, Translated):
        name = module.legacy_class
    name = name.rpartition(".")[2]
    name = re.sub(r"[^a-z]", "", re.sub(r"[123]d$|MM$|Map$", "", name).lower())
    name = re.sub(r"^(spatial|volumetric|temporal)", "", name)
    return _SYNONYMS.get(name, name)


# -- settings ---------------------------------------------------------------------------------

_PLAIN = {
    "eps": ("eps",),
    "momentum": ("momentum",),
    "ceil_mode": ("ceil_mode",),
    "count_include_pad": ("count_include_pad",),
    "groups": ("groups",),
    "negative slope": ("negval", "negative_slope"),
    "probability": ("p",),
    "gate of the threshold": ("threshold",),
    "size": ("size",),
    "alpha": ("alpha",),
    "beta": ("beta",),
    "padding_idx": ("padding_idx", "paddingValue"),
    "batch_first": ("batch_first", "batchfirst"),
    "bidirectional": ("bidirectional",),
}

_GEOMETRY = {
    "kernel size": (("kT", "kH", "kW"), "kernel_size"),
    "stride": (("dT", "dH", "dW"), "stride"),
    "padding": (("padT", "padH", "padW"), "padding"),
    "dilation": (("dilationT", "dilationH", "dilationW"), "dilation"),
    "output padding": (("adjT", "adjH", "adjW"), "output_padding"),
}


def settings_of(module: Any) -> dict[str, Any]:
    """Return the settings that families call differently, by one name for all."""
    found: dict[str, Any] = {}
    for name, fields in _PLAIN.items():
        for field in fields:
            value = getattr(module, field, None)
            if isinstance(value, (bool, int, float)):
                found[name] = value
                break
    for name, (lua, other) in _GEOMETRY.items():
        value = getattr(module, other, None)
        if isinstance(value, (int, tuple, list)) and not isinstance(value, bool):
            found[name] = tuple(value) if isinstance(value, (tuple, list)) else value
            continue
        numbers = [getattr(module, field, None) for field in _own_axes(module, lua)]
        given = tuple(n for n in numbers if isinstance(n, (int, float)))
        if given:
            found[name] = given
    if "average" in kind_of(module) and getattr(module, "t7_typename", "").startswith("cudnn."):
        found["count_include_pad"] = True  # whatever its field says: cudnn.torch asks for no other
    if kind_of(module) == "batch norm" and getattr(module, "affine", None) is not None:
        found["affine"] = bool(module.affine)
    return found


def _own_axes(module: Any, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields of the dimensions that a legacy module has."""
    axes = getattr(module, "axes", None)
    return fields if not isinstance(axes, str) else tuple(f for f in fields if f[-1] in axes)


def different_settings(a: Any, b: Any) -> dict[str, tuple[Any, Any]]:
    """Return the settings that both modules have and that are not the same."""
    ours, theirs = settings_of(a), settings_of(b)
    return {
        name: (ours[name], theirs[name])
        for name in ours
        if name in theirs and not _same(ours[name], theirs[name])
    }


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple) or isinstance(b, tuple):
        size = max(len(v) if isinstance(v, tuple) else 1 for v in (a, b))
        a, b = (v if isinstance(v, tuple) else (v,) * size for v in (a, b))
        return len(a) == len(b) and all(x == y for x, y in zip(a, b, strict=True))
    if isinstance(a, bool) or isinstance(b, bool):
        return bool(a) == bool(b)
    return bool(np.isclose(a, b, rtol=1e-6, atol=0))


# -- parameters and buffers -------------------------------------------------------------------


def state_of(module: Any) -> dict[str, Array]:
    """Return the parameters and buffers that a module itself holds, by name."""
    if isinstance(module, SequenceLayer) and module.state_fields:
        return _of_sequences(module)
    if isinstance(module, Module):
        names = [name for name, _ in module.parameter_fields]
        names += list(module.buffer_fields)
        values = {name: getattr(module, name, None) for name in names}
    elif isinstance(module, CoreModule):
        values = dict(module.own_parameters()) | dict(module.own_buffers())
    else:
        values = dict(module.named_parameters(recurse=False))
        values |= dict(module.named_buffers(recurse=False))
    return {
        name: arrays_in(value)[0]
        for name, value in values.items()
        if isinstance(value, Tensor) or hasattr(value, "detach")
    }


def _of_sequences(module: SequenceLayer) -> dict[str, Array]:
    """Return the weights of a recurrent layer by the names, and with the gates, of PyTorch's."""
    features = module.sizes()[0]
    weight, bias = (getattr(module, name).detach() for name in ("weight", "bias"))
    if "c0" in module.state_fields:
        weight = in_order(weight.T, SEQ_LSTM).T
        bias = in_order(bias, SEQ_LSTM)
    parts = {"weight_ih_l0": weight[:features].T, "weight_hh_l0": weight[features:].T}
    return {name: arrays_in(part)[0] for name, part in (parts | {"bias_ih_l0": bias}).items()}


def fingerprint(module: Any) -> tuple[int, ...] | None:
    """Return what tells a module's weights from others', however they are laid out; or None."""
    arrays = [a for n, a in state_of(module).items() if a.dtype.kind == "f" and "weight" in n]
    values = [a.astype(np.float32).ravel() for a in arrays if a.size]
    if not values:
        return None
    lowest, highest = min(v.min() for v in values), max(v.max() for v in values)
    if lowest == highest:
        return None  # fresh norms, all ones, tell nothing
    bits = np.array([lowest, highest], np.float32).view(np.int32).tolist()
    return (sum(v.size for v in values), *bits, sum(int((v > 0).sum()) for v in values))
