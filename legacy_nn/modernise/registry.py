"""The registry of rules: how each legacy class is translated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .plan import Layer, Value

if TYPE_CHECKING:
    from .builder import Builder

Rule = Callable[[Any, Value, "Builder"], Value]
"""`rule(module, x, build)` returns what the module makes of the value x."""

RULES: dict[str, Rule] = {}
"""Rules by Torch7's name of the class."""

LayerRule = Callable[[Any, Any], Layer | None]

LAYERS: dict[str, LayerRule] = {}
"""Rules of classes that are one layer of core.nn: `rule(module, x)`, None where they are not."""

OF_INPUT: set[LayerRule] = set()
"""Rules of layers that depend on the dimensions of their input."""


def rule(*typenames: str) -> Callable[[Rule], Rule]:
    """Register a rule for classes, by Torch7's names."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(typenames, function))
        return function

    return register


OneLayer = Callable[[Any], Layer | None]


def layer(*typenames: str) -> Callable[[OneLayer], OneLayer]:
    """Register a rule for classes that are one layer, whatever their input."""

    def register(function: OneLayer) -> OneLayer:
        LAYERS.update(dict.fromkeys(typenames, lambda module, x: function(module)))
        return function

    return register


def layer_of_input(*typenames: str) -> Callable[[LayerRule], LayerRule]:
    """Register a rule for classes that are one layer, which depends on the dimensions of x."""

    def register(function: LayerRule) -> LayerRule:
        LAYERS.update(dict.fromkeys(typenames, function))
        OF_INPUT.add(function)
        return function

    return register


EVALUATED: set[str] = set()
"""Classes whose rules are of what they do in evaluation."""


def evaluated(*typenames: str) -> Callable[[Rule], Rule]:
    """Register a rule for classes that draw in training; these are refused in training mode."""
    EVALUATED.update(typenames)
    return rule(*typenames)


SEQUENCES: dict[str, Rule] = {}
"""Rules of classes that take a sequence step by step: the value x is a whole sequence."""


def sequence_rule(*typenames: str) -> Callable[[Rule], Rule]:
    """Register a rule for classes that keep states from step to step."""

    def register(function: Rule) -> Rule:
        SEQUENCES.update(dict.fromkeys(typenames, function))
        return function

    return register


def known(typename: str) -> bool:
    """Whether there is a rule for a class."""
    return typename in RULES or typename in LAYERS or typename in SEQUENCES
