"""A call of THNN as a module: its arguments are the fields, and the result goes into one."""

from thnn_fields import DERIVED

from rekindle import legacy_nn
from rekindle.core.checkpoint.torch_types import tensor_class
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.criterion import Criterion
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

CLASSES = {
    "GatedLinear": "GatedLinearUnit",
    "VolumetricConvolutionMM": "VolumetricConvolution",
    "VolumetricUpSamplingNearest": "UpSampling",
    "VolumetricUpSamplingTrilinear": "UpSampling",
}
"""Classes of functions that are named otherwise."""


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
