"""Definitions of models: chains of `add` become one constructor call of core.nn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import MODULE, TENSOR
from .branches import REDUCERS, dimension, reducer_takes
from .chains import chain_of
from .classes import CONTAINERS, class_of
from .constructors import Arguments, Layer, Unclear
from .criterions import loss_code
from .layers import LAYERS, TENSOR_CLASSES
from .nodes import NN, Part, Template, at
from .walk import plain

if TYPE_CHECKING:
    from .rewrite import Rewriter

_OF_LAYERS = ("noBias", "ceil", "floor", "setNumInputDims")

Child = tuple[Any, ast.Statement | None]
"""What is added, and the statement that adds it if there is one of its own."""


@dataclass(slots=True)
class Item:
    """What is added, in terms of core.

    Attributes
    ----------
    parts : list of Part
    has_parameters : bool
        It has parameters of core's default type.
    statement : Statement or None
        The statement that adds it.
    """

    parts: list[Part]
    has_parameters: bool = False
    statement: ast.Statement | None = None


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
        if class_of(base) in CONTAINERS and class_of(base) is not None:
            return self._container(node, base, calls, key)
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
        if layer.has_parameters and self.double:
            layer.code.parts.append(".double()")
        layer.code.kind = MODULE
        return layer.code

    def _method(self, node: ast.MethodCall, key: Any) -> Any:
        base, calls = chain_of(node)
        if class_of(base) in LAYERS:
            methods = [c for c in calls if c.method in _OF_LAYERS]
            layer = self._layer(node if len(methods) == len(calls) else base, None)
            if layer is not None and len(methods) == len(calls):
                return self._typed(layer)
            reason = f"nn.{class_of(base)} with :{node.method} has no counterpart here"
            self.r.refuse_all(node, reason)
            return node
        owner = self.expression(node.object)
        match node.method, node.arguments:
            case "add", [child]:
                return self.appended(node, owner, [(child, None)], self.r.facts.key(base))
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

    def _container(self, node: Any, base: Any, calls: list[ast.MethodCall], key: Any) -> Any:
        """Return a definition with all its `:add(...)` in one expression."""
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
        found = self.container(base, children, key)
        found.parts += [suffix] if suffix else []
        return found

    def container(self, node: Any, children: list[Child], key: Any) -> Template:
        """Return `nn.Sequential(...)` of the children that are added one after the other."""
        kind = class_of(node)
        if key is not None:
            self.r.facts.layers[key] = [self._structure(child) for child, _ in children]
        if kind == "ConcatTable":
            return self._list(node, children, key)
        head, tail = "nn.Sequential(", ")"
        if kind == "Concat":
            place = dimension(node)
            if place is None:
                self.r.refuse_all(node, "the dimension of nn.Concat is computed")
            head, tail = "Concatenation(", f", dim={place})" if children else f"dim={place})"
            self.r.classes.add("Concatenation")
        items, rank = self.items(children, None, key, is_chain=kind == "Sequential", first=True)
        doubled = any(item.has_parameters for item in items)
        if key is not None:
            self.ranks[key] = rank
            if key not in self.indexed:  # words are looked up by Torch's layer, inside
                known = self.r.facts.layers[key]
                self.r.facts.layers[key] = [None if k == "LookupTable" else k for k in known]
        long = len(items) > 3 or any(item.statement is not None for item in items)
        long = long and kind == "Sequential"
        parts = [head, *_listed(items, long), tail]
        parts += [".double()"] if doubled and self.double else []
        return Template(node.line, node.column, parts, MODULE, (NN,))

    def _list(self, node: ast.Node, children: list[Child], key: Any) -> Template:
        """Return the branches of a ConcatTable as a list, which a Sum or so will take."""
        items, rank = self.items(children, None, key, is_chain=False, first=False)
        for item in items:
            item.parts += [".double()"] if item.has_parameters and self.double else []
        if key is not None:
            self.ranks[key] = rank
        return Template(node.line, node.column, ["[", *_listed(items, False), "]"])

    def items(
        self, children: list[Child], rank: str | None, key: Any, *, is_chain: bool, first: bool
    ) -> tuple[list[Item], str | None]:
        """Return children in terms of core, and what comes out of the last.

        `is_chain` says that each takes what the one before gives; otherwise all take the same.
        """
        found: list[Item] = []
        ranks: list[str | None] = []
        position = 0
        start = rank
        while position < len(children):
            node, statement = children[position]
            reducer = children[position + 1][0] if position + 1 < len(children) else None
            if self.kind_of(node) == "ConcatTable":
                item, rank = self._reduced(node, reducer if is_chain else None, start, key)
                position += 1
            else:
                begins = first and is_chain and position == 0
                item, rank = self._child(node, rank if is_chain else start, begins, key)
            item.statement = statement
            found.append(item)
            ranks.append(rank)
            start = rank if is_chain else start
            position += 1
        if not is_chain and ranks:
            rank = ranks[0] if len(set(ranks)) == 1 else None
        return found, rank

    def kind_of(self, node: Any) -> str | None:
        """Return the class that an expression, or what its variable holds, starts from."""
        base, _ = chain_of(node)
        if isinstance(base, ast.Name):
            key = self.r.facts.key(base)
            if key is None or self.r.facts.roles.get(key) != "model":
                return None
            kinds = self.r.facts.classes_of(base)
            return kinds.pop() if len(kinds) == 1 else None
        return class_of(base)

    def _reduced(
        self, node: Any, reducer: Any, rank: str | None, key: Any
    ) -> tuple[Item, str | None]:
        """Return the module that a ConcatTable and the reducer behind it become."""
        kind = REDUCERS.get(class_of(plain(reducer)) or "")
        nothing = Item([node])
        place = dimension(plain(reducer)) if kind == "Concatenation" else 0
        if kind is None or place is None or (place == 0 and not reducer_takes(plain(reducer))):
            self.r.refuse_keys(node, [key], "nothing that core has puts branches together here")
            return nothing, None
        base, calls = chain_of(node)
        tail: list[Part] = [f", dim={place})"] if kind == "Concatenation" else [")"]
        self.r.classes.add(kind)
        if isinstance(base, ast.Name):
            self.r.join(key, self.r.facts.key(base))
            return Item([f"{kind}(*", base, *tail]), self.ranks.get(self.r.facts.key(base))
        if not all(c.method == "add" and len(c.arguments) == 1 for c in calls):
            self.r.refuse_keys(node, [key], "branches are not only added")
            return nothing, None
        children: list[Child] = [(c.arguments[0], None) for c in calls]
        items, after = self.items(children, rank, key, is_chain=False, first=False)
        lacking = any(item.has_parameters for item in items)
        return Item([f"{kind}(", *_listed(items, False), *tail], lacking), after

    def _structure(self, node: Any) -> Any:
        """Return what a child is: a list of its own, a variable, or a class."""
        base, calls = chain_of(node)
        if class_of(base) == "Sequential" and all(c.method == "add" for c in calls):
            return [self._structure(a) for c in calls for a in c.arguments]
        return self.r.facts.key(base) if isinstance(base, ast.Name) else class_of(base)

    def appended(self, node: ast.Node, owner: Any, children: list[Child], key: Any) -> Template:
        """Return `owner.append(...)` for what is added to a model after its definition."""
        kind = self.kind_of(owner)
        is_chain = kind not in ("ConcatTable", "Concat")
        items, rank = self.items(children, self.ranks.get(key), key, is_chain=is_chain, first=False)
        self.ranks[key] = rank
        parts: list[Part] = [owner, ".branches" if kind == "Concat" else ""]
        for item in items:
            double = ".double()" if item.has_parameters and self.double else ""
            parts += [".append(", *item.parts, double, ")"]
        return Template(node.line, node.column, parts, MODULE)

    def _child(self, node: Any, rank: str | None, first: bool, key: Any) -> tuple[Item, str | None]:
        """Return a child, and what comes out of it."""
        node = plain(node)
        base, calls = chain_of(node)
        name = class_of(base)
        looks_up = name == "LookupTable" and first and key is not None
        if looks_up and len(base.arguments) == 2 and self.r.facts.is_alone(key):
            self.indexed.add(key)
        if name in ("Sequential", "Concat") and all(c.method == "add" for c in calls):
            return self._nested(base, [(c.arguments[0], None) for c in calls], rank)
        if name is not None and all(c.method in _OF_LAYERS for c in calls):
            layer = None
            if name != "LookupTable" or (first and key in self.indexed):
                layer = self._layer(node, rank)
            if layer is not None:
                return Item([layer.code], layer.has_parameters), layer.rank
        if self._is_legacy(node):
            what = f"nn.{name or self._legacy_class(node)}"
            self.r.note(node, what, "core.nn has no such layer; it runs inside as it is")
            return Item([self.r.expression(node)]), None
        if self.r.facts.is_model(node):
            inner_key = self.r.facts.key(node)
            if inner_key in self.indexed:
                self.r.refuse_all(node, "it looks up words inside of another model")
            for other in self.r.facts.keys_in(node):
                self.r.join(key, other)
            return Item([self.expression(node)]), self.ranks.get(inner_key)
        what = f"nn.{name}" if name else "what is added here"
        keys = [key] if key is not None else [*self.r.targets[-1:], *self.r.functions[-1:]]
        self.r.refuse_keys(node, keys, f"{what} is nothing that core.nn has")
        return Item([node]), None

    def _is_legacy(self, node: Any) -> bool:
        return self._legacy_class(node) in TENSOR_CLASSES

    def _legacy_class(self, node: Any) -> str | None:
        """Return the class of a module of Torch's that core runs as it is, in a Sequential."""
        base, calls = chain_of(node)
        key = self.r.facts.key(base)
        if key is not None and not calls and self.r.facts.roles.get(key) is None:
            values = self.r.facts.values(key) or []
            base = chain_of(values[0])[0] if len(values) == 1 else None
        name = class_of(base)
        return None if name is None else name.removeprefix("cudnn.")

    def _nested(
        self, base: Any, children: list[Child], rank: str | None
    ) -> tuple[Item, str | None]:
        is_chain = class_of(base) == "Sequential"
        items, after = self.items(children, rank, None, is_chain=is_chain, first=False)
        head, tail = "nn.Sequential(", ")"
        if not is_chain:
            place = dimension(base)
            if place is None:
                self.r.refuse_all(base, "the dimension of nn.Concat is computed")
            self.r.classes.add("Concatenation")
            head, tail = "Concatenation(", f", dim={place})" if children else f"dim={place})"
        code = Template(base.line, base.column, [head, *_listed(items, False), tail], MODULE, (NN,))
        return Item([code], any(item.has_parameters for item in items)), after

    def _layer(self, node: Any, rank: str | None) -> Layer | None:
        base, calls = chain_of(node)
        name = class_of(base)
        if name not in LAYERS:
            return None
        methods = {c.method: c.arguments for c in calls}
        base.arguments = [self.r.expression(a) for a in base.arguments]
        try:
            layer = LAYERS[str(name)](Arguments(base, base.arguments, rank, methods))
        except Unclear:
            return None
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


def _listed(items: list[Item], long: bool) -> list[Part]:
    """Return items between commas, with the comments of the statements that add them."""
    parts: list[Part] = []
    for position, item in enumerate(items):
        statement = item.statement
        if statement is not None and (statement.before or statement.after):
            parts += [_comments(statement.before), *item.parts, ","]
            after = [statement.after] if statement.after else []
            parts.append("  " + _comments(after).lstrip() if after else "\n")
            continue
        parts += [*item.parts, ", " if long or position < len(items) - 1 else ""]
    return parts


def _comments(comments: list[ast.Comment]) -> str:
    from ..lower.comments import comment_lines

    lines = [line for comment in comments for line in comment_lines(comment)]
    return "\n" + "".join(f"{line}\n" for line in lines) if lines else ""
