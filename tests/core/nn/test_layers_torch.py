"""Every layer against PyTorch's: state_dict copied across, outputs, all gradients, text."""

import numpy as np
import pytest
from torch_side import TOLERANCE, both, compare, draws

from rekindle.core.tensor import Tensor

SEQUENCE, IMAGE, VOLUME = (2, 4, 9), (2, 4, 9, 8), (2, 4, 5, 6, 7)


def conv_cases():
    for n, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME)):
        for options in (
            {"kernel_size": 3},
            {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "bias": False},
            {"kernel_size": 3, "groups": 2, "padding": "same"},
            {"kernel_size": 2, "padding": "valid", "groups": 4},
            {"kernel_size": 2, "padding": "same", "padding_mode": "reflect"},
            {"kernel_size": 3, "padding": 1, "padding_mode": "replicate"},
            {"kernel_size": 3, "padding": 2, "padding_mode": "circular", "stride": 2},
        ):
            yield f"Conv{n}d", (4, 8), options, [shape]
        yield f"Conv{n}d", (4, 8, 3), {}, [shape[1:]]
        for options in (
            {"kernel_size": 3},
            {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1, "groups": 2},
            {"kernel_size": 2, "dilation": 2, "bias": False},
        ):
            yield f"ConvTranspose{n}d", (4, 6), options, [shape]
    yield "Conv2d", (4, 8), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}, [IMAGE]


def pool_cases():
    for n, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME)):
        yield f"MaxPool{n}d", (2,), {}, [shape]
        yield f"MaxPool{n}d", (3, 2, 1), {"ceil_mode": True, "return_indices": True}, [shape]
        yield f"MaxPool{n}d", (2, 1), {"dilation": 2}, [shape[1:]]
        yield f"AvgPool{n}d", (2,), {}, [shape]
        yield f"AvgPool{n}d", (3, 2, 1), {"ceil_mode": True}, [shape]
        yield f"AvgPool{n}d", (3, 2, 1), {"count_include_pad": False}, [shape]
        yield f"LPPool{n}d", (2, 2), {}, [shape]
        yield f"LPPool{n}d", (3, 3, 2), {"ceil_mode": True}, [shape]
        yield f"AdaptiveAvgPool{n}d", (3,), {}, [shape]
        yield f"AdaptiveMaxPool{n}d", (2,), {"return_indices": True}, [shape]
    for divisor in (3, 7):
        for ceil in (False, True):
            options = {"ceil_mode": ceil, "divisor_override": divisor}
            yield "AvgPool2d", (3, 2, 1), options, [IMAGE]
            yield "AvgPool3d", (2, 2, 1), options, [VOLUME]
    yield "AdaptiveAvgPool2d", ((None, 3),), {}, [IMAGE]
    yield "AdaptiveMaxPool2d", ((4, None),), {}, [IMAGE[1:]]


def norm_cases():
    yield "BatchNorm1d", (4,), {}, [(6, 4)]
    yield "BatchNorm1d", (4,), {"momentum": None}, [SEQUENCE]
    yield "BatchNorm2d", (4,), {"eps": 1e-3, "momentum": 0.3}, [IMAGE]
    yield "BatchNorm2d", (4,), {"affine": False}, [IMAGE]
    yield "BatchNorm2d", (4,), {"bias": False}, [IMAGE]
    yield "BatchNorm3d", (4,), {"track_running_stats": False}, [VOLUME]
    yield "InstanceNorm1d", (4,), {}, [SEQUENCE]
    yield "InstanceNorm2d", (4,), {"affine": True, "track_running_stats": True}, [IMAGE]
    yield "InstanceNorm2d", (4,), {"affine": True}, [IMAGE[1:]]
    yield "InstanceNorm3d", (4,), {"affine": True}, [VOLUME]
    yield "LayerNorm", (8,), {}, [IMAGE]
    yield "LayerNorm", ((9, 8),), {"eps": 1e-3, "bias": False}, [IMAGE]
    yield "LayerNorm", (8,), {"elementwise_affine": False}, [IMAGE]
    yield "RMSNorm", (8,), {}, [IMAGE]
    yield "RMSNorm", ((9, 8),), {"eps": 1e-2, "elementwise_affine": False}, [IMAGE]
    yield "GroupNorm", (2, 4), {}, [IMAGE]
    yield "GroupNorm", (2, 4), {"bias": False}, [IMAGE]
    yield "GroupNorm", (4, 4), {"affine": False, "eps": 1e-2}, [SEQUENCE]
    yield "LocalResponseNorm", (3,), {"alpha": 0.3, "beta": 0.6, "k": 2.0}, [IMAGE]
    yield "LocalResponseNorm", (4,), {"alpha": 0.3}, [SEQUENCE]


def activation_cases():
    plain = (
        "ReLU ReLU6 SELU SiLU Mish Hardswish Hardsigmoid Tanh Sigmoid LogSigmoid Softsign "
        "Tanhshrink Hardtanh ELU CELU LeakyReLU GELU GLU Hardshrink Softshrink Softplus PReLU"
    )
    for name in plain.split():
        yield name, (), {}, [(3, 4, 6)]
    yield "Hardtanh", (-0.5, 0.7), {}, [(3, 4)]
    yield "Threshold", (0.1, -2.0), {}, [(3, 4)]
    yield "ELU", (0.5,), {}, [(3, 4)]
    yield "CELU", (0.5,), {}, [(3, 4)]
    yield "LeakyReLU", (0.3,), {}, [(3, 4)]
    yield "GELU", (), {"approximate": "tanh"}, [(3, 4)]
    yield "GLU", (1,), {}, [(3, 4)]
    yield "Hardshrink", (0.1,), {}, [(3, 4)]
    yield "Softshrink", (0.2,), {}, [(3, 4)]
    yield "Softplus", (2.0, 1.0), {}, [(3, 4)]
    yield "PReLU", (4,), {}, [(3, 4, 5)]
    for name in ("Softmax", "Softmin", "LogSoftmax"):
        yield name, (1,), {}, [(3, 4, 5)]
    yield "Softmax2d", (), {}, [(2, 3, 4, 5)]


def other_cases():
    yield "Linear", (4, 3), {}, [(5, 4)]
    yield "Linear", (4, 3), {"bias": False}, [(2, 5, 4)]
    yield "Bilinear", (4, 3, 5), {}, [(2, 6, 4), (2, 6, 3)]
    yield "Bilinear", (4, 3, 5), {"bias": False}, [(6, 4), (6, 3)]
    yield "Identity", (3,), {"anything": 1}, [(2, 3)]
    yield "Flatten", (), {}, [(2, 3, 4)]
    yield "Flatten", (0, 1), {}, [(2, 3, 4)]
    yield "Unflatten", (1, (2, 3)), {}, [(4, 6, 2)]
    yield "Unflatten", (-1, (3, -1)), {}, [(4, 6)]
    yield "PixelShuffle", (2,), {}, [(2, 8, 3, 4)]
    yield "PixelUnshuffle", (2,), {}, [(2, 3, 4, 6)]
    yield "ChannelShuffle", (2,), {}, [(2, 6, 3, 4)]
    yield "CosineSimilarity", (), {}, [(4, 5), (4, 5)]
    yield "CosineSimilarity", (-1, 1e-3), {}, [(4, 5), (4, 5)]
    yield "PairwiseDistance", (), {}, [(4, 5), (4, 5)]
    yield "PairwiseDistance", (3.0,), {"keepdim": True}, [(4, 5), (4, 5)]
    for n, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME)):
        each = tuple(range(1, 2 * n + 1)) if n < 3 else (1, 2, 0, 1, 2, 1)
        yield f"ConstantPad{n}d", (each, 1.5), {}, [shape]
        for kind in ("Zero", "Reflection", "Replication", "Circular"):
            yield f"{kind}Pad{n}d", (each,), {}, [shape]
            yield f"{kind}Pad{n}d", (2,), {}, [shape]
        yield f"ReflectionPad{n}d", (1,), {}, [shape[1:]]
    yield "Unfold", (3,), {"dilation": 2, "padding": 1, "stride": 2}, [IMAGE]
    yield "Unfold", ((2, 3),), {}, [IMAGE]
    yield "Fold", ((9, 8), 3), {"dilation": 2, "padding": 1, "stride": 2}, [(2, 18, 12)]
    yield "Fold", ((4, 5), (2, 3)), {}, [(2, 12, 9)]


def resize_cases():
    for mode, shape in (("linear", SEQUENCE), ("bilinear", IMAGE), ("trilinear", VOLUME)):
        for align in (False, True):
            yield "Upsample", (), {"scale_factor": 2, "mode": mode, "align_corners": align}, [shape]
            yield "Upsample", (), {"size": 6, "mode": mode, "align_corners": align}, [shape]
            options = {"scale_factor": 1.7, "mode": mode, "align_corners": align}
            yield "Upsample", (), options, [shape]
    for shape in (SEQUENCE, IMAGE, VOLUME):
        for mode in ("nearest", "nearest-exact"):
            yield "Upsample", (), {"scale_factor": 3.0, "mode": mode}, [shape]
            yield "Upsample", (), {"size": 6, "mode": mode}, [shape]
            yield "Upsample", (), {"scale_factor": 0.7, "mode": mode}, [shape]
        options = {"scale_factor": 1.3, "mode": "nearest", "recompute_scale_factor": True}
        yield "Upsample", (), options, [shape]
    for align in (False, True):
        for option in ({"scale_factor": 2.3}, {"size": (5, 11)}):
            yield "Upsample", (), {**option, "mode": "bicubic", "align_corners": align}, [IMAGE]
    yield "UpsamplingNearest2d", (), {"scale_factor": 2}, [IMAGE]
    yield "UpsamplingBilinear2d", (), {"size": (12, 5)}, [IMAGE]


CASES = [
    *conv_cases(),
    *pool_cases(),
    *norm_cases(),
    *activation_cases(),
    *other_cases(),
    *resize_cases(),
]


def label(case):
    name, args, kwargs, _ = case
    return "-".join([name, *map(str, args), *(f"{k}={v}" for k, v in kwargs.items())])


@pytest.mark.parametrize("case", CASES, ids=label)
def test_layer(case):
    name, args, kwargs, shapes = case
    ours, theirs = both(name, *args, **kwargs)
    arrays = draws(*shapes)
    if name.startswith("LPPool"):
        arrays = [np.abs(a) for a in arrays]
    # PyTorch's slope of Hardsigmoid is 1/6 in single precision.
    tolerance = 1e-7 if name == "Hardsigmoid" else TOLERANCE
    for _ in range(2):  # running moments move twice
        compare(ours, theirs, arrays, tolerance=tolerance)
    compare(ours.eval(), theirs.eval(), arrays, tolerance=tolerance)


PRINTS_OTHERWISE = ("AvgPool1d", "Hardshrink", "Softshrink")


@pytest.mark.parametrize("case", [c for c in CASES if c[0] not in PRINTS_OTHERWISE], ids=label)
def test_text(case):
    name, args, kwargs, _ = case
    ours, theirs = both(name, *args, **kwargs)
    assert repr(ours) == repr(theirs)


def test_transposed_convolution_of_a_wanted_size():
    ours, theirs = both("ConvTranspose2d", 4, 3, 3, stride=2, padding=1)
    compare(ours, theirs, draws(IMAGE), options={"output_size": (18, 15)})
    with pytest.raises(ValueError, match=r"sizes from \[17, 15\] to \[18, 16\] here; wanted"):
        ours(Tensor(draws(IMAGE)[0]), output_size=(20, 15))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_unpooling(n):
    shape = {1: (2, 3, 8), 2: (2, 3, 8, 6), 3: (2, 3, 4, 6, 4)}[n]
    pool, other = both(f"MaxPool{n}d", 2, 2, return_indices=True)
    back, yours = both(f"MaxUnpool{n}d", 2, 2)
    compare(lambda x: back(*pool(x)), lambda x: yours(*other(x)), draws(shape))
    sizes = tuple(s + 1 for s in shape[2:])
    larger = draws((*shape[:2], *sizes))
    compare(
        lambda x: back(*pool(x), output_size=x.shape),
        lambda x: yours(*other(x), output_size=x.shape),
        larger,
    )
