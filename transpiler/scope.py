"""Which variable each name means: locals, upvalues and globals of a file.

`resolve` fills in `Name.variable` and tells of each local how it is used, which decides how it
is translated: a local that a closure writes needs `nonlocal`, one that closures made in a loop
keep needs a cell of its own for each turn.
"""

from __future__ import annotations

from . import ast
from .false_arguments import mark_false
from .syntax import jumps_to
from .variables import FileScope as FileScope
from .variables import Scope as Scope
from .variables import Variable as Variable


def resolve(block: ast.Block, resolver: _Resolver | None = None) -> FileScope:
    """Find the variable of every name in a file."""
    resolver = resolver or _Resolver()
    resolver.block(block)
    file = FileScope(
        resolver.top,
        resolver.scopes,
        resolver.calls,
        resolver.for_loops,
        resolver.global_writes,
        resolver.field_writes,
        resolver.global_values,
        resolver.first_reads,
        resolver.tested_fields,
        resolver.field_reads,
        resolver.global_reads,
        resolver.made_fields,
        resolver.tables,
        resolver.statements,
        resolver.methods,
    )
    mark_false(file)
    return file


class _Resolver:
    def __init__(self) -> None:
        self.top = Scope(None, None)
        self.scope = self.top
        self.scopes: dict[int, Scope] = {}
        self.visible: dict[str, list[Variable]] = {}
        self.blocks: list[list[Variable]] = []
        self.loops = 0
        self.tick = 0
        self.global_writes: dict[str, int] = {}
        self.field_writes: list[tuple[ast.Index, ast.Expression | None]] = []
        self.global_values: dict[str, list[ast.Expression | None]] = {}
        self.first_reads: dict[str, int] = {}
        self.tested_fields: set[str] = set()
        self.field_reads: dict[str, int] = {}
        self.global_reads: dict[str, int] = {}
        self.made_fields: set[str] = set()
        self.calls: list[ast.Call | ast.MethodCall] = []
        self.tables: list[ast.TableConstructor] = []
        self.statements: list[ast.CallStatement | ast.Return] = []
        self.methods: set[int] = set()
        self.for_loops: list[ast.NumericFor | ast.GenericFor] = []
        self.loop_uses: list[tuple[int, set[Variable]]] = []

    # -- declarations ---------------------------------------------------------------------

    def declare(self, name: ast.Name, kind: str) -> Variable:
        variable = Variable(
            name.name, self.scope, kind, name.line, len(self.blocks), bool(self.loops)
        )
        name.variable = variable
        self.tick += 1
        variable.declared = variable.last_use = self.tick
        self.scope.variables.append(variable)
        self.visible.setdefault(name.name, []).append(variable)
        self.blocks[-1].append(variable)
        return variable

    def enter(self) -> None:
        self.blocks.append([])

    def leave(self) -> None:
        for variable in self.blocks.pop():
            self.visible[variable.name].pop()

    def find(self, name: ast.Name) -> Variable | None:
        stack = self.visible.get(name.name)
        variable = name.variable = stack[-1] if stack else None
        if variable is not None:
            self.tick += 1
            variable.last_use = self.tick
            variable.names.append(name)
            for _, used in self.loop_uses:
                used.add(variable)
            scope = self.scope
            while scope is not variable.scope:
                scope.captures[variable] = None
                assert scope.parent is not None
                scope = scope.parent
        return variable

    def enter_loop(self) -> None:
        self.loops += 1
        self.loop_uses.append((self.tick, set()))

    def leave_loop(self) -> None:
        self.loops -= 1
        start, used = self.loop_uses.pop()
        for variable in used:
            if variable.declared <= start:
                variable.last_use = self.tick

    # -- blocks and statements --------------------------------------------------------------

    def block(self, block: ast.Block) -> None:
        self.enter()
        self.body(block)
        self.leave()

    def body(self, block: ast.Block) -> None:
        """Visit statements; those behind a label that a goto jumps back to are a loop."""
        repeated = 0
        for i, statement in enumerate(block.statements):
            self.statement(statement)
            if isinstance(statement, ast.Label) and jumps_to(
                block.statements[i + 1 :], statement.label
            ):
                self.enter_loop()
                repeated += 1
        for _ in range(repeated):
            self.leave_loop()

    def statement(self, statement: ast.Statement) -> None:
        match statement:
            case ast.Local(names=names, values=values):
                self.each(values)
                paired = _pair(len(names), values)
                for i, (name, value) in enumerate(zip(names, paired, strict=True)):
                    variable = self.declare(name, "local")
                    _assigned(variable, value, values, i)
            case ast.Assign(targets=targets, values=values):
                self.each(values)
                paired = _pair(len(targets), values)
                for i, (target, value) in enumerate(zip(targets, paired, strict=True)):
                    self.write(target, value, values, i)
            case ast.CallStatement(call=call):
                self.statements.append(statement)
                self.expression(call)
            case ast.Do(body=body):
                self.block(body)
            case ast.While(condition=condition, body=body):
                self.enter_loop()
                self.expression(condition)
                self.block(body)
                self.leave_loop()
            case ast.Repeat(body=body, condition=condition):
                self.enter_loop()
                self.enter()
                self.body(body)
                self.expression(condition)
                self.leave()
                self.leave_loop()
            case ast.If(branches=branches, otherwise=otherwise):
                for test, body in branches:
                    self.tested(test)
                    self.expression(test)
                    self.block(body)
                if otherwise is not None:
                    self.block(otherwise)
            case ast.NumericFor(name=name, start=start, stop=stop, step=step, body=body):
                self.for_loops.append(statement)
                self.each([start, stop, *([step] if step else [])])
                self.counted([name], body)
            case ast.GenericFor(names=names, values=values, body=body):
                self.for_loops.append(statement)
                self.each(values)
                self.counted(names, body)
            case ast.FunctionStatement(target=target, method=method, function=function):
                if method:
                    self.methods.add(id(function))
                self.write(target, function, [function])
                self.function(function, method)
            case ast.LocalFunction(name=name, function=function):
                variable = self.declare(name, "function")
                variable.values.append(function)
                self.function(function)
            case ast.Return(values=values):
                self.statements.append(statement)
                self.each(values)

    def counted(self, names: list[ast.Name], body: ast.Block) -> None:
        self.enter_loop()
        self.enter()
        for name in names:
            self.declare(name, "for").unknown = True
        self.block(body)
        self.leave()
        self.leave_loop()

    def write(
        self,
        target: ast.Name | ast.Index,
        value: ast.Expression | None,
        values: list[ast.Expression],
        position: int = 0,
    ) -> None:
        if isinstance(target, ast.Index):
            self.field_writes.append((target, value))
            self.expression(target.table)
            self.expression(target.key)
            return
        variable = self.find(target)
        if variable is None:
            self.scope.globals_written.setdefault(target.name, target.line)
            self.global_writes[target.name] = self.global_writes.get(target.name, 0) + 1
            self.global_values.setdefault(target.name, []).append(value)
            return
        variable.writes += 1
        _assigned(variable, value, values, position)
        if variable.scope is not self.scope:
            variable.captured = variable.written_inside = True
            self.scope.outer_writes[variable] = None

    # -- expressions --------------------------------------------------------------------------

    def each(self, values: list[ast.Expression]) -> None:
        for value in values:
            self.expression(value)

    def expression(self, node: ast.Expression) -> None:
        match node:
            case ast.Name():
                variable = self.find(node)
                if variable is None:
                    self.scope.globals_read.add(node.name)
                    self.global_reads[node.name] = self.global_reads.get(node.name, 0) + 1
                    if self.scope is self.top:
                        self.first_reads.setdefault(node.name, node.line)
                else:
                    variable.reads += 1
                    variable.captured = variable.captured or variable.scope is not self.scope
            case ast.Vararg():
                self.scope.uses_vararg = True
            case ast.Index(table=table, key=key):
                if isinstance(key, ast.String):
                    self.field_reads[key.value] = self.field_reads.get(key.value, 0) + 1
                self.expression(table)
                self.expression(key)
            case ast.Call(function=function, arguments=arguments):
                self.calls.append(node)
                self.expression(function)
                self.each(arguments)
            case ast.MethodCall(object=owner, method=name, arguments=arguments):
                self.calls.append(node)
                self.field_reads[name] = self.field_reads.get(name, 0) + 1
                self.expression(owner)
                self.each(arguments)
            case ast.Binary():
                self.binary(node)
            case ast.Unary(operator=operator, operand=operand):
                if operator == "not":
                    self.tested(operand)
                self.expression(operand)
            case ast.Paren(inner=inner):
                self.expression(inner)
            case ast.TableConstructor(fields=fields):
                self.tables.append(node)
                for entry in fields:
                    if isinstance(entry.key, ast.String):
                        self.made_fields.add(entry.key.value)
                    elif entry.key is not None:
                        self.expression(entry.key)
                    self.expression(entry.value)
            case ast.Function():
                self.function(node)

    def binary(self, node: ast.Binary) -> None:
        """Walk a chain of operators, which may be long, without recursion on the left."""
        chain = [node]
        while isinstance(chain[-1].left, ast.Binary):
            chain.append(chain[-1].left)
        self.expression(chain[-1].left)
        for part in reversed(chain):
            if part.operator in ("and", "or") or isinstance(part.right, ast.Nil):
                self.tested(part.left)
                self.tested(part.right)
            self.expression(part.right)

    def tested(self, node: ast.Expression) -> None:
        """Note that a value is looked at for being nil or false."""
        while isinstance(node, ast.Paren):
            node = node.inner
        if isinstance(node, ast.Index) and isinstance(node.key, ast.String):
            self.tested_fields.add(node.key.value)

    def function(self, function: ast.Function, method: bool = False) -> None:
        outer, loops = self.scope, self.loops
        self.scope = Scope(outer, function)
        self.scopes[id(function)] = self.scope
        self.loops = 0
        self.enter()
        if method:
            this = ast.Name(function.line, function.column, "self")
            self.declare(this, "self").unknown = True
        for name in function.parameters:
            self.declare(name, "parameter").unknown = True
        self.block(function.body)
        self.leave()
        self.scope, self.loops = outer, loops


def _pair(count: int, values: list[ast.Expression]) -> list[ast.Expression | None]:
    """Return the value of each of `count` targets; None where a call may give several."""
    multiple = bool(values) and isinstance(values[-1], (ast.Call, ast.MethodCall, ast.Vararg))
    paired: list[ast.Expression | None] = list(values[:count])
    if multiple and len(values) < count:
        paired[-1] = None
    return paired + [None] * (count - len(paired))


_CALLS = (ast.Call, ast.MethodCall)


def _assigned(
    variable: Variable,
    value: ast.Expression | None,
    values: list[ast.Expression],
    position: int,
) -> None:
    if value is not None:
        variable.values.append(value)
    elif values and position >= len(values) - 1 and isinstance(values[-1], _CALLS):
        variable.several.append((values[-1], position - len(values) + 1))
    elif values:
        variable.unknown = True
    else:
        variable.values.append(ast.Nil(variable.line, 0))
