"""Criterions of Torch's nn as losses of core.nn.

Source: torch/nn's constructors; the rules of legacy_nn/modernise/rules_criterion.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import ast
from ..walk import number, plain
from .nodes import NN, Template


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss of core.

    Attributes
    ----------
    name : str
    weight, average, margin : int or None
        At which place Torch's constructor has them, from 0.
    classes : bool
        Targets are numbers of classes, from 1 in Torch.
    """

    name: str
    weight: int | None = None
    average: int | None = None
    margin: int | None = None
    classes: bool = False


LOSSES: dict[str, Loss] = {
    "MSECriterion": Loss("MSELoss", average=0),
    "AbsCriterion": Loss("L1Loss", average=0),
    "SmoothL1Criterion": Loss("SmoothL1Loss", average=0),
    "SoftMarginCriterion": Loss("SoftMarginLoss"),
    "DistKLDivCriterion": Loss("KLDivLoss"),
    "BCECriterion": Loss("BCELoss", weight=0, average=1),
    "ClassNLLCriterion": Loss("NLLLoss", weight=0, average=1, classes=True),
    "SpatialClassNLLCriterion": Loss("NLLLoss", weight=0, average=1, classes=True),
    "CrossEntropyCriterion": Loss("CrossEntropyLoss", weight=0, classes=True),
    "MultiMarginCriterion": Loss("MultiMarginLoss", classes=True),
    "MultiLabelMarginCriterion": Loss("MultiLabelMarginLoss", classes=True),
    "MultiLabelSoftMarginCriterion": Loss("MultiLabelSoftMarginLoss", weight=0),
    "HingeEmbeddingCriterion": Loss("HingeEmbeddingLoss", margin=0),
}


def loss_code(node: ast.Call, name: str, summed: bool) -> Template | None:
    """Return the construction of a loss; None where the arguments have no counterpart.

    Parameters
    ----------
    node : ast.Call
    name : str
        The class in Torch's nn.
    summed : bool
        Whether the program says `criterion.sizeAverage = false`.
    """
    loss = LOSSES[name]
    given: dict[str, Any] = {}
    for position, value in enumerate(node.arguments):
        value = plain(value)
        if isinstance(value, ast.Nil):
            continue
        if position == loss.weight:
            given["weight"] = value
        elif position == loss.average and isinstance(value, ast.Boolean):
            summed = summed or not value.value
        elif position == loss.margin:
            given["margin"] = value if number(value) != 1 else None
        else:
            return None
    if summed:
        given["reduction"] = '"sum"'
    parts: list[Any] = [f"nn.{loss.name}("]
    for position, (key, value) in enumerate((k, v) for k, v in given.items() if v is not None):
        parts += [f"{', ' if position else ''}{key}=", value]
    return Template(node.line, node.column, [*parts, ")"], imports=(NN,))
