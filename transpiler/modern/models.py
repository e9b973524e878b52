"""Expressions of models and criterions in terms of core.nn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import MODULE, TENSOR
from ..syntax import dotted
from ..walk import plain
from .chains import chain_of
from .classes import CONTAINERS, OF_LAYERS, class_of
from .constructors import Arguments, Layer, Unclear
from .containers import Containers
from .criterions import loss_code
from .items import Child
from .layers import LAYERS
from .nodes import DEFAULT_DTYPE, GRADIENTS, NN, TO_TYPE, Part, Template, at

if TYPE_CHECKING:
    from .rewrite import Rewriter


class Models:
    """Writes models.

    Parameters
    ----------
    rewriter : Rewriter
    double : bool or None
        The default type of tensors is DoubleTensor, core's is float32; None where the program
        decides.
    """

    def __init__(self, rewriter: Rewriter, double: bool | None) -> None:
        self.r = rewriter
        self.suffix, self.imports = suffix_of(double)
        """What gives a model of core the default type of tensors, and what that needs."""
        self.ranks: dict[Any, str | None] = {}
        self.indexed: set[Any] = set()
        """Variables of models whose first layer looks up words."""
        self.containers = Containers(rewriter, self)

    def expression(self, node: Any, key: Any = None) -> Any:
        """Return a model's expression in terms of core.

        `key` is the variable that the model is for, of which more is known afterwards.
        """
        node = plain(node)
        base, calls = chain_of(node)
        if class_of(base) in CONTAINERS and class_of(base) is not None:
            return self.containers.definition(node, base, calls, key)
        if isinstance(node, ast.Name):
            return node
        if isinstance(node, ast.MethodCall):
            return self._method(node, key)
        if isinstance(node, ast.Binary):
            left = plain(node.left)
            if isinstance(left, ast.Binary):
                left.left = self.r.expression(left.left)
                left.right = self.expression(left.right)
            else:
                node.left = self.expression(left)
            node.right = self.expression(node.right)
            return node
        if class_of(node) is not None:
            layer = self.layer(node, None)
            if layer is None:
                self.r.refuse_all(node, f"nn.{class_of(node)} has no counterpart in core.nn")
                return node
            if key is not None:
                self.ranks[key] = layer.rank
            return self._typed(layer)
        assert isinstance(node, ast.Call)  # a function of the file that builds a model
        node.arguments = [
            self.given(a) if self.r.facts.is_model(a) else self.r.expression(a)
            for a in node.arguments
        ]
        return node

    def given(self, node: Any) -> Any:
        """Return a model that a function is given, which may add to it."""
        key = self.r.facts.key(node)
        self.ranks[key] = None
        return self.expression(node)

    def _typed(self, layer: Layer) -> Template:
        if layer.has_parameters and self.suffix:
            layer.code.parts.append(self.suffix)
            layer.code.imports = self.imports
        layer.code.kind = MODULE
        return layer.code

    def _method(self, node: ast.MethodCall, key: Any) -> Any:
        base, calls = chain_of(node)
        if class_of(base) in LAYERS:
            methods = [c for c in calls if c.method in OF_LAYERS]
            layer = self.layer(node if len(methods) == len(calls) else base, None)
            if layer is not None and len(methods) == len(calls):
                return self._typed(layer)
            reason = f"nn.{class_of(base)} with :{node.method} has no counterpart here"
            self.r.refuse_all(node, reason)
            return node
        if all(c.method == "add" and len(c.arguments) == 1 for c in calls):
            if self.containers.kind_of(base) == "ConcatTable":
                self.r.refuse_all(node, "what it is after something was added is used")
            children: list[Child] = [(c.arguments[0], None) for c in calls]
            owner = self.expression(base)
            return self.containers.appended(node, owner, children, self.r.facts.key(base))
        owner = self.expression(node.object)
        match node.method, node.arguments:
            case "add", [child]:
                return self.containers.appended(
                    node, owner, [(child, None)], self.r.facts.key(base)
                )
            case "get", [place]:
                return at(node, owner, "[", self.r.less_one(place), "]", kind=MODULE)
            case "clone", []:
                return at(
                    node, "deepcopy(", owner, ")", kind=MODULE, imports=[("deepcopy", "copy")]
                )
            case "cuda" | "float", []:
                return at(node, owner, ".float()", kind=MODULE)
            case "double", []:
                return at(node, owner, ".double()", kind=MODULE)
            case "type", [given]:
                return self.typed(node, owner, given)
        self.r.refuse_all(node, f"core.nn has nothing like :{node.method} with these arguments")
        return node

    def typed(self, node: ast.Node, model: Any, given: Any) -> Template:
        """Return a model of the type of tensors that `:type(...)` gives it."""
        name = plain(given)
        known = name.value if isinstance(name, ast.String) else None
        if known in ("torch.FloatTensor", "torch.CudaTensor"):
            return at(node, model, ".float()", kind=MODULE)  # type: ignore[no-any-return]
        if known == "torch.DoubleTensor":
            return at(node, model, ".double()", kind=MODULE)  # type: ignore[no-any-return]
        found = self.r.expression(given)
        parts = ["to_type(", model, ", ", found, ")"]
        return at(node, *parts, kind=MODULE, imports=[TO_TYPE])  # type: ignore[no-any-return]

    def layer(self, node: Any, rank: str | None) -> Layer | None:
        """Return what a layer with its methods becomes; None where core has nothing like it."""
        base, calls = chain_of(node)
        name = class_of(base)
        if name not in LAYERS:
            return None
        if base.arguments and _is_several(base.arguments[-1]):
            return None
        methods = {c.method: c.arguments for c in calls}
        base.arguments = [self.r.expression(a) for a in base.arguments]
        try:
            layer = LAYERS[str(name)](Arguments(base, base.arguments, rank, methods))
        except Unclear:
            return None
        if layer is not None and layer.helper:
            self.r.classes.add(layer.helper)
        if layer is not None and layer.note:
            self.r.note(node, f"nn.{name}", layer.note)
        return layer

    # -- criterions ---------------------------------------------------------------------------

    def criterion(self, node: Any, summed: bool) -> Any:
        """Return a criterion's expression in terms of core."""
        base, _ = chain_of(node)
        if isinstance(base, ast.Name):
            return base
        base.arguments = [self.r.expression(a) for a in base.arguments]
        name = class_of(base)
        if name is None:  # a function of the program makes it
            return node
        found = loss_code(base, str(name), summed)
        if found is None:
            self.r.refuse_all(node, f"the arguments of nn.{name} have no counterpart")
            return node
        return found

    # -- parts and numbers of models ------------------------------------------------------------

    def vector(self, node: ast.Node, model: Any, gradients: bool) -> Template:
        """Return all parameters, or gradients, as one vector that is a copy."""
        if gradients:
            code: list[Part] = ["gradients_to_vector(", model, ")"]
            return Template(node.line, node.column, code, TENSOR, (GRADIENTS,))
        code = ["nn.utils.parameters_to_vector(", model, ".parameters()).detach()"]
        return Template(node.line, node.column, code, TENSOR, (NN,))


def suffix_of(double: bool | None) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return what gives a model the default type of tensors, and what that needs.

    Core's is float32.
    """
    suffix = {True: ".double()", False: "", None: ".to(default_dtype())"}[double]
    return suffix, (NN, DEFAULT_DTYPE) if double is None else (NN,)


def _is_several(node: Any) -> bool:
    """Whether an expression may give several arguments: `...`, `table.unpack(sizes)`."""
    return isinstance(node, ast.Vararg) or (
        isinstance(node, ast.Call) and dotted(node.function) in ("unpack", "table.unpack")
    )
