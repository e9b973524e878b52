"""Follows differentiated functions with what is known of their arguments, and writes them for core.

Nothing is changed here: `new` says what becomes of each node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import ast
from ..kinds import ANY, TENSOR, Type
from ..scope import FileScope
from .gradient_outside import Known
from .gradient_terms import (
    ATOM,
    FUNCTIONS,
    LAYERS,
    METHODS,
    SIGN,
    Term,
    _matmul,
    elementwise,
    operation,
    text,
)
from .gradient_values import SCALAR, Array, NotModernError, Plain, Several, Tree
from .walk import names_in, number, plain, walk

FUNC = ("func", "rekindle")
_TURNS = 32
LOWEST = -1
NOTHING = Several(())
_ATOMS = (ast.Name, ast.Number, ast.Call, ast.MethodCall, ast.Index)


@dataclass(frozen=True, slots=True)
class Form:
    """How a function's gradients are asked for.

    Attributes
    ----------
    name : str
        "grad" or "value_and_grad".
    results : int
        How many results the function has.
    position : int
        Which argument is differentiated, from 1.
    """

    name: str
    results: int
    position: int


class Followed(Known):
    """The differentiated functions of a file."""

    def __init__(self, block: ast.Block, scopes: FileScope, alone: bool) -> None:
        super().__init__(block, scopes, alone)
        self.new: dict[int, Any] = {}
        self.used: set[int] = set()
        self.texts: dict[int, str] = {}
        self.results: dict[int, int] = {}
        self.packed: dict[int, ast.Return] = {}
        self.comments: list[tuple[Any, list[Any]]] = []

    def follow(self) -> None:
        """Follow all functions from where their gradients are asked for outside of them.

        Raises
        ------
        NotModernError
            If something is not understood.
        """
        accounted = {id(c) for c in self.derived.values()}
        accounted |= {id(plain(c.function)) for c in self.sites.values()}
        for call in self.grad_calls:
            if id(call) not in accounted:
                raise NotModernError(call, "autograd", "the function of gradients is given away")
        for call in self.sites.values():
            if id(call) not in self.within:
                self.called(call)
        for key, function in self.functions.items():
            if key in self.inside and key not in self.results:
                raise NotModernError(function, "a function", "it is not known what it is given")

    # -- gradients --------------------------------------------------------------------------

    def form_of(self, call: ast.Call) -> Form:
        """Return how the gradients of a site are asked for."""
        made = self.grad_call_of(call)
        function, position = self.differentiated(made)
        results = self.results[function]
        sites = [c for c in self.sites.values() if self.grad_call_of(c) is made]
        more = any(id(c) in self.takes_more for c in sites)
        return Form("value_and_grad" if more or results > 1 else "grad", results, position)

    def called(self, call: ast.Call) -> Term:
        """Return the call of a function of gradients; its value is that of the gradients."""
        made = self.grad_call_of(call)
        function, position = self.differentiated(made)
        arguments = self.arguments(call, function)
        target = arguments[position - 1].value
        if not isinstance(target, (Tree, Array)):
            raise NotModernError(call, "gradients", "they are asked for a number")
        found = self.run(call, function, [a.value for a in arguments])
        first = found.values[0] if isinstance(found, Several) else found
        if first != SCALAR:
            raise NotModernError(call, "gradients", "the function gives no single number")
        self.answers[id(call)] = target, found
        callee = plain(call.function)
        if callee is made:
            parts = self.transformed(made, call).parts
        else:
            self.used.add(id(callee))
            parts = (callee,)
        listed = _with_commas([a.parts for a in arguments])
        return Term((*parts, "(", *listed, ")"), target, ATOM, (FUNC,))

    def transformed(self, made: ast.Call, site: ast.Call | None) -> Term:
        """Return `func.grad(f)` for `autograd(f)`."""
        if site is None:
            sites = [c for c in self.sites.values() if self.grad_call_of(c) is made]
            if not sites or any(id(plain(c)) not in self.answers for c in sites):
                raise NotModernError(made, "autograd", "the function of gradients is not called")
            site = sites[0]
        form = self.form_of(site)
        self.used.update(id(n) for n in names_in(made.function))
        given = made.arguments[0]
        if isinstance(plain(given), ast.Name):
            self.used.add(id(plain(given)))
        options = f", argnums={form.position - 1}" if form.position > 1 else ""
        options += ", has_aux=True" if form.results > 1 else ""
        return Term((f"func.{form.name}(", plain(given), f"{options})"), None, ATOM, (FUNC,))

    def arguments(self, call: ast.Call, function: int) -> list[Term]:
        """Return what a function is given, with nil for what is left out."""
        found = [self.argument(a) for a in call.arguments]
        missing = len(self.functions[function].parameters) - len(found)
        if missing < 0:
            raise NotModernError(call, "a call", "it has more arguments than the function")
        return found + [Term(("None",), NOTHING)] * missing

    def argument(self, node: Any) -> Term:
        """Return what a function is given."""
        if isinstance(plain(node), ast.TableConstructor):
            return self.table(plain(node), f"table@{id(plain(node))}")
        found = self.term(node)
        if self.running or self.has_tree(node) or not isinstance(found.value, (Array, Plain)):
            self.used.update(id(n) for n in names_in(node))
            return found
        return Term((node,), found.value)

    def table(self, made: ast.TableConstructor, name: str) -> Term:
        """Return a table of tensors that is written where it is given to a function."""
        parts: list[Any] = []
        values: dict[Any, Any] = {}
        imports: tuple[tuple[str, str], ...] = ()
        for entry in made.fields:
            key = len(values) + 1 if entry.key is None else plain(entry.key)
            inner = plain(entry.value)
            if isinstance(inner, ast.TableConstructor):
                found = self.table(inner, f"{name}.{len(values)}")
            else:
                found = self.argument(inner)
            if isinstance(key, ast.String):
                key = key.value
            if not isinstance(key, (str, int)) or not isinstance(found.value, (Array, Tree)):
                raise NotModernError(entry.value, "a table", "it has more in it than tensors")
            parts += [", "] if parts else []
            parts += [f'"{key}": '] if isinstance(key, str) else []
            parts += found.parts
            imports += found.imports
            values[key] = found.value
        if len({type(k) for k in values}) != 1:
            raise NotModernError(made, "a table", "it has names and places, or nothing")
        tree = Tree(name, values)
        ends = "[]" if tree.is_list else "{}"
        return Term((ends[0], *parts, ends[1]), tree, ATOM, imports)

    def outer_call(self, call: ast.Call) -> Term:
        """Return a call, from outside, of a function that has been followed."""
        function = self.function_of(call.function)
        assert function is not None
        arguments = self.arguments(call, function)
        found = self.run(call, function, [a.value for a in arguments])
        self.used.add(id(plain(call.function)))
        listed = _with_commas([a.parts for a in arguments])
        imports = tuple(i for a in arguments for i in a.imports)
        return Term((plain(call.function), "(", *listed, ")"), found, ATOM, imports)

    # -- functions --------------------------------------------------------------------------

    def run(self, node: Any, key: int, values: list[Any]) -> Any:
        """Return what a function gives for values, and note what becomes of its body."""
        function = self.functions[key]
        if key in self.running or function.vararg:
            raise NotModernError(node, "a function", "it calls itself, or takes any arguments")
        before = self.env
        names = [n.variable for n in function.parameters]
        self.env = {**before, **dict(zip(names, values, strict=True))}
        self.running.append(key)
        found = self.body(function.body)
        self.running.pop()
        self.env = before
        if found is None:
            raise NotModernError(function, "a function", "it returns nothing")
        count = len(found.values) if isinstance(found, Several) else 1
        if self.results.setdefault(key, count) != count:
            raise NotModernError(function, "a function", "it returns more or less results")
        self.used.update(id(n) for n in names_in(function))
        return found

    def body(self, block: ast.Block) -> Any:
        """Go through statements; return what is returned, None if nothing is."""
        for position, statement in enumerate(block.statements):
            found = self.statement(statement)
            if found is not None:
                if position + 1 < len(block.statements):
                    raise NotModernError(statement, "return", "it is in the middle")
                return found
        return None

    def statement(self, node: ast.Statement) -> Any:
        """Go through a statement of a function."""
        match node:
            case ast.Return(values=values) if values:
                return self._returned(node, values)
            case ast.Local(names=names, values=values):
                self._assigned(node, names, values)
            case ast.Assign(targets=targets, values=values):
                for target in targets:
                    if not isinstance(target, ast.Name) or target.variable not in self.env:
                        raise NotModernError(
                            node, "an assignment", "a function changes what is outside"
                        )
                self._assigned(node, targets, values)
            case ast.NumericFor():
                self._loop(node)
            case ast.If():
                self._branches(node)
            case ast.Do(body=body):
                return self.body(body)
            case ast.LocalFunction():
                pass
            case _:
                raise NotModernError(node, "a statement", "it is no computation")
        return None

    def _returned(self, node: ast.Return, values: list[Any]) -> Any:
        terms = [self.term(v) for v in values]
        for value, found in zip(values, terms, strict=True):
            self.record(value, found)
        if len(terms) > 2:
            self.packed[id(node)] = node
        return terms[0].value if len(terms) == 1 else Several(tuple(t.value for t in terms))

    def _assigned(self, node: Any, names: list[Any], values: list[Any]) -> None:
        if len(values) == 1 and len(names) > 1 and isinstance(values[0], ast.Call):
            call = values[0]
            found = self.term(call).value
            if not isinstance(found, Several) or len(found.values) != len(names) or len(names) > 2:
                raise NotModernError(node, "results", "it is not known how many there are")
            for a in call.arguments:
                self.record(a, self.term(a))
            results = found.values
        elif len(values) != len(names):
            raise NotModernError(node, "an assignment", "values are left out")
        else:
            results = ()
            for value in values:
                if isinstance(plain(value), ast.Function):
                    results += (None,)
                    continue
                term = self.term(value)
                if isinstance(term.value, Several):
                    raise NotModernError(node, "results", "of several only the first is used")
                self.record(value, term)
                results += (term.value,)
        for name, value in zip(names, results, strict=True):
            if value is not None:
                self.env[name.variable] = value

    def _loop(self, node: ast.NumericFor) -> None:
        bounds = [self.term(b) for b in (node.start, node.stop, node.step) if b is not None]
        for bound, found in zip((node.start, node.stop, node.step), bounds, strict=False):
            if self.has_tree(bound):
                self.record(bound, found)
        known: list[Any] = [b.value.value if isinstance(b.value, Plain) else None for b in bounds]
        turns: list[int | None] = [None, None]
        if all(isinstance(k, int) for k in known):
            first, last, step = (*known, 1)[:3]
            turns = list(range(first, last + (1 if step > 0 else -1), step))
        if not 0 < len(turns) <= _TURNS:
            turns = [None, None]
        for turn in turns:
            before = dict(self.env)
            self.env[node.name.variable] = Plain(turn)
            if self.body(node.body) is not None:
                raise NotModernError(node, "return", "it is in a loop")
            changed = {
                k for k, v in before.items() if self.env[k] != v and k is not node.name.variable
            }
            if turn is None and changed:
                raise NotModernError(node, "a loop", "the shapes change")

    def _branches(self, node: ast.If) -> None:
        before = self.env
        ends = []
        for test, block in node.branches:
            if not self.is_plain(test):
                raise NotModernError(test, "a condition", "it depends on tensors")
            ends.append((block, dict(before)))
        if node.otherwise is not None:
            ends.append((node.otherwise, dict(before)))
        after = [] if node.otherwise is not None else [before]
        for block, env in ends:
            self.env = env
            if self.body(block) is not None:
                raise NotModernError(node, "return", "it is in a branch")
            after.append(self.env)
        for key, value in before.items():
            if any(env[key] != value for env in after):
                first = after[0][key]
                if any(env[key] != first for env in after):
                    raise NotModernError(node, "a branch", "the shapes differ")
                before = {**before, key: first}
        self.env = before

    def record(self, node: Any, found: Term) -> None:
        """Note what becomes of an expression.

        Raises
        ------
        NotModernError
            If it has become something else for other arguments.
        """
        written = text(found)
        if self.texts.setdefault(id(node), written) != written:
            raise NotModernError(node, "a function", "its meaning depends on its arguments")
        self.new[id(node)] = found.node(node)

    # -- expressions ------------------------------------------------------------------------

    def term(self, node: Any) -> Term:
        """Return an expression for core, with what is known of its value."""
        match node:
            case ast.Paren(inner=inner):
                return self.term(inner)
            case ast.Number(value=value, text=written):
                return Term((written if written.isdigit() else repr(value),), Plain(value))
            case ast.Name():
                return self._named(node)
            case ast.Index():
                return self._part(node)
            case ast.Unary(operator="-", operand=operand):
                x = self.term(operand)
                negative = x.value
                if isinstance(negative, Plain) and negative.value is not None:
                    negative = Plain(-negative.value)
                return Term(("-", *x.at(SIGN)), negative, SIGN, x.imports)
            case ast.Unary(operator="#", operand=operand) if self.has_tree(operand):
                x = self.term(operand)
                if isinstance(x.value, Tree):
                    return Term(("len(", *x.parts, ")"), Plain(len(x.value.parts)))
            case ast.Binary(operator="+" | "-" | "*" | "/" | "^"):
                return self._arithmetic(node)
            case ast.Call():
                return self._call(node)
            case ast.MethodCall(object=owner, method=name, arguments=arguments):
                if name in METHODS and self.is_array(owner):
                    terms = [self.term(owner), *map(self.term, arguments)]
                    return self.ruled(node, f"torch.{name}", terms)
        return self.other(node)

    def other(self, node: Any) -> Term:
        """Return an expression that stays as it is: of numbers, or of tensors from outside."""
        if self.is_plain(node):
            return Term((node,), Plain(), ATOM if isinstance(node, _ATOMS) else LOWEST)
        value = None if self.running and not self.is_constant(node) else self.direct_value(node)
        if value is None:
            raise NotModernError(node, "an expression", "it is not known what it gives")
        return Term((node,), value, ATOM if isinstance(node, _ATOMS) else LOWEST)

    def is_array(self, node: Any) -> bool:
        """Whether an expression is known to be a tensor that terms can be made of."""
        try:
            return isinstance(self.term(node).value, Array)
        except NotModernError:
            return False

    def is_plain(self, node: Any) -> bool:
        """Whether an expression is of numbers that are not differentiated."""
        allowed = (ast.Name, ast.Number, ast.Binary, ast.Unary, ast.Paren)
        for part in walk(node):
            if not isinstance(part, allowed):
                return False
            if isinstance(part, ast.Name):
                value = (
                    self.env[part.variable]
                    if part.variable in self.env
                    else self.value_of_name(part)
                )
                if not isinstance(value, Plain):
                    return False
        return True

    def _named(self, node: ast.Name) -> Term:
        if node.variable is not None and node.variable in self.env:
            return Term((node,), self.env[node.variable])
        value = self.value_of_name(node)
        if value is None:
            raise NotModernError(node, node.name, "it is not known what it is")
        if value == SCALAR and self.key(node) in self.losses:
            return Term((node, ".item()"), Plain())
        return Term((node,), value)

    def _part(self, node: ast.Index) -> Term:
        if not self.running and not self.root_is_tree(node):
            return self.other(node)
        owner, key = self.term(node.table), plain(node.key)
        if isinstance(owner.value, Tree):
            return self._branch(node, owner, key)
        if not isinstance(owner.value, Array):
            return self.other(node)
        place, shape = self.term(key), owner.value.shape
        if isinstance(shape, str) or not isinstance(place.value, Plain) or not shape:
            raise NotModernError(
                node, "a part of a tensor", "the number of dimensions is not known"
            )
        return Term(
            (*owner.at(ATOM), "[", *_from_zero(key), "]"), Array(shape[1:]), ATOM, owner.imports
        )

    def _branch(self, node: ast.Index, owner: Term, key: Any) -> Term:
        tree = owner.value
        if isinstance(key, ast.String):
            if key.value not in tree.parts:
                raise NotModernError(node, key.value, "the parameters have no such part")
            parts = (*owner.at(ATOM), f'["{key.value}"]')
            return Term(parts, tree.parts[key.value], ATOM, owner.imports)
        place = self.term(key)
        if not isinstance(place.value, Plain) or not tree.is_list:
            raise NotModernError(node, "a part of the parameters", "it is not known which")
        if place.value.value is not None:
            if place.value.value not in tree.parts:
                raise NotModernError(
                    node, "a part of the parameters", "there is none at this place"
                )
            value = tree.parts[place.value.value]
        else:
            value = self.joined(tree, key)
        return Term((*owner.at(ATOM), "[", *_from_zero(key), "]"), value, ATOM, owner.imports)

    def joined(self, tree: Tree, key: Any) -> Any:
        """Return what any part of a list is."""
        values = list(tree.parts.values())
        if all(v == values[0] for v in values):
            return values[0]
        if not all(isinstance(v, Array) for v in values):
            raise NotModernError(key, "a part of the parameters", "parts of several kinds")
        return Array(f"{tree.name}[{self.canonical(key)}]")

    def _arithmetic(self, node: ast.Binary) -> Term:
        a, b = self.term(node.left), self.term(node.right)
        x, y = a.value, b.value
        for value in (x, y):
            if not isinstance(value, (Array, Plain)):
                raise NotModernError(node, f"'{node.operator}'", "it is not known of what")
        if isinstance(x, Plain) and isinstance(y, Plain):
            return Term((node,), Plain(_computed(node.operator, x.value, y.value)), LOWEST)
        if node.operator == "^":
            if not isinstance(y, Plain):
                raise NotModernError(node, "'^'", "the exponent is differentiated")
            return operation(node, "**", a, b, x)
        both = SCALAR not in (x, y) and isinstance(x, Array) and isinstance(y, Array)
        if node.operator == "*" and both:
            return _matmul(node, a, b)
        if node.operator == "/" and isinstance(y, Array) and y != SCALAR:
            raise NotModernError(node, "'/'", "Torch divides by numbers only")
        return elementwise(node, node.operator, a, b)

    def _call(self, node: ast.Call) -> Term:
        if self.site_of(node) is not None:
            found = self.called(node)
            if self.running and self.form_of(node).name != "grad":
                raise NotModernError(node, "gradients", "inside of a function more is asked for")
            return found
        layer = self.layer_of(node.function)
        if layer is not None:
            if layer not in LAYERS:
                raise NotModernError(node, f"autograd.nn.{layer}", "it has no counterpart here")
            return self.applied(node, LAYERS[layer], [self.term(a) for a in node.arguments])
        name = self.full_name(node.function)
        if name in FUNCTIONS:
            return self.ruled(node, name, [self.term(a) for a in node.arguments])
        key = self.function_of(node.function)
        if key is not None and key in self.inside:
            return self.outer_call(node)
        return self.other(node)

    def ruled(self, node: Any, name: str, terms: list[Term]) -> Term:
        """Return what a function of torch becomes."""
        return self.applied(node, FUNCTIONS[name], terms)

    def applied(self, node: Any, rule: Any, terms: list[Term]) -> Term:
        """Return what a rule makes of arguments.

        Raises
        ------
        NotModernError
            If it takes other arguments.
        """
        try:
            found: Term = rule(node, *terms)
        except TypeError:
            raise NotModernError(
                node, "a call", "it has arguments that are not understood"
            ) from None
        return found

    def kind_of(self, value: Any) -> Type:
        """Return the type of a value outside."""
        return TENSOR if isinstance(value, Array) else ANY

    def imports_of(self, parts: Any) -> tuple[tuple[str, str], ...]:
        """Return what the text of a call needs."""
        return (FUNC,) if any(isinstance(p, str) and p.startswith("func.") for p in parts) else ()


def _from_zero(key: Any) -> tuple[Any, ...]:
    value = number(key)
    return (str(int(value) - 1),) if value is not None else (key, " - 1")


def _with_commas(parts: list[tuple[Any, ...]]) -> list[Any]:
    found: list[Any] = []
    for part in parts:
        found += [", ", *part] if found else [*part]
    return found


def _computed(operator: str, a: Any, b: Any) -> int | None:
    if not isinstance(a, int) or not isinstance(b, int) or operator not in "+-*":
        return None
    return a + b if operator == "+" else a - b if operator == "-" else a * b
