"""A picture of a model: its modules, and the shapes that flow between them.

What flows where is seen in a run: the tensor that one module returns is the tensor that
another is given. A model that does not run is drawn as the tree of its modules.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rekindle
from rekindle.legacy_nn.naming import Place
from rekindle.legacy_nn.trace import Call, Trace, TraceError

from .group import Problem, Unusable
from .guess import candidates, draw, draw_shapes
from .output import atomic_output, check_output
from .progress import working
from .reading import read_checkpoint, require_model
from .running import check_runs, dtype_of_model
from .survey import module_text, survey_model
from .talk import say

FORMATS = (".dot", ".svg")

HEAD = [
    "digraph model {",
    '  node [shape=box, style="rounded,filled", fillcolor="#eef3fb", fontname="Helvetica", '
    "fontsize=10];",
    '  edge [fontname="Helvetica", fontsize=9];',
]


def draw_graph(
    file: str, select: str | None, target: str, shapes: tuple[tuple[int, ...], ...], force: bool
) -> None:
    """Draw the model in a file.

    Raises
    ------
    Unusable
        For another format, or .svg without Graphviz.
    Problem
        If Graphviz fails.
    """
    extension = Path(target).suffix.lower()
    if extension not in FORMATS:
        raise Unusable(f"{target}: graphs are written to {' or '.join(FORMATS)}")
    program = shutil.which("dot") if extension == ".svg" else None
    if extension == ".svg" and program is None:
        raise Unusable(
            f"{target}: .svg needs Graphviz, which is not installed; write a .dot file, which "
            "https://dreampuf.github.io/GraphvizOnline shows, or install the package graphviz"
        )
    check_output(target, force=force)
    model = require_model(read_checkpoint(file, select))
    found, why = _run(model, shapes)
    lines = list(_tree(model) if found is None else _flow(found))
    text = "\n".join([*HEAD, *lines, "}", ""])
    with atomic_output(target) as temporary:
        if program is None:
            Path(temporary).write_text(text, encoding="utf-8")
        else:
            done = subprocess.run(
                [program, "-Tsvg", "-o", temporary], input=text, text=True, capture_output=True
            )
            if done.returncode:
                raise Problem(f"Graphviz does not draw the model: {done.stderr.strip()[:300]}")
    say(f"{target}: {sum('[label=' in line and '->' not in line for line in lines)} modules")
    if found is None:
        say(f"note: the tree of modules alone, without shapes: {why}", err=True)


def _run(model: Place, shapes: tuple[tuple[int, ...], ...]) -> tuple[Trace | None, str]:
    """Return a run of the model on random numbers; or None, and why there is none."""
    try:
        check_runs(model)
    except Problem as error:
        return None, error.message
    dtype = dtype_of_model(model)
    rekindle.torch_seed(123)
    if shapes:
        try:
            return rekindle.trace(model.value, draw_shapes(model.value, shapes, dtype, 123)), ""
        except TraceError as error:
            raise Problem(f"the model does not take an input of this shape: {error}") from error
    for candidate in candidates(model.value):
        with working("trying an input"):
            try:
                return rekindle.trace(model.value, draw(candidate, dtype, 123)), ""
            except TraceError:
                continue
    return None, "no input could be told from its first layers: give --graph-input SHAPE"


def _flow(found: Trace) -> Iterator[str]:
    """Yield a node for each call that made a tensor, and an edge for each tensor it was given.

    What is given is the same tensor that was made, or has the same numbers: sequencers copy what
    the modules inside them make, and modules make views.
    """
    makers = _Makers()
    last = found.calls[-1]
    yield '  "input" [label="input", shape=ellipse, fillcolor="#ffffff"];'
    for tensor, array in zip(last.read, last.inputs, strict=True):
        makers.add(tensor, array, "input")
    inside: dict[int, list[Call]] = {}
    for number, call in enumerate(found.calls):
        made = [pair for pair in _wrote(call) if not makers.has(*pair)]
        below = inside.pop(call.depth + 1, [])
        inside.setdefault(call.depth, []).append(call)
        if not call.leaf and not made:
            continue  # a container that hands on what a module inside it made
        node = f"m{number}"
        yield f'  "{node}" [label="{_label(call)}"];'
        read = [pair for inner in below for pair in _wrote(inner)]
        if call.leaf:
            read = list(zip(call.read, call.inputs, strict=True))
        edges = {(makers.of(t, a), id(t)): t for t, a in read}
        for (maker, _), tensor in edges.items():
            if maker not in (None, node):
                shape = "x".join(map(str, tensor.shape))
                yield f'  "{maker}" -> "{node}" [label=" {shape}"];'
        for tensor, array in _wrote(call) if call.leaf else made:
            makers.add(tensor, array, node)
    yield '  "output" [label="output", shape=ellipse, fillcolor="#ffffff"];'
    for tensor, array in _wrote(last):
        shape = "x".join(map(str, tensor.shape))
        yield f'  "{makers.of(tensor, array) or "input"}" -> "output" [label=" {shape}"];'


def _wrote(call: Call) -> list[tuple[Any, Any]]:
    """Return the tensors that a call returned, with their numbers then."""
    return list(zip(call.wrote, call.outputs, strict=True))


class _Makers:
    """Which node made a tensor: the same one with these numbers, or another with these."""

    def __init__(self) -> None:
        self._tensors: dict[int, tuple[str, Any]] = {}
        self._numbers: dict[Any, str] = {}

    def add(self, tensor: Any, array: Any, node: str) -> None:
        numbers = _numbers(array)
        self._tensors[id(tensor)] = node, numbers
        if numbers is not None:
            self._numbers[numbers] = node

    def has(self, tensor: Any, array: Any) -> bool:
        """Whether a tensor with these numbers was made."""
        return bool(self._tensors.get(id(tensor), ("", ""))[1] == _numbers(array))

    def of(self, tensor: Any, array: Any) -> str | None:
        """Return the node that made a tensor, or None."""
        numbers = _numbers(array)
        node, then = self._tensors.get(id(tensor), (None, None))
        if node is not None and then == numbers:
            return node
        return self._numbers.get(numbers, node) if numbers is not None else node


def _numbers(array: Any) -> Any:
    """Return what tells an array from others with other numbers; None where all are alike."""
    if not array.size or (array == array.flat[0]).all():
        return None
    return array.shape, hash(array.tobytes())


def _label(call: Call) -> str:
    name = call.name or "the model"
    return _escaped(f"{name}\n{module_text(call.module, not call.leaf)}")


def _tree(model: Place) -> Iterator[str]:
    """Yield the modules, each with those inside it."""
    for number, row in enumerate(survey_model(model).rows):
        text = f"{row.place.name or 'the model'}\n{module_text(row.place.value, row.has_modules)}"
        yield f'  "m{number}" [label="{_escaped(text)}"];'
        if row.parent >= 0:
            yield f'  "m{row.parent}" -> "m{number}" [arrowhead=none];'


def _escaped(text: Any) -> str:
    printable = "".join(c if c.isprintable() or c == "\n" else "?" for c in str(text))
    return printable.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
