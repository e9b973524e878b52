"""THNN, the C library below torch/nn's Lua, as Python: Rekindle's own modules answer its calls.

`input.THNN.ELU_updateOutput(input, output, alpha, inplace)` makes a `legacy_nn.ELU`, gives it the
arguments as its fields, by the names that THNN.h gives them, and lets it compute into `output`.
"""

import re
from types import SimpleNamespace

import numpy as np

from rekindle import legacy_nn
from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.creation import zeros
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.criterion import Criterion
from rekindle.legacy_nn.fields import long_storage
from rekindle.legacy_nn.module import Module

SCRATCH = {
    "addBuffer", "columns", "count", "fgradInput", "finput", "generator", "gradColumns",
    "gradWeightBuf", "gradWeightBuf2", "ones", "sorted",
}  # fmt: skip
"""Arguments that are room for C to work in."""

RESULTS = {
    "buffer", "gradInput", "indices", "isTarget", "noise", "output", "save_mean", "save_std",
    "total_weight_tensor",
}  # fmt: skip
"""Arguments that a call fills; all others are given as views, which a module may make its own."""

RENAMED = {
    "aH": "adjH", "aT": "adjT", "aW": "adjW", "batchMode": "batch_mode", "ceilMode": "ceil_mode",
    "ignore_index": "ignoreIndex", "outputH": "outH", "outputT": "outT", "outputW": "outW",
    "pH": "padH", "pT": "padT", "pW": "padW", "scaleGradByFreq": "shouldScaleGradByFreq",
    "total_weight": "total_weight_tensor", "outputDepth": "odepth", "outputHeight": "oheight",
    "outputWidth": "owidth",
}  # fmt: skip
"""Fields that Lua calls otherwise than C."""

SIGNATURE = re.compile(r"TH_API void THNN_\((\w+)\)\((.*?)\);", re.DOTALL)


def signatures(header):
    """Return the names of the parameters of each function of THNN.h, the state left out."""
    plain = re.sub(r"//[^\n]*|/\*.*?\*/", "", header, flags=re.DOTALL)
    return {
        name: [p.split()[-1].lstrip("*") for p in parameters.split(",")][1:]
        for name, parameters in SIGNATURE.findall(plain)
    }


def functions(header):
    """Return THNN's functions by their names."""
    return {name: _function(name, given) for name, given in signatures(header).items()}


def _function(name, parameters):
    family, _, phase = name.rpartition("_")

    def function(*args):
        given = dict(zip(parameters, args, strict=True))
        special = SPECIAL.get(name)
        if special is not None:
            special(given)
        elif phase == "updateOutput":
            forward(made(family, given), given)
        elif phase == "updateGradInput":
            backward(made(family, given), given)
        elif phase == "accGradParameters":
            accumulate(made(family, given), given)
        else:
            raise NotImplementedError(name)

    return function


def made(family, given):
    """Return a module or criterion with the arguments of a call as its fields."""
    name = CLASSES.get(family, family)
    if family == "BatchNormalization":
        name = {4: "Spatial", 5: "Volumetric"}.get(given["input"].ndim, "") + name
    cls = getattr(legacy_nn, name)
    module = cls.__new__(cls)
    (Criterion if issubclass(cls, Criterion) else Module).__init__(module)
    of = next(x for x in given.values() if isinstance(x, Tensor) and x.dtype.char in "fd")
    module._type = tensor_class(of.dtype)
    fields = {RENAMED.get(name, name): value for name, value in given.items()}
    if "gradBias" in given:
        fields["bias"] = given["gradBias"]
    if family in DERIVED:
        fields |= DERIVED[family](given)
    for name, value in fields.items():
        if name in SCRATCH or name in ("input", "target", "gradOutput", "scale"):
            continue
        if isinstance(value, Tensor) and name not in RESULTS:
            value = value.detach()
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # numbers from tensors are floats, also where they are sizes
        if value is not None or name == "bias":
            setattr(module, name, value)
    if "finput" in given:
        module.finput = of  # a forward pass was there
    return module


def forward(module, given):
    """Compute the output into the argument for it."""
    output = given["output"]
    module.output = output
    if isinstance(module, Criterion):
        output.fill_(module.updateOutput(given["input"], given.get("target")))
        return
    settle(output, module.updateOutput(given["input"]))


def backward(module, given):
    """Compute the gradient for the input into the argument for it."""
    gradInput = given["gradInput"]
    module.gradInput = gradInput
    other = given.get("target") if isinstance(module, Criterion) else given["gradOutput"]
    settle(gradInput, module.updateGradInput(given["input"], other))


def accumulate(module, given):
    """Add to the gradients of the parameters."""
    module.accGradParameters(given["input"], given["gradOutput"], given.get("scale", 1))


def settle(target, found):
    """Let a tensor have what was computed, where the module did not put it there itself."""
    if found is not target:
        target.set_(found.storage(), found.storage_offset(), found.shape, found.stride())


def _planes(given):
    """Return the planes and kernel of a convolution of images, from its weight."""
    weight = given.get("weight", given.get("gradWeight"))
    fields = {"weight": weight}
    if "kW" in given:
        fields |= {"kW": given["kW"], "kH": given.get("kH", 1), "nOutputPlane": weight.shape[0]}
        fields["nInputPlane"] = weight.size // weight.shape[0] // (fields["kW"] * fields["kH"])
    return fields


def _of_weight(given, first, second, names):
    """Return planes in the order of the weight's dimensions, and the kernel behind them."""
    weight = given.get("weight", given.get("gradWeight"))
    fields = {"weight": weight}
    if weight.ndim == 2 + len(names):
        fields |= {first: weight.shape[0], second: weight.shape[1]}
        fields |= dict(zip(names, weight.shape[2:], strict=True))
    return fields


def _image(given):
    return _of_weight(given, "nOutputPlane", "nInputPlane", ("kH", "kW")) | _planes(given)


def _full_image(given):
    return _of_weight(given, "nInputPlane", "nOutputPlane", ("kH", "kW"))


def _volume(given):
    found = _of_weight(given, "nOutputPlane", "nInputPlane", ("kT", "kH", "kW"))
    if "kT" in given:  # the weight is a matrix
        weight = found["weight"]
        kernel = given["kT"] * given["kH"] * given["kW"]
        found |= {"nOutputPlane": weight.shape[0], "nInputPlane": weight.shape[1] // kernel}
    return found


def _full_volume(given):
    return _of_weight(given, "nInputPlane", "nOutputPlane", ("kT", "kH", "kW"))


def _depth_wise(given):
    weight = given.get("weight", given.get("gradWeight"))
    planes = given["input"].shape[-3]
    shape = (weight.shape[0], planes, given["kH"], given["kW"])
    weight.set_(weight.storage(), weight.storage_offset(), shape)
    return {"weight": weight, "nOutputPlane": weight.shape[0], "nInputPlane": planes}


def _local(given):
    weight = given.get("weight", given.get("gradWeight"))
    planes = given["input"].shape[-3]
    size = {"oW": given["outputWidth"], "oH": given["outputHeight"]}
    size |= {"iW": given["inputWidth"], "iH": given["inputHeight"]}
    outputs = weight.size // (size["oW"] * size["oH"] * planes * given["kW"] * given["kH"])
    planes = {"nInputPlane": planes, "nOutputPlane": outputs}
    return {"weight": weight, **_bias(given, (outputs, size["oH"], size["oW"])), **planes, **size}


def _bias(given, shape):
    """Return the bias, or zeros where its values do not matter."""
    for name in ("bias", "gradBias"):
        if name in given:
            return {"bias": given[name]}
    return {"bias": zeros(shape, given["input"].dtype)}


def _mapped(given):
    return {"weight": given.get("weight", given.get("gradWeight")), **_kernel(given)}


def _kernel(given):
    weight = given.get("weight", given.get("gradWeight"))
    return {"kH": weight.shape[1], "kW": weight.shape[2]}


def _frames(given):
    weight = given.get("weight", given.get("gradWeight"))
    kernel = given["kW"]
    sizes = {"inputFrameSize": weight.size // weight.shape[0] // kernel}
    return {"weight": weight, "outputFrameSize": weight.shape[0], **sizes}


def _one_per_frame(given):
    weight = given.get("weight", given.get("gradWeight"))
    bias = _bias(given, weight.shape[:1])
    return {"weight": weight, "inputFrameSize": weight.shape[0], **bias}


def _one_per_plane(given):
    weight = given.get("weight", given.get("gradWeight"))
    return {"weight": weight, "nInputPlane": weight.shape[0], **_bias(given, weight.shape[:1])}


def _adaptive(given):
    if "owidth" in given:
        return {"W": given["owidth"], "H": given["oheight"]}
    of = given["gradOutput"]
    return {"W": of.shape[-1], "H": of.shape[-2]}


def _unpooling(given):
    sizes = {"iheight": given.get("oheight", given.get("oH")), "itime": given.get("oT")}
    sizes["iwidth"] = given.get("owidth", given.get("oW"))
    steps = {name: given[name] for name in ("dT", "dW", "dH") if name in given}
    pads = {f"pad{axis}": given[f"p{axis}"] for axis in "TWH" if f"p{axis}" in given}
    pooling = SimpleNamespace(indices=given["indices"], **sizes, **steps, **pads)
    outputs = {"oheight": sizes["iheight"], "otime": sizes["itime"], "owidth": sizes["iwidth"]}
    return {"pooling": pooling, **outputs}


def _upsampling(given):
    mode = "nearest" if given.get("scale_factor") else "linear"
    return {"inputSize": long_storage([0] * 5), "outputSize": long_storage([0] * 5), "mode": mode}


def _fractional(given):
    samples = given.get("randomSamples", given["indices"])
    return {"newRandomPool": True, "randomSamples": samples}


def _moments(given):
    return {"nDim": given["input"].ndim}


def _weights(given):
    """Return the weights of outputs, which Lua has given to each sample."""
    weights = given["weights"]
    return {"weights": weights[0] if weights is not None and weights.ndim > 1 else weights}


DERIVED = {
    "BCECriterion": _weights,
    "BatchNormalization": _moments,
    "LookupTable": lambda given: {"weight": given["gradWeight"]},
    "SpatialAdaptiveAveragePooling": _adaptive,
    "SpatialAdaptiveMaxPooling": _adaptive,
    "SpatialAveragePooling": lambda given: {"divide": True},
    "SpatialFractionalMaxPooling": _fractional,
    "VolumetricFractionalMaxPooling": _fractional,
    "SpatialMaxUnpooling": _unpooling,
    "VolumetricMaxUnpooling": _unpooling,
    "SpatialUpSamplingBilinear": _upsampling,
    "SpatialUpSamplingNearest": _upsampling,
    "VolumetricUpSamplingNearest": _upsampling,
    "VolumetricUpSamplingTrilinear": _upsampling,
    "SpatialConvolutionMM": _image,
    "SpatialDilatedConvolution": _image,
    "SpatialDepthWiseConvolution": _depth_wise,
    "SpatialConvolutionLocal": _local,
    "SpatialConvolutionMap": _mapped,
    "SpatialFullConvolutionMap": _mapped,
    "SpatialFullConvolution": _full_image,
    "SpatialSubSampling": _one_per_plane,
    "TemporalConvolution": _frames,
    "TemporalRowConvolution": _one_per_frame,
    "TemporalSubSampling": _one_per_frame,
    "VolumetricConvolution": _volume,
    "VolumetricConvolutionMM": _volume,
    "VolumetricDilatedConvolution": _volume,
    "VolumetricFullConvolution": _full_volume,
}
"""Fields that a class has and its C function finds in the shape of the weight."""

CLASSES = {
    "GatedLinear": "GatedLinearUnit",
    "VolumetricConvolutionMM": "VolumetricConvolution",
    "VolumetricUpSamplingNearest": "UpSampling",
    "VolumetricUpSamplingTrilinear": "UpSampling",
}
"""Classes of functions that are named otherwise."""


def _normalized_back(given):
    module = made("BatchNormalization", given)
    if given["gradInput"] is not None:
        backward(module, given)
    if given["gradWeight"] is not None:
        accumulate(module, given)


def _renormed(given):
    rows = np.unique(given["idx"].numpy()) - 1
    weight = given["weight"].detach()
    limited = ops.renorm(weight[rows], p=given["normType"], axis=0, limit=given["maxNorm"])
    weight[rows] = limited


def _resized_back(given):
    names = [n for n in given if n == "nbatch" or n == "nchannels" or n.startswith("input")]
    shape = [int(given[n]) for n in names]
    given = {**given, "input": zeros(shape, given["gradOutput"].dtype)}
    family = "SpatialUpSamplingBilinear" if len(shape) == 4 else "VolumetricUpSamplingTrilinear"
    backward(made(family, given), given)


def _sparse(given):
    """Return row, column and value of each number that is there, the first two from 0."""
    entries = given["input"].numpy().reshape(-1, 3)
    return entries[:, 0].astype(int) - 1, entries[:, 1].astype(int) - 1, entries[:, 2]


def _sparse_output(given):
    rows, columns, values = _sparse(given)
    output = given["output"].numpy()
    output[...] = given["bias"].detach().numpy()
    np.add.at(output, rows, given["weight"].detach().numpy()[:, columns].T * values[:, None])


def _sparse_gradients(given):
    rows, columns, values = _sparse(given)
    g, scale = given["gradOutput"].numpy(), given["scale"]
    added = g[rows] * values[:, None] * scale
    np.add.at(given["gradWeight"].numpy().T, columns, added)
    given["gradBias"].numpy()[...] += g.sum(axis=0) * scale
    given["gradWeight"].numpy()[...] += given["weight"].detach().numpy() * given["weightDecay"]


def _last_columns(given, place):
    entries = given["lastInput"].numpy().reshape(-1, 2 + place)
    return np.unique(entries[entries[:, -1] != 0, place].astype(int) - 1)


def _sparse_step(place):
    def call(given):
        columns, rate = _last_columns(given, place), given["learningRate"]
        given["bias"].detach().numpy()[...] -= given["gradBias"].numpy() * rate
        step = given["gradWeight"].numpy()[:, columns] * rate
        given["weight"].detach().numpy()[:, columns] -= step

    return call


def _sparse_zero(place):
    def call(given):
        given["gradBias"].zero_()
        given["gradWeight"].numpy()[:, _last_columns(given, place)] = 0

    return call


def _as_pairs(name):
    def call(given):
        module = made("SparseLinear", given)
        (forward if name == "updateOutput" else accumulate)(module, given)

    return call


def _indexed(given):
    """Return an IndexLinear of the call's arguments, and its input."""
    weight, count = given["weight"].detach(), given["bias"].size
    module = legacy_nn.IndexLinear(weight.shape[0], count)
    module.normalize = weight.shape[1] - count
    module.offset, module.weight = given["keysOffset"], weight
    module.bias, module.outputSize = given["bias"].detach(), count
    return module, Table([given["keys"], given["values"], given["sizes"]])


def _indexed_output(given):
    module, input = _indexed(given)
    module.normalizedValues = given["normalizedValues"]
    module.train = bool(given["train"])
    settle(given["output"], module.updateOutput(input))


def _indexed_gradients(given):
    module, input = _indexed(given)
    module.normalizedValues = given["values"]  # Lua has chosen which are counted
    module.gradBias = given["gradBias"].detach()
    module.accGradParameters(input, given["gradOutput"], given["scale"])
    settle(given["gradWeight"], module.running["gradWeight"][1])


def _indexed_steps(given):
    rows = given["runningKeys"].numpy().reshape(-1) + int(given["keysOffset"])
    module, _ = _indexed({**given, "keys": None, "values": None, "sizes": None})
    module.weightDecay, module.gradBias = given["weightDecay"], given["gradBias"].detach()
    module.bias.detach().sub_(module.gradBias * given["learningRate"])
    module._step(rows, given["gradWeight"].numpy(), given["learningRate"])


def _indexed_updates(given):
    module, input = _indexed(given)
    module.normalizedValues, module.weightDecay = given["values"], given["weightDecay"]
    module.accUpdateGradParameters(input, given["gradOutput"], given["scale"])


SPECIAL = {
    "BatchNormalization_backward": _normalized_back,
    "IndexLinear_accGradParameters": _indexed_gradients,
    "IndexLinear_accUpdateGradParameters": _indexed_updates,
    "IndexLinear_updateOutput": _indexed_output,
    "IndexLinear_updateParameters": _indexed_steps,
    "LookupTable_renorm": _renormed,
    "SparseLinear_accGradParameters": _sparse_gradients,
    "SparseLinear_legacyAccGradParameters": _as_pairs("accGradParameters"),
    "SparseLinear_legacyUpdateOutput": _as_pairs("updateOutput"),
    "SparseLinear_legacyUpdateParameters": _sparse_step(0),
    "SparseLinear_legacyZeroGradParameters": _sparse_zero(0),
    "SparseLinear_updateOutput": _sparse_output,
    "SparseLinear_updateParameters": _sparse_step(1),
    "SparseLinear_zeroGradParameters": _sparse_zero(1),
    "SpatialUpSamplingBilinear_updateGradInput": _resized_back,
    "VolumetricUpSamplingTrilinear_updateGradInput": _resized_back,
}
"""Functions whose arguments are not a module's fields."""
