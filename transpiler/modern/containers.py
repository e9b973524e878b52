"""Definitions of containers: chains of `add` become one constructor call of core.nn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..kinds import MODULE
from ..walk import plain
from .branches import REDUCERS, dimension, reducer_takes
from .chains import chain_of
from .classes import OF_LAYERS, class_of
from .items import Child, Item, listed
from .layers import TENSOR_CLASSES
from .nodes import NN, Part, Template

if TYPE_CHECKING:
    from .models import Models
    from .rewrite import Rewriter

TABLE = "table"
"""What comes out may be a table, which is a tuple in core."""


class Containers:
    """Writes containers with what they hold.

    Parameters
    ----------
    rewriter : Rewriter
    models : Models
        Writes what is in them, and knows what comes out of each.
    """

    def __init__(self, rewriter: Rewriter, models: Models) -> None:
        self.r = rewriter
        self.models = models

    def definition(self, node: Any, base: Any, calls: list[ast.MethodCall], key: Any) -> Any:
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
        found = self.made(base, children, key)
        found.parts += [suffix] if suffix else []
        return found

    def made(self, node: Any, children: list[Child], key: Any) -> Template:
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
            self.models.ranks[key] = rank
            if key not in self.models.indexed:  # words are looked up by Torch's layer, inside
                known = self.r.facts.layers[key]
                self.r.facts.layers[key] = [None if k == "LookupTable" else k for k in known]
        said = [i.statement for i in items if i.statement is not None]
        long = len(items) > 3 or any(s.before or s.after for s in said)
        long = (long or len(said) > 2) and kind == "Sequential"
        if key is not None and items:
            self.r.containers.append((node, key))
        parts = [head, *listed(items, long), tail]
        parts += [self.models.suffix] if doubled else []
        return Template(node.line, node.column, parts, MODULE, self._imports(items) or (NN,))

    def _list(self, node: ast.Node, children: list[Child], key: Any) -> Template:
        """Return the branches of a ConcatTable as a list, which a Sum or so will take."""
        items, rank = self.items(children, None, key, is_chain=False, first=False)
        for item in items:
            item.parts += [self.models.suffix] if item.has_parameters else []
        if key is not None:
            self.models.ranks[key] = rank
        found: list[Part] = ["[", *listed(items, False), "]"]
        return Template(node.line, node.column, found, imports=self._imports(items))

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
                position += rank != TABLE
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
        base, calls = chain_of(node)
        if isinstance(base, ast.Name):
            key = self.r.facts.key(base)
            if key is None or self.r.facts.roles.get(key) != "model":
                return None
            kinds = self.r.facts.classes_of(base)
            return kinds.pop() if len(kinds) == 1 else None
        if self.r.facts.builder(base) is not None and not calls:
            kinds = self.r.facts.classes_of(base)
            return kinds.pop() if len(kinds) == 1 else None
        return class_of(base)

    def _reduced(
        self, node: Any, reducer: Any, rank: str | None, key: Any
    ) -> tuple[Item, str | None]:
        """Return the module that a ConcatTable and the reducer behind it become."""
        kind = REDUCERS.get(class_of(plain(reducer)) or "")
        nothing = Item([node])
        place = dimension(plain(reducer)) if kind == "Joined" else 0
        joined = kind is not None and place is not None
        joined = joined and (kind == "Joined" or reducer_takes(plain(reducer)))
        if not joined:
            kind, place = "Branches", 0
        base, calls = chain_of(node)
        tail: list[Part] = [f", dim={place})"] if kind == "Joined" else [")"]
        self.r.classes.add(str(kind))
        if isinstance(base, ast.Name):
            self.r.join(key, self.r.facts.key(base))
            self.r.held.add(self._owners(key), base)
            rank = self.models.ranks.get(self.r.facts.key(base))
            return Item([f"{kind}(*", base, *tail]), rank if joined else TABLE
        if class_of(base) is None:  # a function of the program that makes the branches
            for other in self.r.facts.keys_in(base):
                self.r.join(key, other)
            made = self.models.expression(base)
            return Item([f"{kind}(*", made, *tail]), None if joined else TABLE
        if not all(c.method == "add" and len(c.arguments) == 1 for c in calls):
            self.r.refuse_keys(node, [key], "branches are not only added")
            return nothing, None
        children: list[Child] = [(c.arguments[0], None) for c in calls]
        items, after = self.items(children, rank, key, is_chain=False, first=False)
        lacking = any(item.has_parameters for item in items)
        return Item([f"{kind}(", *listed(items, False), *tail], lacking), after if joined else TABLE

    def _structure(self, node: Any) -> Any:
        """Return what a child is: a list of its own, a variable, or a class."""
        base, calls = chain_of(node)
        if class_of(base) == "Sequential" and all(c.method == "add" for c in calls):
            return [self._structure(a) for c in calls for a in c.arguments]
        return self.r.facts.key(base) if isinstance(base, ast.Name) else class_of(base)

    def appended(self, node: ast.Node, owner: Any, children: list[Child], key: Any) -> Template:
        """Return `owner.append(...)` for what is added to a model after its definition."""
        kind = self.kind_of(owner)
        if key is not None:
            self.r.containers.append((node, key))
        is_chain = kind not in ("ConcatTable", "Concat")
        items, rank = self.items(
            children, self.models.ranks.get(key), key, is_chain=is_chain, first=False
        )
        self.models.ranks[key] = rank
        parts: list[Part] = [owner, ".branches" if kind == "Concat" else ""]
        if kind == "ConcatTable" and len(items) > 1:
            for item in items:
                item.parts += [self.models.suffix] if item.has_parameters else []
            parts = [owner, ".extend([", *listed(items, False), "])"]
            return Template(node.line, node.column, parts, imports=self._imports(items))
        for item in items:
            suffix = self.models.suffix if item.has_parameters else ""
            parts += [".append(", *item.parts, suffix, ")"]
        return Template(node.line, node.column, parts, MODULE, self._imports(items))

    def _imports(self, items: list[Item]) -> tuple[tuple[str, str], ...]:
        """Return what the suffixes of items need."""
        return self.models.imports if any(item.has_parameters for item in items) else ()

    def _child(self, node: Any, rank: str | None, first: bool, key: Any) -> tuple[Item, str | None]:
        """Return a child, and what comes out of it."""
        node = plain(node)
        base, calls = chain_of(node)
        name = class_of(base)
        looks_up = name == "LookupTable" and first and key is not None
        if looks_up and len(base.arguments) == 2 and self.r.facts.is_alone(key):
            self.models.indexed.add(key)
        if name in ("Sequential", "Concat") and all(c.method == "add" for c in calls):
            return self._nested(base, [(c.arguments[0], None) for c in calls], rank)
        flat = name == "SpatialConvolutionMM" and self.r.shows_weights(key)
        if name is not None and all(c.method in OF_LAYERS for c in calls) and not flat:
            layer = None
            if name != "LookupTable" or (first and key in self.models.indexed):
                layer = self.models.layer(node, rank)
            if layer is not None:
                if layer.has_parameters:
                    self._owned(key, self.r.native)
                if name != "Identity":
                    self._owned(key, self.r.layered)
                return Item([layer.code], layer.has_parameters), layer.rank
        if name is None and self.r.facts.is_model(node):
            inner_key = self.r.facts.key(node)
            if inner_key in self.models.indexed:
                self.r.refuse_all(node, "it looks up words inside of another model")
            for other in self.r.facts.keys_in(node):
                self.r.join(key, other)
            self.r.held.add(self._owners(key), node)
            return Item([self.models.expression(node)]), self.models.ranks.get(inner_key)
        if self.r.facts.role(node) is not None:
            keys = self._owners(key)
            self.r.refuse_keys(node, keys, "what is added here is no model")
        return self._foreign(node, key)

    def _foreign(self, node: Any, key: Any) -> tuple[Item, str | None]:
        """Return a module of Torch that core runs as it is, with what it holds of core."""
        name = self._legacy_class(node)
        if name is not None and name.endswith("Criterion"):
            owners = self._owners(key)
            self.r.refuse_keys(node, owners, "what is added here is no model")
        if name is not None:
            what = "core.nn has no such layer; it runs inside as it is"
            self.r.note(node, f"nn.{name}", what)
        handed = self.r.facts.handed
        if handed.is_unknown(node) and handed.closed[self.r.path]:
            self.r.handed_calls.add(id(node))
            owners = self._owners(key)
            self.r.join(*owners, *handed.builders.get(self.r.path, ()))
            return Item([self.r.expression(node)]), None
        if name not in TENSOR_CLASSES:
            self._owned(key, self.r.foreign)
        base, calls = chain_of(node)
        for call in (base, *calls):
            for argument in getattr(call, "arguments", ()):
                if self.r.facts.role(argument) == "model":
                    self.r.join(key, self.r.facts.key(argument))
                    self.r.planned_values[id(argument)] = plain(argument)
        return Item([self.r.expression(node)]), None if name in TENSOR_CLASSES else TABLE

    def _owned(self, key: Any, kind: set[Any]) -> None:
        """Say that a model has a layer of a kind."""
        kind |= {k for k in self._owners(key) if k is not None}

    def _owners(self, key: Any) -> list[Any]:
        """Return what a child belongs to: its model, or what is being defined."""
        return [key] if key is not None else [*self.r.targets[-1:], *self.r.functions[-1:]]

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
        code = Template(base.line, base.column, [head, *listed(items, False), tail], MODULE, (NN,))
        return Item([code], any(item.has_parameters for item in items)), after
