"""Classes that have no translation, and why; docs/not-translated.md is made from this."""

from __future__ import annotations

_RANDOM = "it draws from Torch's random stream in a way that no layer of core.nn does"
_SPARSE = "its input is a table of sparse rows, which core.nn has no layer for"
_LUA = "it is part of Torch7's own programs, not of a model's computation"
_OLD = "its weights do not lie in memory as any layer of core.nn has them"

NOT_TRANSLATED: dict[str, str] = {
    "nn.WhiteNoise": _RANDOM,
    "nn.SpatialFractionalMaxPooling": _RANDOM,
    "nn.VolumetricFractionalMaxPooling": _RANDOM,
    "nn.SparseLinear": _SPARSE,
    "nn.IndexLinear": _SPARSE,
    "nn.SpatialConvolutionLocal": "it has a filter for every place, which core.nn has no layer for",
    "nn.SpatialFullConvolutionMap": "it is a transposed convolution between pairs of planes",
    "nn.SpatialDepthWiseConvolution": "Torch7 reads height and width of its input exchanged",
    "nn.SpatialSubtractiveNormalization": "its estimator depends on the size of each image",
    "nn.SpatialDivisiveNormalization": "its estimator depends on the size of each image",
    "nn.SpatialContrastiveNormalization": "its estimator depends on the size of each image",
    "nn.TemporalSubSampling": _OLD,
    "nn.TemporalDynamicKMaxPooling": "how many maxima it keeps depends on the length",
    "nn.PartialLinear": "which of its outputs it computes is set while it runs",
    "nn.WeightNorm": "its module's weight is computed anew whenever it runs",
    "nn.Constant": "its output does not depend on its input; write the constant",
    "nn.Kmeans": "it is an algorithm that learns without gradients",
    "nn.ModuleFromCriterion": "it is a criterion in the place of a module",
    "nn.StochasticGradient": _LUA,
    "nn.Module": "it defines no forward pass",
    "nn.Container": "it defines no forward pass",
    "nn.Criterion": "it defines no loss",
    "nn.SpatialAutoCropMSECriterion": "what it compares depends on the size of each image",
    "nn.L1HingeEmbeddingCriterion": "its target is one number that chooses the formula",
    "graph.Edge": _LUA,
    "graph.Graph": _LUA,
    "graph.Node": _LUA,
    "nngraph.Node": _LUA,
    "optim.ConfusionMatrix": _LUA,
    "tds.AtomicCounter": _LUA,
    "tds.Hash": _LUA,
    "tds.Vec": _LUA,
    "tds_hash": _LUA,
    "torch.Generator": _LUA,
    "torch.Timer": _LUA,
}
"""Reasons by Torch7's name of the class."""

PACKAGES: dict[str, str] = {
    "dpnn": "it draws actions, images or numbers, or learns from rewards",
    "rnn": "it is a base of other classes, a criterion of sequences, or draws where to look",
}
"""Reasons for all classes of a package of legacy_nn that have no rule."""


def reason(typename: str, cls: type | None) -> str | None:
    """Return why a class has no translation, or None where nothing says so.

    Parameters
    ----------
    typename : str
    cls : type or None
        The Python class, where there is one.
    """
    if typename in NOT_TRANSLATED:
        return NOT_TRANSLATED[typename]
    parts = cls.__module__.split(".") if cls is not None else []
    package = parts[2] if len(parts) > 3 else ""
    return PACKAGES.get(package)
