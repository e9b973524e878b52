"""From a plan to an ONNX file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor

from ..modernise.plan import (
    CALLS,
    Block,
    Expr,
    Layer,
    Value,
    at,
    in_order,
    leaves,
    map_value,
    paths,
)
from .errors import OnnxError
from .layers import LAYERS
from .operations import END, OPERATIONS, sliced, unsupported
from .recurrent import GATES
from .writer import Writer

OPSET = 18

OF_IMAGES = ("Conv", "MaxPool", "AvgPool", "Adaptive", "ReflectionPad", "ReplicationPad", "ZeroPad")
"""How kinds of layers begin that PyTorch lets run on one image without a batch."""


def write_onnx(plan: Block, path: str | os.PathLike[str], example: Any = None) -> int:
    """Write a plan as ONNX, for evaluation, and return the number of nodes.

    Parameters
    ----------
    plan : Block
        Of a model whose numbers are of one type: float32 or float64.
    path : path
    example : Tensor or Table, optional
        The example that the plan was made with, whose types the inputs have.

    Notes
    -----
    One input is called "input", several "input1", "input2", ...; outputs likewise. The first
    dimension of each is free. Inputs that are only indices are int64.

    Raises
    ------
    OnnxError
        If something in the plan has no counterpart; the message lists everything.
    """
    import onnx

    model = model_of(plan, example)
    onnx.checker.check_model(model, full_check=True)
    with open(path, "wb") as file:
        file.write(model.SerializeToString())
    return len(model.graph.node)


def model_of(plan: Block, example: Any = None) -> Any:
    """Return a plan as an ONNX ModelProto."""
    from onnx import helper, numpy_helper, shape_inference

    missing = sorted(set(_missing(plan)))
    if missing:
        raise OnnxError("not written as ONNX: " + "; ".join(missing))
    tensors = list(_tensors(plan))
    floats = [t.dtype for t in tensors if t.dtype.kind == "f"]
    writer = Writer(floats[0] if floats else np.float32)
    inputs = _inputs(plan, writer, example)
    value = _named_like(plan.input, [name for name, _, _ in inputs])
    found = list(leaves(_Emission(writer).block(plan, value)))
    outputs = ["output"] if len(found) == 1 else [f"output{i}" for i in range(1, len(found) + 1)]
    for name, output in zip(found, outputs, strict=True):
        writer.nodes.append(helper.make_node("Identity", [name], [output], output))
    kind = helper.np_dtype_to_tensor_dtype(writer.dtype)
    graph = helper.make_graph(
        writer.nodes,
        plan.typename.replace(".", "_"),
        [helper.make_tensor_value_info(*one) for one in inputs],
        [helper.make_tensor_value_info(name, kind, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in writer.initializers.items()],
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, producer_name="rekindle", opset_imports=opset, ir_version=9)
    try:
        inferred = shape_inference.infer_shapes(model, strict_mode=True)
    except shape_inference.InferenceError as error:
        raise OnnxError(
            f"the graph does not fit together, perhaps for an input of other dimensions than the "
            f"model takes; convert with an example input: {error}"
        ) from error
    for output, leaf in zip(inferred.graph.output, leaves(plan.output), strict=True):
        if not output.type.tensor_type.HasField("shape"):
            _set_rank(output, getattr(leaf, "ndim", None))
    return inferred


def _set_rank(output: Any, ndim: int | None) -> None:
    if ndim is None:
        raise OnnxError(
            f"the number of dimensions of {output.name} is not known; convert with an example input"
        )
    for _ in range(ndim):
        output.type.tensor_type.shape.dim.add()


def _parts(plan: Block) -> Iterator[Layer | Block]:
    yield plan
    for child in plan.children.values():
        if isinstance(child, Block):
            yield from _parts(child)
        else:
            yield child


def _tensors(plan: Block) -> Iterator[Tensor]:
    for part in _parts(plan):
        if isinstance(part, Layer):
            yield from part.state.values()
        else:
            yield from (*part.parameters.values(), *part.buffers.values())


def _missing(plan: Block) -> Iterator[str]:
    for part in _parts(plan):
        if isinstance(part, Layer):
            if part.kind not in LAYERS and part.kind not in GATES:
                yield f"{part.kind} is not an operation of ONNX"
            continue
        for expr in in_order(part.output):
            reason = unsupported(expr)
            if reason is not None:
                yield reason


def _inputs(plan: Block, writer: Writer, example: Any) -> list[tuple[str, int, list[Any]]]:
    """Return the name, the type and the dimensions of each input."""
    from onnx import TensorProto, helper

    parts = list(leaves(plan.input))
    given = list(_leaves_of(example)) if example is not None else []
    if len(given) != sum(1 for leaf in parts if not leaf.word):
        given = []  # a sequence of numbers, in one tensor here
    given += [None] * (len(parts) - len(given))
    ranks = [leaf.ndim for leaf in parts]
    known = [n for n in ranks if n is not None]
    indices = _index_inputs(plan)
    found = []
    for i, (leaf, rank, value) in enumerate(zip(parts, ranks, given, strict=True), 1):
        name = "input" if len(parts) == 1 else f"input{i}"
        is_index = id(leaf) in indices
        if rank is None:
            rank = 1 if is_index and known else max(known, default=None)
        if rank is None:
            raise OnnxError(
                f"the number of dimensions of {name} is not known; convert with an example input"
            )
        kind = helper.np_dtype_to_tensor_dtype(writer.dtype)
        if is_index or (isinstance(value, Tensor) and value.dtype.kind in "iu"):
            kind = TensorProto.INT64
        first = f"{name}_0" if leaf.word or leaf.steps else "batch"
        dims = [first, *(f"{name}_{d}" for d in range(1, rank))][:rank]
        found.append((name, kind, dims))
    return found


def _leaves_of(value: Any) -> Iterator[Any]:
    if isinstance(value, Table):
        for part in value.array():
            yield from _leaves_of(part)
    else:
        yield value


def _index_inputs(plan: Block) -> set[int]:
    """Return the ids of inputs that are used as indices only."""
    uses: dict[int, set[bool]] = {}
    _look(plan, {id(leaf): id(leaf) for leaf in leaves(plan.input)}, uses)
    return {source for source, found in uses.items() if found == {True}}


def _look(block: Block, known: dict[int, int], uses: dict[int, set[bool]]) -> None:
    """Note for each input whether its uses in a block are as indices.

    Parameters
    ----------
    known : dict
        The input of the plan that each input of the block is, by id.
    """
    for expr in in_order(block.output):
        child = block.children.get(expr.attrs["child"]) if expr.op == "call" else None
        if isinstance(child, Block):
            pairs = zip(leaves(child.input), leaves(expr.args[0]), strict=True)
            inner = {id(own): known[id(given)] for own, given in pairs if id(given) in known}
            _look(child, inner, uses)
            continue
        for leaf in (x for a in expr.args for x in leaves(a)):
            if id(leaf) in known:
                uses.setdefault(known[id(leaf)], set()).add(expr.op == "index")


def _named_like(value: Value, names: list[str]) -> Value:
    iterator = iter(names)
    return map_value(lambda leaf: next(iterator), value)


class _Emission:
    """Adds the nodes of blocks to a writer."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def block(self, block: Block, argument: Value) -> Value:
        """Add a block's nodes, and return the names of its outputs."""
        known: dict[int, Value] = {}
        for path, leaf in paths(block.input):
            known[id(leaf)] = at(argument, path)
        for expr in in_order(block.output):
            if expr.op != "input":
                known[id(expr)] = self._expr(block, expr, known)
        return map_value(lambda leaf: known[id(leaf)], block.output)

    def _expr(self, block: Block, expr: Expr, known: dict[int, Value]) -> Value:
        writer = self.writer
        if expr.op == "parameter":
            name = expr.attrs["name"]
            tensor = block.parameters.get(name)
            return writer.weight(block.buffers[name] if tensor is None else tensor, name)
        args = [map_value(lambda leaf: self._argument(leaf, known), a) for a in expr.args]
        if expr.op == "item":
            return at(args[0], expr.attrs["path"])
        if expr.op not in CALLS:
            return OPERATIONS[expr.op](writer, expr, args)
        name = expr.attrs["child"]
        child, outer = block.children[name], writer.scope
        if expr.op == "scan":
            assert isinstance(child, Block)
            return self._scan(child, name, args, expr.attrs["with_start"])
        writer.scope = ".".join(filter(None, (outer, name)))
        try:
            if isinstance(child, Block):
                return self.block(child, args[0])
            return self._layer(child, args[0], getattr(expr.args[0], "ndim", None))
        finally:
            writer.scope = outer

    def _scan(self, cell: Block, name: str, args: list[Any], with_start: bool) -> Value:
        """Add a loop of a cell over a sequence: a Scan whose body has the cell's nodes."""
        from onnx import helper

        writer = self.writer
        kind = helper.np_dtype_to_tensor_dtype(writer.dtype)
        sequence, *starts = args
        if with_start:
            sequence = sliced(writer, sequence, 0, 1, END)
        outer, scope, writer.nodes = writer.nodes, writer.scope, []
        writer.scope = ".".join(filter(None, (scope, name)))
        inputs = writer.names("state", len(starts)) + writer.names("step", 1)
        found = self.block(cell, (inputs[-1], *inputs[:-1]))
        states = list(found) if isinstance(found, tuple) else [found]
        outputs = writer.names("next", len(states)) + writer.names("shown", 1)
        for output, source in zip(outputs, [*states, states[0]], strict=True):
            writer.nodes.append(helper.make_node("Identity", [source], [output], output))
        body = helper.make_graph(
            writer.nodes,
            outputs[-1],
            [helper.make_tensor_value_info(one, kind, None) for one in inputs],
            [helper.make_tensor_value_info(one, kind, None) for one in outputs],
        )
        writer.nodes, writer.scope = outer, scope
        ends, (rows,) = writer.names("end", len(states)), writer.names("rows", 1)
        writer.nodes.append(
            helper.make_node(
                "Scan", [*starts, sequence], [*ends, rows], rows, body=body, num_scan_inputs=1
            )
        )
        if with_start:
            first = writer.node("Unsqueeze", starts[0], writer.integers([0]))
            rows = writer.node("Concat", first, rows, axis=0)
        return (rows, *ends)

    def _layer(self, layer: Layer, x: Any, ndim: int | None) -> Any:
        """Add a layer's nodes; one image becomes a batch of one and back, as ONNX has batches."""
        emit, alone = LAYERS[layer.kind], False
        if layer.kind.startswith(OF_IMAGES) and ndim is not None:
            alone = ndim == int(layer.kind[-2]) + 1
        if not alone:
            return emit(self.writer, layer, x, ndim)
        axis = self.writer.integers([0])
        batch = self.writer.node("Unsqueeze", x, axis)
        return self.writer.node("Squeeze", emit(self.writer, layer, batch, ndim), axis)

    def _argument(self, leaf: Any, known: dict[int, Value]) -> Any:
        return known[id(leaf)] if isinstance(leaf, Expr) else self.writer.number(leaf)
