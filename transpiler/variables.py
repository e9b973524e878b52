"""The variables of a file, and the functions that have them, as `scope.resolve` finds them."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import ast


@dataclass(eq=False, slots=True, repr=False)
class Scope:
    """A function's body, or the file itself.

    Attributes
    ----------
    parent : Scope or None
    variables : list of Variable
        The locals declared in it, blocks included, in order.
    globals_written : dict
        Names of globals that are assigned in it, and where first.
    captures : dict
        Variables of functions around it that it, or a function inside it, uses.
    outer_writes : dict
        Those that it assigns itself.
    """

    parent: Scope | None
    function: ast.Function | None
    variables: list[Variable] = field(default_factory=list)
    globals_read: set[str] = field(default_factory=set)
    globals_written: dict[str, int] = field(default_factory=dict)
    uses_vararg: bool = False
    captures: dict[Variable, None] = field(default_factory=dict)
    outer_writes: dict[Variable, None] = field(default_factory=dict)


@dataclass(eq=False, slots=True, repr=False)
class Variable:
    """A local variable.

    Attributes
    ----------
    name : str
        As in Lua.
    scope : Scope
        The function that declares it.
    kind : str
        "local", "parameter", "for", "function", or "self".
    writes : int
        How often it is assigned after its declaration.
    reads : int
    captured : bool
        A function inside reads or writes it.
    written_inside : bool
        A function inside writes it.
    in_loop : bool
        It is declared inside a loop of its function.
    values : list of Expression
        What is assigned to it, where each value stands for itself; `unknown` otherwise.
    unknown : bool
        Something is assigned that is no single expression: a loop's value, one of `...`.
    names : list of Name
        Where it is read or assigned.
    several : list of (Expression, int)
        Calls of which it gets one result, and which one, from 0.
    given_false : bool
        It is a parameter, and a call of the file gives `false` for it.
    declared, last_use : int
        Places in the order of the text; in a loop a variable from outside is used to its end.
    """

    name: str
    scope: Scope
    kind: str
    line: int
    depth: int = 0
    in_loop: bool = False
    writes: int = 0
    reads: int = 0
    captured: bool = False
    written_inside: bool = False
    values: list[ast.Expression] = field(default_factory=list)
    unknown: bool = False
    several: list[tuple[ast.Expression, int]] = field(default_factory=list)
    names: list[ast.Name] = field(default_factory=list)
    given_false: bool = False
    declared: int = 0
    last_use: int = 0

    @property
    def needs_cell(self) -> bool:
        """Whether every turn of a loop needs a variable of its own."""
        return self.in_loop and self.captured


@dataclass(eq=False, slots=True, repr=False)
class FileScope:
    """What is known of a file after `resolve`."""

    top: Scope
    scopes: dict[int, Scope]
    """By the id of the `ast.Function`."""
    calls: list[ast.Call | ast.MethodCall]
    """All calls, in the order of the text."""
    loops: list[ast.NumericFor | ast.GenericFor]
    global_writes: dict[str, int]
    """How often each global is assigned."""
    field_writes: list[tuple[ast.Index, ast.Expression | None]]
    """What is assigned to fields and elements."""
    global_values: dict[str, list[ast.Expression | None]]
    """What is assigned to each global; None where that is no single expression."""
    first_reads: dict[str, int]
    """The line where the file itself, outside of functions, first reads each global."""
    tested_fields: set[str]
    """Names of fields that are looked at for being nil or false."""
    field_reads: dict[str, int]
    """How often fields of each name are read, called or not."""
    global_reads: dict[str, int]
    made_fields: set[str]
    """Names of fields that tables are made with."""
    tables: list[ast.TableConstructor]
    statements: list[ast.CallStatement | ast.Return]
    """Those that are calls, or return something."""
    methods: set[int]
    """The ids of functions that are written as methods."""
