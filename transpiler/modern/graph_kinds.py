"""Which variables of a file hold nodes of nngraph, or tables of them, and which functions do."""

from __future__ import annotations

from typing import Any

from .. import ast
from ..scope import FileScope, Variable
from ..syntax import dotted, returns
from ..walk import method_call, package_member, plain, walk
from .chains import chain_of
from .classes import class_of

NODE, TABLE, LAYER = "node", "table", "layer"


class Kinds:
    """What the variables of a file have to do with graphs.

    Parameters
    ----------
    block : ast.Block
    scopes : FileScope

    Attributes
    ----------
    nodes, tables : set of Variable
    functions : dict of int to int
        By the id of a function that gives nodes, how many.
    """

    def __init__(self, block: ast.Block, scopes: FileScope) -> None:
        self.block = block
        self.scopes = scopes
        self.nodes: set[Variable] = set()
        self.tables: set[Variable] = set()
        self.functions: dict[int, int] = {}
        self._open: set[Variable] = set()
        self._all = list(walk(block))
        size = -1
        while size != (size := len(self.nodes) + len(self.tables) + len(self.functions)):
            for node in self._all:
                self._visit(node)

    def function_of(self, callee: Any) -> ast.Function | None:
        """Return the function of the file that a name or an expression is."""
        callee = plain(callee)
        if isinstance(callee, ast.Function):
            return callee
        if not isinstance(callee, ast.Name):
            return None
        variable = callee.variable
        if variable is None:
            values = self.scopes.global_values.get(callee.name, [])
        else:
            values = [] if variable.unknown or variable.several else list(variable.values)
        found = [v for v in map(plain, values) if not isinstance(v, ast.Nil)]
        only = found[0] if len(found) == 1 else None
        return only if isinstance(only, ast.Function) else None

    def kind(self, node: Any) -> str | None:
        """Return what an expression gives, or the first of its results."""
        node = plain(node)
        match node:
            case ast.Name(variable=variable) if variable is not None:
                if variable in self.nodes:
                    return NODE
                return TABLE if variable in self.tables else self._layer_in(variable)
            case ast.Index():
                return NODE if self.kind(node.table) == TABLE else None
            case ast.MethodCall(method="annotate" | "split"):
                return NODE if self.kind(node.object) == NODE else None
            case ast.MethodCall():
                base, _ = chain_of(node)
                return LAYER if class_of(base) is not None else None
            case ast.TableConstructor(fields=fields):
                return TABLE if any(self.kind(f.value) == NODE for f in fields) else None
            case ast.Unary(operator="-"):
                return NODE if self.kind(node.operand) in (LAYER, NODE) else None
            case ast.Binary(operator="-"):
                return NODE if self.kind(node.left) in (NODE, TABLE) else None
            case ast.Call():
                return self._call(node)
        return None

    def _layer_in(self, variable: Variable) -> str | None:
        """Return LAYER for a variable that layers alone are made for."""
        if variable in self._open:
            return None
        self._open.add(variable)
        values = [plain(v) for v in variable.values]
        made = [v for v in values if isinstance(v, CALLS)]
        found = LAYER if made and all(self.kind(v) == LAYER for v in made) else None
        self._open.discard(variable)
        return found

    def _call(self, node: ast.Call) -> str | None:
        if package_member(node.function, "nn") == "gModule":
            return None
        function = self.function_of(node.function)
        if function is not None:
            return NODE if id(function) in self.functions else None
        callee = plain(node.function)
        if self.kind(callee) == LAYER:
            return NODE
        if class_of(node) is not None:
            return LAYER
        if isinstance(callee, ast.Call) and len(node.arguments) == 1:
            return NODE if self.kind(node.arguments[0]) in (NODE, TABLE) else None
        return None

    def _visit(self, node: Any) -> None:
        match node:
            case ast.Local() | ast.Assign():
                targets = node.names if isinstance(node, ast.Local) else node.targets
                for target, value in self.pairs(list(targets), node.values):
                    self._give(target, self.kind(value))
            case ast.CallStatement(call=ast.Call() as call) if inserts(call):
                if self.kind(call.arguments[1]) == NODE:
                    self._give(call.arguments[0], TABLE)
            case ast.Function():
                for found in returns(node.body):
                    if any(self.kind(v) == NODE for v in found.values):
                        self.functions[id(node)] = len(found.values)
            case ast.Call():
                function = self.function_of(node.function)
                for name, value in zip(
                    function.parameters if function else (), node.arguments, strict=False
                ):
                    self._give(name, self.kind(value))

    def pairs(self, targets: list[Any], values: list[Any]) -> list[tuple[Any, Any]]:
        """Return targets with what they are given; one call may give several."""
        if len(values) == 1 and len(targets) > 1 and isinstance(plain(values[0]), CALLS):
            return [(t, values[0]) for t in targets]
        return list(zip(targets, values, strict=False))

    def _give(self, target: Any, kind: str | None) -> None:
        if isinstance(target, ast.Index) and kind == NODE:
            target, kind = target.table, TABLE
        variable = target.variable if isinstance(target, ast.Name) else None
        if variable is None or kind not in (NODE, TABLE):
            return
        (self.nodes if kind == NODE else self.tables).add(variable)


CALLS = (ast.Call, ast.MethodCall)


def inserts(call: Any) -> bool:
    """Whether a call is `table.insert(t, value)`."""
    return (
        isinstance(call, ast.Call)
        and dotted(call.function) == "table.insert"
        and len(call.arguments) == 2
    )


def graph_call(node: Any) -> bool:
    """Whether an expression is `nn.gModule(inputs, outputs)`, or that with its type changed."""
    base, calls = chain_of(node)
    return (
        isinstance(base, ast.Call)
        and package_member(base.function, "nn") == "gModule"
        and len(base.arguments) == 2
        and not any(not method_call(c, "cuda", "float", "double") for c in calls)
    )
