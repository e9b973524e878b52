"""Bodies of differentiated functions: statements that compute, one after the other."""

from __future__ import annotations

from typing import Any

from .. import ast
from ..walk import names_in, plain
from .gradient_expressions import Expressions
from .gradient_terms import Term, text
from .gradient_values import NotModernError, Plain, Several
from .nodes import like

_TURNS = 32
"""How many turns of a loop are followed one by one."""


class Bodies(Expressions):
    """Functions that are followed with what is known of their arguments."""

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

    def unpack_gradients(self, node: Any, targets: list[Any], call: ast.Call) -> bool:
        """Write `grads, loss = df(params, x)`."""
        raise NotImplementedError

    def _assigned(self, node: Any, names: list[Any], values: list[Any]) -> None:
        results: tuple[Any, ...] = ()
        call: Any = values[0] if len(values) == 1 else None
        site = self.site_of(call)
        if site is not None:
            self.unpack_gradients(node, names, site)
            gradients, found = self.answers[id(site)]
            several = found.values if isinstance(found, Several) else (found,)
            results = (gradients, *several)[: len(names)]
        elif len(names) == 2 and self.is_cross_entropy(call) and isinstance(node, ast.Local):
            results = self._cross_entropy(node, names, call)
        elif len(values) == 1 and len(names) > 1 and isinstance(values[0], ast.Call):
            found = self.term(call).value
            if not isinstance(found, Several) or len(found.values) != len(names) or len(names) > 2:
                raise NotModernError(node, "results", "it is not known how many there are")
            for a in call.arguments:
                self.record(a, self.term(a))
            results = found.values
        elif len(values) != len(names):
            raise NotModernError(node, "an assignment", "values are left out")
        else:
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

    def is_cross_entropy(self, node: Any) -> bool:
        """Whether an expression is a call of `autograd.loss.crossEntropy`."""
        is_call = isinstance(node, ast.Call) and len(node.arguments) == 2
        return is_call and self.full_name(node.function) == "autograd.loss.crossEntropy"

    def _cross_entropy(self, node: ast.Local, names: list[Any], call: ast.Call) -> tuple[Any, ...]:
        """`local loss, logs = loss.crossEntropy(out, target)`."""
        out, target = (self.term(a) for a in call.arguments)
        logs = self.ruled(call, "autograd.util.logSoftMax", [out])
        named = Term((names[1],), logs.value)
        found = self.ruled(call, "autograd.loss.logMultinomialLoss", [named, target])
        first: Any = logs.node(call)
        second: Any = found.node(call)
        self.new[id(node)] = [
            like(ast.Local(node.line, node.column, [names[1]], [first]), node),
            ast.Local(node.line, node.column, [names[0]], [second]),
        ]
        return found.value, logs.value

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
