"""Criterions: what files hold of a loss, kept whole and written back.

Source: torch/nn Criterion.lua and the files of each class.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.errors import RekindleError

from .module import take_fields


class CriterionError(RekindleError, NotImplementedError):
    """A criterion that was asked for a loss."""


class Criterion:
    """The base of all criterions; the attributes of an instance are the Lua object's fields."""

    t7_typename: ClassVar[str] = "nn.Criterion"
    t7_version: ClassVar[int] = 1

    _type: str

    def updateOutput(self, input: Any, target: Any) -> Any:
        """Refuse: criterions are read and written, and compute nothing yet.

        Raises
        ------
        CriterionError
            Always.
        """
        raise CriterionError(
            f"{self.t7_typename} can be read and written, but its loss cannot be computed yet"
        )

    forward = __call__ = updateOutput

    def t7_restore(self, version: int, fields: Table) -> None:
        """Become the object that a file holds."""
        take_fields(self, fields)

    def t7_fields(self) -> Table:
        """Return the fields as a file holds them."""
        return Table(self.__dict__)

    def __repr__(self) -> str:
        return self.t7_typename


TYPENAMES = (
    *("nn.AbsCriterion", "nn.BCECriterion", "nn.ClassNLLCriterion", "nn.ClassSimplexCriterion"),
    *("nn.CosineEmbeddingCriterion", "nn.CrossEntropyCriterion", "nn.DistKLDivCriterion"),
    *("nn.DistanceRatioCriterion", "nn.HingeEmbeddingCriterion", "nn.L1Cost"),
    *("nn.L1HingeEmbeddingCriterion", "nn.MSECriterion", "nn.MarginCriterion"),
    *("nn.MarginRankingCriterion", "nn.ModuleCriterion", "nn.MultiCriterion"),
    *("nn.MultiLabelMarginCriterion", "nn.MultiLabelSoftMarginCriterion"),
    *("nn.MultiMarginCriterion", "nn.ParallelCriterion", "nn.SmoothL1Criterion"),
    *("nn.SoftMarginCriterion", "nn.SpatialAutoCropMSECriterion", "nn.SpatialClassNLLCriterion"),
    *("nn.WeightedMSECriterion", "cudnn.SpatialCrossEntropyCriterion"),
)
"""The criterion classes of torch/nn and cudnn.torch."""

checkpoint.register("nn.Criterion", Criterion)
for _typename in TYPENAMES:
    _fields = {"t7_typename": _typename, "__module__": __name__, "__doc__": f"{_typename}."}
    checkpoint.register(_typename, type(_typename.partition(".")[2], (Criterion,), _fields))
