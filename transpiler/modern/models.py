"""Definitions of models: chains of `add` become one constructor call of core.nn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import MODULE, TENSOR
from .criterions import loss_code
from .facts import class_of
from .layers import LAYERS, TENSOR_CLASSES, Arguments, Layer, Unclear
from .nodes import NN, Part, Template, at
from .walk import method_call, number, plain

if TYPE_CHECKING:
    from .rewrite import Rewriter

_OF_LAYERS = ("noBias", "ceil", "floor", "setNumInputDims")

Child = tuple[Any, ast.Statement | None]
"""What is added, and the statement that adds it if there is one of its own."""


def chain_of(node: Any) -> tuple[Any, list[ast.MethodCall]]:
    """Return what a chain of method calls starts from, and the calls in order."""
    calls = []
    node = plain(node)
    while isinstance(node, ast.MethodCall):
        calls.append(node)
        node = plain(node.object)
    return node, calls[::-1]


class Models:
    """Writes models.

    Parameters
    ----------
    rewriter : Rewriter
    double : bool
        The default type of tensors is DoubleTensor, core's is float32.
    """

    def __init__(self, rewriter: Rewriter, double: bool) -> None:
        self.r = rewriter
        self.double = double
        self.ranks: dict[Any, str | None] = {}
        self.indexed: set[Any] = set()
        """Variables of models whose first layer looks up words."""

    def expression(self, node: Any, key: Any = None) -> Any:
        """Return a model's expression in terms of core.

        `key` is the variable that the model is for, of which more is known afterwards.
        """
        node = plain(node)
        base, calls = chain_of(node)
        if class_of(base) == "Sequential":
            return self._sequential(node, base, calls, key)
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
            layer = self._layer(node, None)
            if layer is None:
                self.r.refuse_all(node, f"nn.{class_of(node)} has no counterpart in core.nn")
                return node
            if key is not None:
                self.ranks[key] = layer.rank
            return self._typed(layer)
        assert isinstance(node, ast.Call)  # a function of the file that builds a model
        node.arguments = [
            self.expression(a) if self.r.facts.is_model(a) else self.r.expression(a)
            for a in node.arguments
        ]
        return node

    def _typed(self, layer: Layer) -> Template:
        if layer.has_parameters and self.double:
            layer.code.parts.append(".double()")
        layer.code.kind = MODULE
        return layer.code

    def _method(self, node: ast.MethodCall, key: Any) -> Any:
        base, calls = chain_of(node)
        if class_of(base) in LAYERS:
            methods = [c for c in calls if c.method in _OF_LAYERS]
            layer = self._layer(node if len(methods) == len(calls) else methods[-1], None)
            if layer is not None and len(methods) == len(calls):
                return self._typed(layer)
            self.r.refuse_all(node, f"nn.{class_of(base)} with :{node.method} has no counterpart")
            return node
        owner = self.expression(node.object)
        match node.method, node.arguments:
            case "add", [child]:
                return at(node, owner, ".append(", *self.append(child, key), ")", kind=MODULE)
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
        self.r.refuse_all(node, f"core.nn has nothing like :{node.method} with these arguments")
        return node

    # -- what containers hold ---------------------------------------------------------------

    def _sequential(self, node: Any, base: Any, calls: list[ast.MethodCall], key: Any) -> Any:
        children: list[Child] = []
        suffix = ""
        for call in calls:
            if call.method == "add" and len(call.arguments) == 1 and not suffix:
                children.append((call.arguments[0], None))
            elif call.method in ("cuda", "float", "double") and not call.arguments:
                suffix += ".double()" if call.method == "double" else ".float()"
            else:
                self.r.refuse_all(node, f":{call.method} in the middle of a definition")
                return node
        found = self.sequential(base, children, key)
        found.parts += [suffix] if suffix else []
        return found

    def sequential(self, node: ast.Node, children: list[Child], key: Any) -> Template:
        """Return `nn.Sequential(...)` of the children that are added one after the other."""
        parts: list[Part] = ["nn.Sequential("]
        rank: str | None = None
        doubled = False
        long = len(children) > 3 or any(s is not None for _, s in children)
        for position, (child, statement) in enumerate(children):
            if class_of(child) == "LookupTable" and position == 0 and key is not None:
                self.indexed.add(key)
            found, rank, has_parameters = self._child(child, rank, first=position == 0, key=key)
            doubled = doubled or has_parameters
            if statement is not None and (statement.before or statement.after):
                parts += [_comments(statement.before), found, ","]
                after = [statement.after] if statement.after else []
                parts.append("  " + _comments(after).lstrip() if after else "\n")
                continue
            parts += [found, "," if long or position < len(children) - 1 else ""]
        parts.append(").double()" if doubled and self.double else ")")
        if key is not None:
            self.ranks[key] = rank
            self.r.facts.layers[key] = [self._structure(child) for child, _ in children]
        return Template(node.line, node.column, parts, MODULE, (NN,))

    def _structure(self, node: Any) -> Any:
        """Return what a child is: a list of its own, a variable, or a class."""
        base, calls = chain_of(node)
        if class_of(base) == "Sequential" and all(c.method == "add" for c in calls):
            return [self._structure(a) for c in calls for a in c.arguments]
        return self.r.facts.key(base) if isinstance(base, ast.Name) else class_of(base)

    def append(self, child: Any, key: Any) -> list[Part]:
        """Return what is appended to the model of a variable."""
        before = self.ranks.get(key)
        found, rank, has_parameters = self._child(child, before, first=False, key=key)
        self.ranks[key] = rank
        return [found, ".double()"] if has_parameters and self.double else [found]

    def _child(
        self, node: Any, rank: str | None, first: bool, key: Any
    ) -> tuple[Any, str | None, bool]:
        """Return a child, the rank behind it, and whether its parameters lack their type."""
        node = plain(node)
        base, calls = chain_of(node)
        name = class_of(base)
        if name == "Sequential" and all(c.method == "add" for c in calls):
            children: list[Child] = [(c.arguments[0], None) for c in calls if c.arguments]
            return self._nested(base, children, rank)
        if name is not None and all(c.method in _OF_LAYERS for c in calls):
            layer = None
            if name != "LookupTable" or (first and key is not None):
                layer = self._layer(node, rank)
            if layer is not None:
                return layer.code, layer.rank, layer.has_parameters
        if self.r.facts.is_model(node):
            inner_key = self.r.facts.key(node)
            if inner_key in self.indexed:
                self.r.refuse_all(node, "it looks up words inside of another model")
            for other in self.r.facts.keys_in(node):
                self.r.join(key, other)
            return self.expression(node), self.ranks.get(inner_key), False
        if name is not None and name.removeprefix("cudnn.") in TENSOR_CLASSES:
            self.r.note(node, f"nn.{name}", "core.nn has no such layer; it runs inside as it is")
            return self.r.expression(node), None, False
        what = f"nn.{name}" if name else "what is added here"
        self.r.refuse_keys(node, [key], f"{what} is nothing that core.nn has")
        return node, None, False

    def _nested(
        self, base: Any, children: list[Child], rank: str | None
    ) -> tuple[Template, str | None, bool]:
        parts: list[Part] = ["nn.Sequential("]
        lacking = False
        for position, (child, _) in enumerate(children):
            found, rank, has_parameters = self._child(child, rank, first=False, key=None)
            lacking = lacking or has_parameters
            parts += [found, ", " if position < len(children) - 1 else ""]
        return Template(base.line, base.column, [*parts, ")"], MODULE, (NN,)), rank, lacking

    def _layer(self, node: Any, rank: str | None) -> Layer | None:
        base, calls = chain_of(node)
        name = class_of(base)
        if name not in LAYERS:
            return None
        methods = {c.method: c.arguments for c in calls}
        base.arguments = [self.r.expression(a) for a in base.arguments]
        try:
            return LAYERS[str(name)](Arguments(base, base.arguments, rank, methods))
        except Unclear:
            return None

    # -- criterions ---------------------------------------------------------------------------

    def criterion(self, node: Any, summed: bool) -> Any:
        """Return a criterion's expression in terms of core."""
        base, _ = chain_of(node)
        if isinstance(base, ast.Name):
            return base
        base.arguments = [self.r.expression(a) for a in base.arguments]
        name = class_of(base)
        found = loss_code(base, str(name), summed)
        if found is None:
            self.r.refuse_all(node, f"the arguments of nn.{name} have no counterpart")
            return node
        return found

    # -- parts and numbers of models ------------------------------------------------------------

    def parameters(self, model: Any) -> list[Part]:
        """Return the parts of `model.parameters()`."""
        return [model, ".parameters()"]

    def vector(self, node: ast.Node, model: Any, gradients: bool) -> Template:
        """Return all parameters, or gradients, as one vector that is a copy."""
        if gradients:
            inside: list[Part] = ["p.grad for p in ", model, ".parameters()"]
            code = ["nn.utils.parameters_to_vector(", *inside, ")"]
        else:
            code = ["nn.utils.parameters_to_vector(", model, ".parameters()).detach()"]
        return Template(node.line, node.column, code, TENSOR, (NN,))


def _comments(comments: list[ast.Comment]) -> str:
    from ..lower.comments import comment_lines

    lines = [line for comment in comments for line in comment_lines(comment)]
    return "\n" + "".join(f"{line}\n" for line in lines) if lines else ""


def added(statement: ast.Statement) -> tuple[Any, list[Any]] | None:
    """Return the model and what is added for `model:add(a):add(b)` as a statement."""
    if not isinstance(statement, ast.CallStatement):
        return None
    base, calls = chain_of(statement.call)
    if not calls or not all(method_call(c, "add") and len(c.arguments) == 1 for c in calls):
        return None
    return base, [c.arguments[0] for c in calls]


def literal_place(node: Any) -> int | None:
    """Return a place that is written out."""
    value = number(node)
    return int(value) if value is not None else None
