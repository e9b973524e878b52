"""autograd in modern style: `autograd(f)` becomes `func.grad(f)` or `func.value_and_grad(f)`.

The functions that are differentiated are followed with what is known of their arguments, and
written for core; tables of parameters become dicts and lists. A file in which something about
them is not understood stays as faithful style has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from .. import ast
from ..diagnostics import Kept
from ..kinds import COUNT, NUMBER
from ..scope import FileScope
from ..syntax import dotted
from ..walk import names_in, negated, plain, walk
from .attempts import Modern
from .gradient_functions import Followed
from .gradient_names import RESIZING
from .gradient_nodes import Unpacked
from .gradient_values import SCALAR, Array, NotModernError, Plain, Several, Tree
from .lowering import resolve_modern
from .nodes import NN, Line, Nothing, Template, at, like


def with_gradients(
    parsed: dict[str, tuple[ast.Block, FileScope]], found: dict[str, Modern]
) -> dict[str, Modern]:
    """Rewrite the differentiated functions of a program's files.

    Parameters
    ----------
    parsed : dict
        Trees and variables, by path.
    found : dict
        What the modern pass has made of files, which takes precedence.

    Returns
    -------
    dict
        `found`, with the files in which something is differentiated.
    """
    for path, (block, scopes) in parsed.items():
        result = found.get(path)
        if result is not None:
            block, scopes = result.block, result.scopes
        kept = _rewritten(block, scopes, len(parsed) == 1) if _names_autograd(block) else None
        if kept is None:
            continue
        result = found.setdefault(path, Modern(block, scopes))
        result.kept = sorted([*result.kept, *kept], key=lambda k: k.line)
        if not kept:
            result.scopes = resolve_modern(block)
            needed = {i for n in walk(block) if isinstance(n, Template) for i in n.imports}
            result.reserved |= {name for name, _ in needed}
            if NN in needed:
                result.renamed["nn"] = "legacy_nn"
    return found


def _names_autograd(block: ast.Block) -> bool:
    return any(
        (isinstance(n, ast.String) and n.value == "autograd")
        or (isinstance(n, ast.Name) and n.name == "autograd")
        for n in walk(block)
    )


def _rewritten(block: ast.Block, scopes: FileScope, alone: bool) -> list[Kept] | None:
    """Rewrite a file in place; return what stays as it is, None if nothing is differentiated."""
    written: set[int] = set()
    while True:
        found = Gradients(block, scopes, alone)
        if not found.grad_calls:
            return None
        found.written |= written
        try:
            found.follow()
            found.outside(block)
            found.check()
        except NotModernError as error:
            return [error.kept]
        if found.written == written:
            break
        written = found.written  # and write the calls that give them once more
    for node, comments in found.comments:
        node.before += comments
    for node in found.packed.values():
        first, *rest = node.values
        node.values = [first, at(node, "(", *_listed(list(rest)), ")")]
    apply(block, found.new)
    return []


def apply(node: Any, new: dict[int, Any]) -> None:
    """Put what has been written into the places of a tree, by the ids of its nodes."""
    if isinstance(node, ast.Block):
        statements: list[ast.Statement] = []
        for statement in node.statements:
            statements += new.get(id(statement), [statement])
        node.statements = statements
    names = [f.name for f in fields(node)] if isinstance(node, (ast.Node, ast.Block)) else []
    for name in names:
        value = getattr(node, name)
        if isinstance(value, list):
            setattr(node, name, [_applied(v, new) for v in value])
        elif isinstance(value, (ast.Node, ast.Block)):
            setattr(node, name, _applied(value, new))


def _applied(value: Any, new: dict[int, Any]) -> Any:
    found = new.pop(id(value), value) if isinstance(value, ast.Node) else value
    if isinstance(found, tuple):  # conditions with their blocks
        return tuple(_applied(v, new) for v in found)
    if isinstance(found, (ast.Node, ast.Block)):
        apply(found, new)
    return found


class Gradients(Followed):
    """The differentiated functions of a file, and all that has to do with them."""

    def outside(self, node: Any) -> None:
        """Go through what is in no differentiated function."""
        for part in _parts(node):
            if id(part) in self.inside or id(part) in self.new:
                continue
            if isinstance(part, ast.Statement) and self._statement(part):
                continue
            if isinstance(part, ast.Node) and self._expression(part):
                continue
            self.outside(part)

    # -- statements -------------------------------------------------------------------------

    def _statement(self, node: ast.Statement) -> bool:
        if isinstance(node, ast.CallStatement):
            return self._effect(node, node.call)
        if not isinstance(node, (ast.Local, ast.Assign)):
            return False
        targets: list[Any] = node.names if isinstance(node, ast.Local) else node.targets
        if all(self.key(t) in self.removed for t in targets):
            self.used.update(id(n) for part in (targets, node.values) for n in names_in(part))
            self.new[id(node)] = [like(Nothing(node.line, node.column), node)]
            return True
        if len(node.values) != 1:
            return self._parameters(node, targets)
        call: Any = plain(node.values[0])
        site = self.site_of(call)
        if site is not None and call is node.values[0]:
            return self.unpack_gradients(node, targets, site)
        called = self.function_of(call.function) if isinstance(call, ast.Call) else None
        if called is not None and called in self.inside_functions and len(targets) > 1:
            return self._results(node, targets, call)
        if len(targets) == 1 and isinstance(targets[0], ast.Name):
            key = self.key(targets[0])
            if key in self.derived:
                return self._derivative(node, targets[0], call)
        return self._parameters(node, targets)

    def _derivative(self, node: Any, target: ast.Name, call: ast.Call) -> bool:
        """`df = autograd(f)`."""
        self.used.add(id(target))
        self.new[id(call)] = self.transformed(call, None).node(call)
        return True

    def unpack_gradients(self, node: Any, targets: list[Any], call: ast.Call) -> bool:
        """`grads, loss = df(params, x)`."""
        called = self.called(call).parts
        form = self.form_of(call)
        if any(not isinstance(t, ast.Name) for t in targets) or len(targets) > form.results + 1:
            raise NotModernError(node, "gradients", "they are put into a table")
        self.used.update(id(t) for t in targets)
        names: list[Any] = [*targets[1:], targets[0]]
        missing = form.results + 1 - len(targets)
        if form.name == "grad":
            left: list[Any] = [targets[0]]
        elif form.results == 1:
            left = [*(names[:1] if len(targets) > 1 else ["_"]), ", ", targets[0]]
        else:
            values = [*targets[1:], *["_"] * missing]
            rest = _listed(values[1:])
            aux = rest if form.results == 2 else ["(", *rest, ")"]
            left = ["(", values[0], ", ", *aux, "), ", targets[0]]
        return self._unpacked(node, targets, left, called)

    def _unpacked(self, node: Any, targets: list[Any], left: list[Any], right: Any) -> bool:
        """Write an assignment to several names."""
        pattern = [part if isinstance(part, str) else _place(targets, part) for part in left]
        names = {n.name for part in right if isinstance(part, ast.Node) for n in names_in(part)}
        declares = isinstance(node, ast.Local)
        if declares and names & {t.name for t in targets}:
            raise NotModernError(node, "a local", "it has the name of what it is made of")
        value = at(node, *right, imports=self.imports_of(right))
        made = Unpacked(node.line, node.column, targets, pattern, value, declares)
        self.new[id(node)] = [like(made, node)]
        return True

    def _results(self, node: Any, targets: list[Any], call: ast.Call) -> bool:
        """`loss, out = f(params, x)`."""
        found = self.outer_call(call)
        count = len(found.value.values) if isinstance(found.value, Several) else 1
        if any(not isinstance(t, ast.Name) for t in targets) or count != len(targets):
            raise NotModernError(node, "results", "they are put into a table, or not all taken")
        self.used.update(id(t) for t in targets)
        left = [*targets[:1], ", ", *(_listed(targets[1:]) if count == 2 else [])]
        if count > 2:
            left += ["(", *_listed(targets[1:]), ")"]
        return self._unpacked(node, targets, left, found.parts)

    def _parameters(self, node: Any, targets: list[Any]) -> bool:
        """`params = {W = ..., b = ...}`, and what is assigned to its parts."""
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(self.value_of_name(target), Tree):
                self.used.add(id(target))
            elif isinstance(target, ast.Index) and self.root_is_tree(target):
                return self._replaced_part(node, target)
        for value in node.values:
            made = plain(value)
            if isinstance(made, ast.TableConstructor) and id(made) in self.trees:
                self.new[id(value)] = self.literal(made)
                comments = [c for f in _fields(made) for c in (*f.before, f.after) if c]
                self.comments.append((node, comments))
            elif not self._plain_value(value):
                self.outside_one(value)
        return True

    def _replaced_part(self, node: ast.Assign, target: ast.Index) -> bool:
        """`params.W[i] = ...`."""
        place, value = self.term(target), node.values[0]
        self.note_write(target)
        new = self.outer_value(value)
        if new != place.value and not (place.value == SCALAR and isinstance(new, Plain)):
            raise NotModernError(node, "an assignment", "the shape of a parameter may change")
        if len(node.targets) + len(node.values) > 2 or not isinstance(place.value, Array):
            raise NotModernError(node, "an assignment", "it changes the table of parameters")
        self.used.update(id(n) for n in names_in(target))
        if not self._plain_value(value):
            self.outside_one(value)
        line = at(node, *place.parts, " = ", value)
        self.new[id(node)] = [like(Line(node.line, node.column, line), node)]
        return True

    def _plain_value(self, value: Any) -> bool:
        """Write arithmetic with parts of trees for core, where the shapes are known."""
        if not isinstance(plain(value), (ast.Binary, ast.Unary)) or not self.has_tree(value):
            return False
        try:
            found = self.term(value)
        except NotModernError:
            return False
        if not isinstance(found.value, Array):
            return False
        self.new[id(value)] = found.node(value)
        self.used.update(id(n) for n in names_in(value))
        return True

    def _effect(self, node: ast.CallStatement, call: Any) -> bool:
        if isinstance(call, ast.Call) and self.full_name(call.function) == "autograd.optimize":
            self.used.update(id(n) for n in names_in(call))
            self.new[id(node)] = [like(Nothing(node.line, node.column), node)]
            return True
        is_add = isinstance(call, ast.MethodCall) and call.method == "add"
        if is_add and len(call.arguments) == 2 and self.has_tree(call.object):
            leaf, given = self.term(call.object), call.arguments[1]
            self.note_write(call.object)
            other = self.term(given) if self.has_tree(given) else None
            if other is not None and leaf.value == other.value:
                rate = negated(call.arguments[0])
                sign, factor = ("-", rate) if rate is not None else ("+", call.arguments[0])
                self.outside_one(factor)
                changed = at(node, *leaf.parts, f" {sign}= ", factor, " * ", *other.at(2))
                self.used.update(id(n) for p in (call.object, given) for n in names_in(p))
                self.new[id(node)] = [like(Line(node.line, node.column, changed), node)]
                return True
        return False

    # -- expressions ------------------------------------------------------------------------

    def outside_one(self, node: Any) -> None:
        """Go through one expression."""
        if not self._expression(node):
            self.outside(node)

    def _expression(self, node: Any) -> bool:
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Unary) and node.operator == "#" and self.has_tree(node.operand):
            found = self.term(node)
            self.used.update(id(n) for n in names_in(node))
            self.new[id(node)] = at(node, *found.parts, kind=COUNT)
            return True
        resizes = isinstance(node, ast.MethodCall) and node.method in RESIZING
        if resizes and self.root_is_tree(node.object):
            raise NotModernError(node, node.method, "the shape of a parameter may change")
        if isinstance(node, ast.Index):
            return self.root_is_tree(node) and self._leaf(node)
        if isinstance(node, ast.Call):
            if self.site_of(node) is not None:
                found = self.called(node)
                form = self.form_of(node)
                if id(node) in self.spread or not isinstance(found.value, Array):
                    reason = "they are used without a name, or with the function's results"
                    raise NotModernError(node, "gradients", reason)
                parts = found.parts if form.name == "grad" else (*found.parts, "[1]")
                self.new[id(node)] = at(node, *parts, imports=self.imports_of(parts))
                return True
            if self.function_of(node.function) in self.inside_functions:
                found = self.outer_call(node)
                several = isinstance(found.value, Several)
                if several and id(node) in self.spread:
                    raise NotModernError(node, "results", "all of them are used at once")
                first = found.value.values[0] if several else found.value
                ending = ["[0]"] * several + [".item()"] * (first == SCALAR)
                kind = NUMBER if first == SCALAR else self.kind_of(first)
                self.new[id(node)] = at(node, *found.parts, *ending, kind=kind)
                return True
        return False

    def _leaf(self, node: ast.Index) -> bool:
        """Write a part of a tree."""
        if not self.root_is_tree(node):
            return False
        found = self.term(node)
        self.note_write(node)
        if isinstance(found.value, Tree):
            raise NotModernError(node, "a table of parameters", "it is used as a table")
        self.used.update(id(n) for n in names_in(node))
        self.new[id(node)] = found.node(node)
        return True

    def note_write(self, node: Any) -> None:
        """Note that gradients stand where they may be written to."""
        root = node
        while isinstance(root, (ast.Index, ast.Paren)):
            root = root.table if isinstance(root, ast.Index) else root.inner
        made = self.made_by.get(self.key(root))
        if made is not None and id(node) not in self.read:
            self.written.add(id(made))

    def _name(self, node: ast.Name) -> bool:
        if id(node) in self.used:
            return True
        self.note_write(node)
        value = self.value_of_name(node)
        if value == SCALAR and self.key(node) in self.losses:
            self.used.add(id(node))
            self.new[id(node)] = at(node, node, ".item()", kind=NUMBER)
            return True
        return not isinstance(value, Tree) and self.key(node) not in self.derived

    # -- at the end -------------------------------------------------------------------------

    def check(self) -> None:
        """See that nothing is left that has another meaning now.

        Raises
        ------
        NotModernError
            If there is.
        """
        for name in names_in(self.block):
            if id(name) in self.used:
                continue
            key = self.key(name)
            package = dotted(name) == "autograd" and name.variable is None
            if key in self.removed or key in self.derived or package:
                declared = id(name) in self.declarations
                if not declared:
                    raise NotModernError(name, name.name, "it is used in other ways, too")
            if isinstance(self.value_of_name(name), Tree) and id(name) not in self.declarations:
                raise NotModernError(name, name.name, "the table is used as a table")
            if (
                self.function_of(name) in self.inside_functions
                and id(name) not in self.declarations
            ):
                raise NotModernError(name, name.name, "the function is used in other ways, too")


def _parts(node: Any) -> Iterator[Any]:
    for f in fields(node) if isinstance(node, (ast.Node, ast.Block, ast.Field)) else ():
        value = getattr(node, f.name)
        for part in value if isinstance(value, list) else [value]:
            yield from part if isinstance(part, tuple) else [part]


def _listed(parts: list[Any]) -> list[Any]:
    found: list[Any] = []
    for part in parts:
        found += [", ", part] if found else [part]
    return found


def _fields(made: ast.TableConstructor) -> Iterator[ast.Field]:
    for node in walk(made):
        if isinstance(node, ast.TableConstructor):
            yield from node.fields


def _place(targets: list[Any], part: Any) -> int:
    return next(i for i, t in enumerate(targets) if t is part)
