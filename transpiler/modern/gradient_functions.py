"""Follows differentiated functions from where their gradients are asked for.

Nothing is changed here: `new` says what becomes of each node.
"""

from __future__ import annotations

from typing import Any

from .. import ast
from ..code import quoted
from ..walk import names_in, plain
from .gradient_bodies import Bodies
from .gradient_expressions import FUNC, Form
from .gradient_terms import ATOM, Term
from .gradient_values import SCALAR, Array, NotModernError, Plain, Several, Tree

OWN = ("own_gradients", "rekindle.transpiler.runtime.gradients")

NOTHING = Several(())
"""What is known of nil."""


class Followed(Bodies):
    """The differentiated functions of a file."""

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
        imports = (FUNC, OWN) if id(made) in self.written else (FUNC,)
        return Term((*parts, "(", *listed, ")"), target, ATOM, imports)

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
        parts = (f"func.{form.name}(", plain(given), f"{options})")
        if id(made) in self.written:
            return Term(("own_gradients(", *parts, ")"), None, ATOM, (FUNC, OWN))
        return Term(parts, None, ATOM, (FUNC,))

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
        self.outside_one(node)
        return Term((node,), found.value)

    def outside_one(self, node: Any) -> None:
        """Go through an expression outside of differentiated functions."""
        raise NotImplementedError

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
            parts += [f"{quoted(key)}: "] if isinstance(key, str) else []
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


def _with_commas(parts: list[tuple[Any, ...]]) -> list[Any]:
    found: list[Any] = []
    for part in parts:
        found += [", ", *part] if found else [*part]
    return found
