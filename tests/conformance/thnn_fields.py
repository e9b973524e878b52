"""Fields that a class has and its C function finds in the shape of the weight."""

from types import SimpleNamespace

from rekindle.core.creation import zeros
from rekindle.legacy_nn.fields import long_storage


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
"""Family of functions -> the fields that its arguments are not, from its arguments."""
