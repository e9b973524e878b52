"""What the uses of a variable say of it.

A variable whose methods are those of tensors wherever its block runs to its end is a tensor; one
that `ipairs` or `table.insert` is given is a table. A variable whose type the program asks for
may be several things, and tells nothing; nor does one that is assigned again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import ast, library
from .kinds import TABLE, TENSOR, Type
from .scope import FileScope, Variable
from .syntax import blocks_of, dotted
from .text import words

ASKING = frozenset(
    words(
        """
        type torch.type torch.typename torch.isTensor torch.isTypeOf torch.isStorage
        torch.getmetatable getmetatable setmetatable rawget rawset
        """
    )
)
"""Functions that programs call with what may be several things."""

OF_TABLES = frozenset(
    words(
        """
        ipairs table.insert table.concat table.remove table.sort table.getn table.maxn unpack
        """
    )
)
"""Functions whose first argument is a table."""

_OF_STORAGES = frozenset(words("fill copy resize size totable string"))


class Evidence:
    """The types that uses tell.

    Parameters
    ----------
    block : ast.Block
        A file.
    scopes : FileScope
    defined : mapping
        As `names_tensor` takes it.
    """

    def __init__(
        self,
        block: ast.Block,
        scopes: FileScope,
        defined: Mapping[str, int | None],
    ) -> None:
        self.types: dict[Variable, Type] = {}
        self._defined = defined
        self._owned: set[Variable] = set()
        self._asked: set[Variable] = set()
        for call in scopes.calls:
            if isinstance(call, ast.Call) and dotted(call.function) in ASKING:
                self._asked |= {
                    n.variable
                    for n in call.arguments
                    if isinstance(n, ast.Name) and n.variable is not None
                }
        self._block(block, [])
        for scope in scopes.scopes.values():
            if scope.function is not None:
                own = [v for v in scope.variables if v.kind in ("parameter", "self")]
                self._block(scope.function.body, own)

    def _block(self, block: ast.Block, own: Iterable[Variable]) -> None:
        outer, self._owned = self._owned, {v for v in own if self._tells(v)}
        self._statements(block)
        self._owned = outer

    def _tells(self, variable: Variable) -> bool:
        return not variable.writes and variable not in self._asked and variable.kind != "self"

    def _statements(self, block: ast.Block) -> None:
        for statement in block.statements:
            for node in _certain(statement):
                self._expression(node)
            if isinstance(statement, (ast.Do, ast.Repeat)):
                self._statements(statement.body)
                continue
            names: list[ast.Name] = []
            if isinstance(statement, ast.GenericFor):
                names = statement.names
            elif isinstance(statement, ast.Local):
                self._owned |= {
                    n.variable
                    for n in statement.names
                    if n.variable is not None and self._tells(n.variable)
                }
            for inner in blocks_of(statement):
                self._block(inner, [n.variable for n in names if n.variable is not None])

    def _expression(self, node: ast.Expression) -> None:
        match node:
            case ast.MethodCall(object=owner, method=name, arguments=arguments):
                telling = name not in _OF_STORAGES or (name == "size" and arguments)
                if telling and names_tensor(node, self._defined):
                    self._found(owner, TENSOR)
                self._expression(owner)
                self._each(arguments)
            case ast.Call(function=function, arguments=arguments):
                if arguments and dotted(function) in OF_TABLES:
                    self._found(arguments[0], TABLE)
                self._expression(function)
                self._each(arguments)
            case ast.Binary(operator="and" | "or", left=left):
                self._expression(left)
            case ast.Binary(left=left, right=right) | ast.Index(table=left, key=right):
                self._expression(left)
                self._expression(right)
            case ast.Unary(operand=inner) | ast.Paren(inner=inner):
                self._expression(inner)
            case ast.TableConstructor(fields=fields):
                self._each(entry.value for entry in fields)

    def _each(self, nodes: Iterable[ast.Expression]) -> None:
        for node in nodes:
            self._expression(node)

    def _found(self, node: ast.Expression, kind: Type) -> None:
        if isinstance(node, ast.Name) and node.variable in self._owned:
            assert node.variable is not None
            known = self.types.setdefault(node.variable, kind)
            if known.kind != kind.kind:
                self._owned.discard(node.variable)
                del self.types[node.variable]


def _certain(statement: ast.Statement) -> list[ast.Expression]:
    """Return the expressions of a statement that are evaluated whenever it is reached."""
    match statement:
        case ast.Local(values=values) | ast.Return(values=values):
            return values
        case ast.Assign(targets=targets, values=values):
            return [*targets, *values]
        case ast.CallStatement(call=call):
            return [call]
        case ast.If(branches=branches):
            return [branches[0][0]]
        case ast.While(condition=condition) | ast.Repeat(condition=condition):
            return [condition]
        case ast.NumericFor(start=start, stop=stop):
            return [start, stop]
        case ast.GenericFor(values=values):
            return values
    return []


def names_tensor(node: ast.MethodCall, defined: Mapping[str, int | None]) -> bool:
    """Whether a method's name alone means a tensor: the program defines no other that is meant.

    Parameters
    ----------
    node : ast.MethodCall
    defined : mapping
        Functions of the program by name, and how many arguments they take; None for any number.
    """
    name = node.method
    if name not in library.TENSOR_ONLY and not (name == "size" and node.arguments):
        return False
    most = defined.get(name, -1)
    return most is not None and len(node.arguments) > most
