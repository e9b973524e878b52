"""Loops over the layers of a class: `for _, m in pairs(net:findModules('nn.Linear'))`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .. import ast
from ..scope import Variable
from ..syntax import blocks_of, dotted
from ..walk import method_call, plain, walk
from .classes import class_of
from .nodes import NN, Nothing, Suite, at, like

if TYPE_CHECKING:
    from .rewrite import Rewriter

CLASSES = {
    "Linear": "Linear",
    "SpatialConvolution": "Conv2d",
    "SpatialFullConvolution": "ConvTranspose2d",
    "SpatialBatchNormalization": "BatchNorm2d",
    "BatchNormalization": "BatchNorm1d",
    "LookupTable": "Embedding",
}
"""Classes of Torch that core has under one name each, with weights of the same shape."""

_ALIKE = {"SpatialConvolution": "SpatialConvolutionMM"}
"""Classes that are one in core, though their weights differ in Torch."""


def over_modules(r: Rewriter, node: ast.GenericFor) -> list[ast.Statement] | None:
    """Return a loop over the layers of a class, None for any other loop."""
    source = plain(node.values[0]) if len(node.values) == 1 else None
    if not isinstance(source, ast.Call) or dotted(source.function) not in ("pairs", "ipairs"):
        return None
    found: Any = plain(source.arguments[0]) if len(source.arguments) == 1 else None
    if not method_call(found, "findModules") or not r.facts.is_model(found.object):
        return None
    counter = node.names[0].variable
    each = node.names[1].variable if len(node.names) == 2 else None
    plain_loop = counter is not None and not counter.reads and not _leaves(node.body)
    names = _names_in(r, found.arguments[0]) if len(found.arguments) == 1 else set()
    kinds = {n.partition(".")[2] for n in names}
    if not names or each is None or each.writes or not plain_loop or kinds - CLASSES.keys():
        return None
    made = _made(r)
    if len(kinds) > 1 or any(_ALIKE.get(k) in {m.partition(".")[2] for m in made} for k in kinds):
        return None
    (kind,) = kinds
    what: Any = f"nn.{CLASSES[kind]}"
    told = _told(r, found.arguments[0], what, made)
    if told is not None:
        what = told
    elif len(names) > 1:
        return None
    elif not names & made and {n for n in made if n.partition(".")[2] == kind}:
        return _nothing(node)  # they are of another package
    r.facts.roles[each] = "model"
    r.facts.layers[each] = kind
    for key in r.facts.keys_in(found.object):
        r.join(each, key)
        r.searched.append((node, key))
    model = r.models.expression(found.object)
    module = node.names[1]
    parts = ["for ", module, " in [m for m in ", model, ".modules() if isinstance(m, "]
    header = at(node, *parts, what, ")]", imports=[NN])
    r.loops += 1
    r.block(node.body, node.names)
    r.loops -= 1
    return [like(Suite(node.line, node.column, header, node.body, [module]), node)]


def _told(r: Rewriter, node: Any, what: str, made: set[str]) -> Any:
    """Let the callers of a function say the class itself that they said the name of.

    Calls with names of layers that the program does not make, which find nothing, are left out.
    """
    key = r.facts.key(node)
    function = r.functions[-1] if r.functions else None
    calls = r.facts.calls_of(function) if isinstance(function, Variable) else []
    if not isinstance(key, Variable) or key.reads != 1 or not calls:
        return None
    statements = {
        id(s.call): s
        for f in r.files
        for s in walk(f.block)
        if isinstance(s, ast.CallStatement) and isinstance(s.call, ast.Call)
    }
    if any(id(c) not in statements or len(c.arguments) != 1 for c in calls):
        return None
    for call in calls:
        name = plain(call.arguments[0])
        if not isinstance(name, ast.String):
            return None
        if name.value in made:
            r.planned_values[id(call.arguments[0])] = at(name, what, imports=[NN])
        else:
            r.replaced[id(statements[id(call)])] = partial(_nothing, statements[id(call)])
    return node


def _nothing(node: ast.Statement) -> list[ast.Statement]:
    return [like(Nothing(node.line, node.column), node)]


def _names_in(r: Rewriter, node: Any) -> set[str]:
    """Return the texts that an expression may be; none where they are not known."""
    node = plain(node)
    if method_call(node, "format") and isinstance(plain(node.object), ast.String):
        text = plain(node.object).value
        kind = text.removeprefix("%s.")
        found = {n for n in _made(r) if n.partition(".")[2] == kind}
        return found if kind != text and len(found) == 1 else set()
    key = r.facts.key(node)
    values = [node] if key is None else r.facts.values(key) or []
    texts = {v.value for v in values if isinstance(v, ast.String)}
    return texts if all(isinstance(v, ast.String) for v in values) else set()


def _leaves(block: ast.Block) -> bool:
    """Whether a block jumps out of itself."""
    jumps = (ast.Return, ast.Break, ast.Goto, ast.Label)
    return any(
        isinstance(s, jumps) or any(_leaves(b) for b in blocks_of(s)) for s in block.statements
    )


def _made(r: Rewriter) -> set[str]:
    """Return the classes whose layers the program makes, with their packages."""
    if r.made_classes is None:
        found = (class_of(call) for call in r.facts.calls)
        r.made_classes = {n if "." in n else f"nn.{n}" for n in found if n is not None}
    return r.made_classes
