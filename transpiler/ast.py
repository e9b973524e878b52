"""The syntax of Lua 5.1 and LuaJIT as typed nodes, with their comments and places.

Expressions and statements are plain records; `parse` makes them. A name's `variable` is filled
in by `scope`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .scope import Variable


@dataclass(slots=True)
class Comment:
    """A comment without its dashes and brackets.

    Attributes
    ----------
    text : str
        May hold several lines, if the comment was a block.
    line : int
    block : bool
    """

    text: str
    line: int
    block: bool = False


@dataclass(slots=True)
class Node:
    """Anything with a place: line and column count from 1."""

    line: int
    column: int


# -- expressions ------------------------------------------------------------------------


@dataclass(slots=True)
class Nil(Node):
    """`nil`."""


@dataclass(slots=True)
class Boolean(Node):
    """`true` or `false`."""

    value: bool


@dataclass(slots=True)
class Number(Node):
    """A number; `text` is how it was written."""

    value: int | float
    text: str


@dataclass(slots=True)
class String(Node):
    """A string, one character for each byte."""

    value: str


@dataclass(slots=True)
class Vararg(Node):
    """`...`."""


@dataclass(slots=True)
class Name(Node):
    """A local or global variable; `variable` is None for a global."""

    name: str
    variable: Variable | None = None


@dataclass(slots=True)
class Index(Node):
    """`table[key]` or `table.key`."""

    table: Expression
    key: Expression


@dataclass(slots=True)
class Call(Node):
    """`function(arguments)`."""

    function: Expression
    arguments: list[Expression]


@dataclass(slots=True)
class MethodCall(Node):
    """`object:method(arguments)`."""

    object: Expression
    method: str
    arguments: list[Expression]


@dataclass(slots=True)
class Binary(Node):
    """`left operator right`, `and` and `or` among them."""

    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True)
class Unary(Node):
    """`-`, `not` or `#` before an operand."""

    operator: str
    operand: Expression


@dataclass(slots=True)
class Paren(Node):
    """`(expression)`, which keeps one of several results."""

    inner: Expression


@dataclass(slots=True)
class Field(Node):
    """One entry of a table constructor; `key` is None for an element by position."""

    key: Expression | None
    value: Expression
    before: list[Comment] = field(default_factory=list)
    after: Comment | None = None


@dataclass(slots=True)
class TableConstructor(Node):
    """`{...}`; `trailing` are comments before the closing brace."""

    fields: list[Field]
    trailing: list[Comment] = field(default_factory=list)
    lines: int = 1


@dataclass(slots=True)
class Function(Node):
    """A function's parameters and body."""

    parameters: list[Name]
    vararg: bool
    body: Block


Expression = (
    Nil
    | Boolean
    | Number
    | String
    | Vararg
    | Name
    | Index
    | Call
    | MethodCall
    | Binary
    | Unary
    | Paren
    | TableConstructor
    | Function
)


# -- statements ---------------------------------------------------------------------------


@dataclass(slots=True)
class Statement(Node):
    """A statement, the comments before it and the one after it on its last line.

    Attributes
    ----------
    before : list of Comment
    blank_before : bool
        Whether an empty line stands before the statement and its comments.
    after : Comment or None
    """

    before: list[Comment] = field(default_factory=list, kw_only=True)
    blank_before: bool = field(default=False, kw_only=True)
    after: Comment | None = field(default=None, kw_only=True)


@dataclass(slots=True)
class Block:
    """Statements of a scope; `trailing` are comments after the last."""

    statements: list[Statement]
    trailing: list[Comment] = field(default_factory=list)


@dataclass(slots=True)
class Local(Statement):
    """`local names = values`."""

    names: list[Name]
    values: list[Expression]


@dataclass(slots=True)
class Assign(Statement):
    """`targets = values`."""

    targets: list[Name | Index]
    values: list[Expression]


@dataclass(slots=True)
class CallStatement(Statement):
    """A call for its effect."""

    call: Call | MethodCall


@dataclass(slots=True)
class Do(Statement):
    """`do body end`."""

    body: Block


@dataclass(slots=True)
class While(Statement):
    """`while condition do body end`."""

    condition: Expression
    body: Block


@dataclass(slots=True)
class Repeat(Statement):
    """`repeat body until condition`; the condition sees the body's locals."""

    body: Block
    condition: Expression


@dataclass(slots=True)
class If(Statement):
    """`if`, any number of `elseif`, and `else`."""

    branches: list[tuple[Expression, Block]]
    otherwise: Block | None


@dataclass(slots=True)
class NumericFor(Statement):
    """`for name = start, stop, step do body end`."""

    name: Name
    start: Expression
    stop: Expression
    step: Expression | None
    body: Block


@dataclass(slots=True)
class GenericFor(Statement):
    """`for names in values do body end`."""

    names: list[Name]
    values: list[Expression]
    body: Block


@dataclass(slots=True)
class FunctionStatement(Statement):
    """`function a.b.c(...)`, or `function a.b:c(...)` if `method`."""

    target: Name | Index
    method: bool
    function: Function


@dataclass(slots=True)
class LocalFunction(Statement):
    """`local function name(...)`."""

    name: Name
    function: Function


@dataclass(slots=True)
class Return(Statement):
    """`return values`."""

    values: list[Expression]


@dataclass(slots=True)
class Break(Statement):
    """`break`."""


@dataclass(slots=True)
class Goto(Statement):
    """`goto label`."""

    label: str


@dataclass(slots=True)
class Label(Statement):
    """`::label::`."""

    label: str
