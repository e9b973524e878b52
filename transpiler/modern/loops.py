"""Loops over the layers of a class: `for _, m in pairs(net:findModules('nn.Linear'))`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ast
from ..syntax import blocks_of, dotted
from .classes import class_of
from .nodes import NN, Suite, at, like
from .walk import method_call, plain, walk

if TYPE_CHECKING:
    from .rewrite import Rewriter

CLASSES = {
    "nn.Linear": "Linear",
    "nn.SpatialConvolution": "Conv2d",
    "nn.SpatialFullConvolution": "ConvTranspose2d",
    "nn.SpatialBatchNormalization": "BatchNorm2d",
    "nn.BatchNormalization": "BatchNorm1d",
    "nn.LookupTable": "Embedding",
}
"""Classes of Torch that core has under one name each, with weights of the same shape."""


def over_modules(r: Rewriter, node: ast.GenericFor) -> list[ast.Statement] | None:
    """Return a loop over the layers of a class, None for any other loop."""
    source = plain(node.values[0]) if len(node.values) == 1 else None
    if not isinstance(source, ast.Call) or dotted(source.function) not in ("pairs", "ipairs"):
        return None
    found: Any = plain(source.arguments[0]) if len(source.arguments) == 1 else None
    if not method_call(found, "findModules") or not r.facts.is_model(found.object):
        return None
    name = _name_in(r, found.arguments[0]) if len(found.arguments) == 1 else None
    counter = node.names[0].variable
    each = node.names[1].variable if len(node.names) == 2 else None
    plain_loop = counter is not None and not counter.reads and not _leaves(node.body)
    if name not in CLASSES or each is None or each.writes or not plain_loop:
        return None
    if name == "nn.SpatialConvolution" and _uses(r, "SpatialConvolutionMM"):
        return None
    r.facts.roles[each] = "model"
    r.facts.layers[each] = str(name).removeprefix("nn.")
    for key in r.facts.keys_in(found.object):
        r.join(each, key)
    model = r.models.expression(found.object)
    module = node.names[1]
    parts = ["for ", module, " in [m for m in ", model, ".modules() if isinstance(m, nn."]
    header = at(node, *parts, f"{CLASSES[str(name)]})]", imports=[NN])
    r.loops += 1
    r.block(node.body, node.names)
    r.loops -= 1
    return [like(Suite(node.line, node.column, header, node.body, [module]), node)]


def _name_in(r: Rewriter, node: Any) -> str | None:
    """Return the text that an expression always is."""
    node = plain(node)
    key = r.facts.key(node)
    if key is not None:
        values = r.facts.values(key) or []
        node = values[0] if len(values) == 1 else None
    return node.value if isinstance(node, ast.String) else None


def _leaves(block: ast.Block) -> bool:
    """Whether a block jumps out of itself."""
    jumps = (ast.Return, ast.Break, ast.Goto, ast.Label)
    return any(
        isinstance(s, jumps) or any(_leaves(b) for b in blocks_of(s)) for s in block.statements
    )


def _uses(r: Rewriter, name: str) -> bool:
    """Whether the program makes layers of a class."""
    return any(
        class_of(n) == name for f in r.files for n in walk(f.block) if isinstance(n, ast.Call)
    )
