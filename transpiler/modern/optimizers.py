"""Methods of torch/optim and their tables of options as optimisers of core.

Source: torch/optim sgd.lua, adam.lua, rmsprop.lua, adagrad.lua, adadelta.lua; what differs is
listed in `rekindle.resume`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import ast
from ..walk import number, plain
from .nodes import OPTIM, Template


@dataclass(frozen=True, slots=True)
class Method:
    """A method of torch/optim.

    Attributes
    ----------
    name : str
        The class of core.
    rate : str or None
        Torch's learning rate unless it is given; None where there is no such option.
    options : dict of str to str
        Torch's options that core has, by core's names.
    note : str
        How core's formula differs.
    """

    name: str
    rate: str | None
    options: dict[str, str]
    note: str = ""


METHODS: dict[str, Method] = {
    "sgd": Method(
        "SGD",
        "0.001",
        {
            "momentum": "momentum",
            "dampening": "dampening",
            "weightDecay": "weight_decay",
            "nesterov": "nesterov",
        },
    ),
    "adam": Method(
        "Adam",
        "0.001",
        {"beta1": "", "beta2": "", "epsilon": "eps", "weightDecay": "weight_decay"},
        "optim.adam adds epsilon before it corrects the bias, core's Adam after it: steps differ "
        "where gradients are not much larger than epsilon",
    ),
    "rmsprop": Method(
        "RMSprop",
        "0.01",
        {"alpha": "alpha", "epsilon": "eps", "weightDecay": "weight_decay"},
    ),
    "adagrad": Method(
        "Adagrad", "0.001", {"weightDecay": "weight_decay", "learningRateDecay": "lr_decay"}
    ),
    "adadelta": Method(
        "Adadelta", None, {"rho": "rho", "eps": "eps", "weightDecay": "weight_decay"}
    ),
}

MEMORY = frozenset(["momentum", "learningRateDecay"])
"""Options with which sgd keeps something from step to step."""


@dataclass(slots=True)
class Options:
    """The options of a table.

    Attributes
    ----------
    values : dict of str to Expression
    trouble : str
        Why core's optimiser cannot be made of them, if it cannot.
    """

    values: dict[str, Any]
    trouble: str = ""

    def decay(self, method: str) -> Any:
        """Return the rate's decay where core needs a schedule for it."""
        found = self.values.get("learningRateDecay")
        return None if method == "adagrad" or number(found) == 0 else found


def options_of(table: ast.TableConstructor, method: str) -> Options:
    """Return the options that a table constructor gives to a method."""
    values: dict[str, Any] = {}
    for entry in table.fields:
        if not isinstance(entry.key, ast.String):
            return Options(values, "its options are not written out")
        values[entry.key.value] = plain(entry.value)
    known = {"learningRate", "learningRateDecay", *METHODS[method].options}
    foreign = sorted(values.keys() - known)
    if foreign:
        return Options(values, f"core's {METHODS[method].name} has no option {', '.join(foreign)}")
    simple = all(is_simple(v) for v in values.values())
    return Options(values, "" if simple else "its options are computed")


def is_simple(node: Any) -> bool:
    """Whether an expression is a number, a variable, a field, or made of such."""
    match plain(node):
        case ast.Number() | ast.Name() | ast.Boolean() | ast.Nil() | ast.String():
            return True
        case ast.Index(table=table, key=key):
            return is_simple(table) and is_simple(key)
        case ast.Unary(operand=operand):
            return is_simple(operand)
        case ast.Binary(left=left, right=right):
            return is_simple(left) and is_simple(right)
    return False


def optimizer_code(node: ast.Node, model: list[Any], method: str, options: Options) -> Template:
    """Return the construction of an optimiser for `model`, the parts of a model's expression."""
    kind, values = METHODS[method], options.values
    given: list[tuple[str, Any]] = []
    if kind.rate is not None:
        given.append(("lr", values.get("learningRate") or kind.rate))
    else:
        given.append(("lr", "1.0"))
    momentum = values.get("momentum")
    if method == "sgd" and momentum is not None and number(momentum) != 0:
        given.append(("momentum", momentum))
        dampening = values.get("dampening", momentum)  # Torch's default is the momentum
        if number(dampening) != 0:
            given.append(("dampening", dampening))
    if method == "adam" and ("beta1" in values or "beta2" in values):
        betas = ["(", values.get("beta1", "0.9"), ", ", values.get("beta2", "0.999"), ")"]
        given.append(("betas", betas))
    for name, ours in kind.options.items():
        value = values.get(name)
        if name in ("momentum", "dampening") or not ours or value is None:
            continue
        if number(value) == 0 or (isinstance(value, ast.Boolean) and not value.value):
            continue
        given.append((ours, value))
    parts: list[Any] = [f"optim.{kind.name}(", *model, ".parameters()"]
    for name, value in given:
        parts.append(f", {name}=")
        parts += value if isinstance(value, list) else [value]
    return Template(node.line, node.column, [*parts, ")"], imports=(OPTIM,))


def schedule_code(node: ast.Node, optimizer: Any, decay: Any) -> Template:
    """Return the schedule of Torch's `learningRateDecay`: lr / (1 + n decay)."""
    parts = ["optim.LambdaLR(", optimizer, ", lambda step: 1 / (1 + step * ", decay, "))"]
    return Template(node.line, node.column, parts, imports=(OPTIM,))
