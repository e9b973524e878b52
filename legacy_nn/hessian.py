"""nn.hessian: estimates of the diagonal of the Hessian, to set learning rates by.

The second derivative of a loss is followed back through a network as the gradient is, with the
terms off the diagonal left out: through a linear map by the squares of its weights, through a
pointwise function by the square of its slope. `hessian_rules.py` says which modules can do so.
Source: torch/nn hessian.lua; LeCun et al. 1998, "Efficient BackProp".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rekindle.core.creation import empty, zeros_like
from rekindle.core.tensor import Tensor

from .errors import ModuleError
from .flatten import flatten, get_parameters
from .values import as_input, as_torch, replace_contents


@dataclass(frozen=True)
class Rule:
    """How a class follows second derivatives back.

    Attributes
    ----------
    of_input : callable
        `of_input(module, input, diagHessianOutput)` returns what arrives at the input; a
        criterion is given the target instead.
    accumulate : callable, optional
        Adds what arrives at the parameters, with the same arguments.
    start : callable, optional
        `start(module)` makes the fields that `accumulate` adds to.
    """

    of_input: Callable[[Any, Any, Any], Any]
    accumulate: Callable[[Any, Any, Any], None] | None = None
    start: Callable[[Any], None] | None = None


_RULES: dict[type, Rule] = {}


def follow(rule: Rule, *classes: type) -> None:
    """Let these classes, and those derived from them, follow a rule."""
    _RULES.update(dict.fromkeys(classes, rule))


def rule_of(owner: Any) -> Rule | None:
    """Return the rule that an object's class follows."""
    return next((_RULES[cls] for cls in type(owner).__mro__ if cls in _RULES), None)


class DiagonalHessian:
    """The part of nn.Module and nn.Criterion that estimates second derivatives."""

    def updateDiagHessianInput(self, input: Any, diagHessianOutput: Any = None) -> Any:
        """Compute the second derivatives for the input; keep them in `diagHessianInput`.

        Parameters
        ----------
        input : Tensor
            What forward was given.
        diagHessianOutput : Tensor
            The second derivatives of the loss for the output; of a criterion the target.

        Returns
        -------
        Tensor, shape of `input`
            The same tensor at every call.

        Raises
        ------
        ModuleError
            If the class has no rule, as most have none in Torch7.
        """
        rule = rule_of(self)
        if rule is None:
            name = getattr(self, "t7_typename", type(self).__name__)
            raise ModuleError(
                f"{name}:updateDiagHessianInput() is undefined: Torch7 states no second "
                "derivatives for it; override the method in a subclass"
            )
        with as_torch():
            found = rule.of_input(self, as_input(input), as_input(diagHessianOutput))
            kept = replace_contents(vars(self).get("diagHessianInput"), found)
            vars(self)["diagHessianInput"] = kept
        return kept

    def accDiagHessianParameters(self, input: Any, diagHessianOutput: Any) -> None:
        """Add the second derivatives for the parameters to `diagHessianWeight` and the like."""
        rule = rule_of(self)
        if rule is not None and rule.accumulate is not None:
            with as_torch():
                rule.accumulate(self, as_input(input), as_input(diagHessianOutput))

    def initDiagHessianParameters(self) -> None:
        """Make the fields for the second derivatives of the parameters, unless they are there."""
        rule = rule_of(self)
        if rule is not None and rule.start is not None:
            rule.start(self)


def enable() -> None:
    """Do nothing: the methods that Torch7 adds to modules at this call are always there.

    What `parameters` and `getParameters` return besides in Torch7 is returned by the functions
    of these names here.
    """


def field_of(gradient: str) -> str:
    """Return the field of the second derivative, given that of the first: diagHessianWeight."""
    return gradient.replace("grad", "diagHessian", 1)


def start(module: Any) -> None:
    """Give a module its fields: zeros like its gradients, and an empty `diagHessianInput`."""
    fields = vars(module)
    fields.setdefault("diagHessianInput", empty(0, module.dtype))
    for _, gradient in module.parameter_fields:
        found = getattr(module, gradient, None)
        if isinstance(found, Tensor):
            fields.setdefault(field_of(gradient), zeros_like(found))


def parameters(module: Any) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Return the trained tensors of a module, their gradients, and their second derivatives.

    Parameters
    ----------
    module : Module
        Second derivatives are missing from the third list before `initDiagHessianParameters`.
    """
    inside = module.inside()
    if not inside:
        fields = [field_of(g) for _, g in module.parameter_fields]
        second = [vars(module)[name] for name in fields if name in vars(module)]
        return (*module.parameters(), second)
    found: tuple[list[Tensor], list[Tensor], list[Tensor]] = ([], [], [])
    for child in inside:
        for whole, part in zip(found, parameters(child), strict=True):
            whole += part
    return found


def getParameters(module: Any) -> tuple[Tensor, Tensor, Tensor | None]:
    """Move parameters, gradients and second derivatives into one flat tensor each.

    Returns
    -------
    flatParameters, flatGradParameters : Tensor, shape (n,)
        As of `Module.getParameters`.
    flatHessianParameters : Tensor, shape (n,), or None
        None before `initDiagHessianParameters`.
    """
    weights, gradients, second = parameters(module)
    return (*get_parameters(weights, gradients), flatten(second) if second else None)
