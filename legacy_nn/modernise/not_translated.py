"""Classes that have no translation, and why; docs/not-translated.md is made from this."""

from __future__ import annotations

_SPARSE = "its input is a table of indices and values; for dense rows, nn.Linear has its weight"
_WINDOWS = "it draws the sizes of its windows anew in each call, in evaluation too"
_BASE = "it is a base of other classes and computes nothing itself"
_REWARD = "it hands out rewards to modules that draw actions"
_LUA = "it is part of Torch7's own programs, not of a model's computation"

NOT_TRANSLATED: dict[str, str] = {
    "nn.SpatialFractionalMaxPooling": _WINDOWS,
    "nn.VolumetricFractionalMaxPooling": _WINDOWS,
    "nn.SparseLinear": _SPARSE,
    "nn.IndexLinear": _SPARSE,
    "nn.TemporalDynamicKMaxPooling": "how many maxima it keeps depends on the input's length",
    "nn.AbstractRecurrent": _BASE,
    "nn.AbstractSequencer": _BASE,
    "nn.BinaryClassReward": _REWARD,
    "nn.RecurrentAttention": "it draws where it looks next, and learns from rewards",
    "nn.Reinforce": _BASE,
    "nn.SpatialGlimpse": "it cuts images where another tensor says, at several scales",
    "nn.VRClassReward": _REWARD,
    "nn.Kmeans": "it is an algorithm that learns without gradients",
    "nn.ModuleFromCriterion": "it is a criterion in the place of a module",
    "nn.NCECriterion": "its input is that of nn.NCEModule in training, which draws noise",
    "nn.StochasticGradient": _LUA,
    "nn.Module": "it defines no forward pass",
    "nn.Container": "it defines no forward pass",
    "nn.Criterion": "it defines no loss",
    "nn.SpatialAutoCropMSECriterion": "what it compares depends on the size of each image",
    "graph.Edge": _LUA,
    "graph.Graph": _LUA,
    "graph.Node": _LUA,
    "nngraph.Node": _LUA,
    "optim.ConfusionMatrix": _LUA,
    "tds.AtomicCounter": _LUA,
    "tds.Hash": _LUA,
    "tds.Vec": _LUA,
    "tds_hash": _LUA,
    "torch.AliasMultinomial": _LUA,
    "torch.Generator": _LUA,
    "torch.MultiCudaTensor": "it is a plain tensor once it is read",
    "torch.Timer": _LUA,
}
"""Reasons by Torch7's name of the class."""
