"""The generated file: imports, classes and a function that loads the weights."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rekindle.core import nn
from rekindle.core.dtypes import float32
from rekindle.core.tensor import Tensor

from ..modernise.expressions import OPERATIONS
from ..modernise.plan import Block, Layer, Value
from .classes import REQUIRED, ClassDef, Classes
from .formatting import formatted
from .forward import Forward
from .grouping import grouped
from .members import Chain, Composite, Member, composites, tensor_key
from .simplify import simplified
from .spelling import Target, constructor, flat, literal
from .words import name_values

CONVERSIONS = {"float64": "double", "float16": "half"}


@dataclass(frozen=True, slots=True)
class Source:
    """A model as source text.

    Attributes
    ----------
    text : str
    state : dict of str to Tensor
        The weights by the names that the generated model has for them.
    class_name : str
    """

    text: str
    state: dict[str, Tensor]
    class_name: str


def source_of(
    plan: Block, name: str, origin: str, target: Target = "rekindle", weights: str = ""
) -> Source:
    """Return a plan as source text.

    Parameters
    ----------
    name : str
        Of the model's class.
    origin : str
        What it was converted from, for the file's docstring.
    target : {"rekindle", "torch"}
    weights : str
        The name of the file of weights, by default that of the source with .safetensors.
    """
    root = grouped(simplified(plan))
    for composite in composites(root):
        name_values(composite)
    classes = Classes(root, name)
    writer = _Writer(classes, target)
    bodies = [writer.class_text(made) for made in classes.defined]
    state, ties = _state(root, classes)
    body = "\n\n".join([*writer.helper_texts(), *bodies])
    frozen = list(_frozen(root, classes, ""))
    text = _file(body, name, origin, target, state, ties, frozen, weights)
    return Source(formatted(text), state, name)


class _Writer:
    """Writes the classes."""

    def __init__(self, classes: Classes, target: Target) -> None:
        self.classes = classes
        self.target = target
        self._helpers: dict[str, None] = {}

    def helper_texts(self) -> list[str]:
        """Return the functions that the classes written call."""
        for made in self.classes.defined:
            self._helpers |= Forward(made, self.target).helpers
        known = [OPERATIONS[name] for name in self._helpers]
        torch = self.target == "torch"
        return [(k.torch_helper or k.helper if torch else k.helper).strip() + "\n" for k in known]

    def class_text(self, made: ClassDef) -> str:
        """Return one class."""
        forward = Forward(made, self.target)
        whole = made is self.classes.defined[-1]
        summary = "The whole model." if whole else _summary(made)
        lines = [f"class {made.name}(nn.Module):", f'    """{summary}"""', ""]
        buffers = [f"    {name}: Tensor" for name in made.composite.buffers]
        lines += [*buffers, ""] if buffers else []
        arguments = "".join(f", {text}" for text in _signature(made))
        lines += [f"    def __init__(self{arguments}) -> None:", "        super().__init__()"]
        lines += [f"        {line}" for line in self._constructed(made)]
        inputs = "".join(f", {name}: {_type(part)}" for name, part in forward.parameters)
        returned = _type(made.composite.output)
        lines += ["", f"    def forward(self{inputs}) -> {returned}:"]
        lines += [f"        {line}" for line in forward.lines]
        return "\n".join(lines) + "\n"

    def _constructed(self, made: ClassDef) -> Iterator[str]:
        zeros = "torch.zeros" if self.target == "torch" else "rekindle.zeros"
        for name, tensor in made.composite.parameters.items():
            yield f"self.{name} = nn.Parameter({zeros}({self._shape(made, name, tensor)}))"
        for name, tensor in made.composite.buffers.items():
            yield f'self.register_buffer("{name}", {self._buffer(made, name, tensor)})'
        for key, attribute in made.attributes.items():
            node = self._member(made.composite.members[key], made, (attribute,))
            yield f"self.{attribute} = {flat(node)}"

    def _shape(self, made: ClassDef, name: str, tensor: Tensor) -> str:
        argument = made.slots.get((name, "shape"))
        if argument is not None:
            return argument
        sizes = tuple(tensor.shape)
        return flat(literal(sizes[0] if len(sizes) == 1 else sizes))

    def _buffer(self, made: ClassDef, name: str, tensor: Tensor) -> str:
        module = "torch" if self.target == "torch" else "rekindle"
        shape = tensor.shape
        square = len(shape) == 2 and shape[0] == shape[1]
        fixed = square and (name, "shape") not in made.slots
        if fixed and np.array_equal(tensor.numpy(), np.eye(shape[0])):
            return f"{module}.eye({shape[0]})"
        if tensor.dtype.kind in "iu":
            dtype = "torch.int64" if module == "torch" else '"int64"'
            return f"{module}.zeros({self._shape(made, name, tensor)}, dtype={dtype})"
        return f"{module}.zeros({self._shape(made, name, tensor)})"

    def _member(self, member: Member, made: ClassDef, where: tuple[str, ...]) -> ast.expr:
        if isinstance(member, Chain):
            items = [
                self._member(item, made, (*where, str(i))) for i, item in enumerate(member.items)
            ]
            call = ast.parse("nn.Sequential()", mode="eval").body
            assert isinstance(call, ast.Call)
            call.args = _repeated(items)
            return call
        values, _ = self.classes.arguments(member)
        slots = {k[-1]: n for k, n in made.slots.items() if k[:-1] == where}
        nodes: dict[str, ast.expr] = {}
        kind = member.kind if isinstance(member, Layer) else self.classes.of[id(member)].name
        for name in self._order(member, values, slots):
            if name in slots:
                nodes[name] = ast.Name(slots[name], ast.Load())
            else:
                nodes[name] = literal(values[name])
        return constructor(kind, nodes, "nn." if isinstance(member, Layer) else "")

    def _order(
        self, member: Layer | Composite, values: dict[str, Any], slots: dict[str, str]
    ) -> list[str]:
        """Return the names of the arguments that are written, in the constructor's order."""
        if isinstance(member, Layer):
            order = list(inspect.signature(getattr(nn, member.kind)).parameters)
        else:
            order = list(self.classes.of[id(member)].parameters)
        return [n for n in order if n in values or n in slots]


def _repeated(items: list[ast.expr]) -> list[ast.expr]:
    """Return arguments with three or more equal ones in a row as a loop."""
    texts = [flat(item) for item in items]
    found: list[ast.expr] = []
    i = 0
    while i < len(items):
        j = i
        while j < len(items) and texts[j] == texts[i]:
            j += 1
        if j - i >= 3:
            loop = f"[*({texts[i]} for _ in range({j - i}))]"
            inner = ast.parse(loop, mode="eval").body
            assert isinstance(inner, ast.List)
            found += inner.elts
        else:
            found += items[i:j]
        i = j
    return found


def _summary(made: ClassDef) -> str:
    words = {
        "ResidualBlock": "What its layers compute, added to their input.",
        "ProjectionBlock": "What two branches compute of the same input, added.",
        "InceptionBlock": "What several branches compute of the same input, joined.",
        "BranchBlock": "What two branches compute of the same input, joined.",
        "DenseBlock": "The input, joined with what its layers compute.",
        "ConvBlock": "A convolution and what follows it.",
        "Block": "A part of the model.",
        "Cell": "One step of a recurrent network.",
        "LSTMCell": "One step of an LSTM.",
        "PeepholeLSTMCell": "One step of an LSTM whose gates look at the cell, too.",
        "MaskedLSTMCell": "One step of an LSTM whose states are zeros after a step of zeros.",
        "GRUCell": "One step of gated recurrent units, which reset the state before its map.",
    }
    base = made.name.rstrip("0123456789")
    return words.get(base, f"What {made.composite.typename} is in the legacy model.")


def _signature(made: ClassDef) -> Iterator[str]:
    for name, default in made.parameters.items():
        kind = _argument_type(made, name)
        text = f"{name}: {kind}"
        yield text if default is REQUIRED else f"{text} = {flat(literal(default))}"


def _argument_type(made: ClassDef, name: str) -> str:
    if name.endswith("bias") or name.endswith(("affine", "ceil_mode", "count_include_pad")):
        return "bool"
    if name.endswith("shape"):
        return "tuple[int, ...]"
    if name.rpartition("_")[2] in ("eps", "momentum", "p", "slope", "alpha", "k", "beta"):
        return "float"
    return "int"


def _type(value: Value) -> str:
    if isinstance(value, tuple):
        return f"tuple[{', '.join(_type(part) for part in value) or '()'}]"
    return "Tensor"


# -- the weights ------------------------------------------------------------------------


def _transposed(state: dict[str, Tensor]) -> list[tuple[str, str]]:
    """Return which matrices are another's memory, transposed: decoders of autoencoders."""
    found: list[tuple[str, str]] = []
    seen: dict[Any, str] = {}
    for name, tensor in state.items():
        if tensor.ndim != 2 or min(tensor.shape) < 2:
            continue
        place = (id(tensor.storage()), tensor.storage_offset())
        turned = (*place, tensor.shape[::-1], tensor.stride()[::-1])
        if turned in seen:
            found.append((name, seen[turned]))
        seen.setdefault((*place, tensor.shape, tensor.stride()), name)
    return found


def _state(root: Composite, classes: Classes) -> tuple[dict[str, Tensor], list[tuple[str, str]]]:
    """Return the weights by name, and which names are another's tensor."""
    state: dict[str, Tensor] = {}
    owners: dict[Any, str] = {}
    ties: list[tuple[str, str]] = []
    for name, tensor, trained in _tensors(root, classes, ""):
        key = tensor_key(tensor)
        if trained and key in owners:
            ties.append((name, owners[key]))
        owners.setdefault(key, name)
        state[name] = tensor
    return state, ties


def _frozen(member: Member, classes: Classes, prefix: str) -> Iterator[str]:
    """Yield the names of weights that are not trained."""
    if isinstance(member, Layer):
        yield from (f"{prefix}{name}" for name in member.frozen)
    elif isinstance(member, Chain):
        for i, item in enumerate(member.items):
            yield from _frozen(item, classes, f"{prefix}{i}.")
    else:
        for key, attribute in classes.of[id(member)].attributes.items():
            yield from _frozen(member.members[key], classes, f"{prefix}{attribute}.")


def _tensors(member: Member, classes: Classes, prefix: str) -> Iterator[tuple[str, Tensor, bool]]:
    if isinstance(member, Layer):
        for name, tensor in member.state.items():
            yield f"{prefix}{name}", tensor, name.startswith(("weight", "bias"))
        if "running_mean" in member.state:
            yield f"{prefix}num_batches_tracked", Tensor(np.array(0)), False
        return
    if isinstance(member, Chain):
        for i, item in enumerate(member.items):
            yield from _tensors(item, classes, f"{prefix}{i}.")
        return
    for name, tensor in member.parameters.items():
        yield f"{prefix}{name}", tensor, True
    for name, tensor in member.buffers.items():
        yield f"{prefix}{name}", tensor, False
    attributes = classes.of[id(member)].attributes
    for key, attribute in attributes.items():
        yield from _tensors(member.members[key], classes, f"{prefix}{attribute}.")


# -- the file ---------------------------------------------------------------------------


def _file(
    body: str,
    name: str,
    origin: str,
    target: Target,
    state: dict[str, Tensor],
    ties: list[tuple[str, str]],
    frozen: list[str],
    weights: str,
) -> str:
    used = set(re.findall(r"\b(F|ops|torch|rekindle)\.", body))
    here = (
        f'Path(__file__).with_name("{weights}")'
        if weights
        else ('Path(__file__).with_suffix(".safetensors")')
    )
    dtypes = [t.dtype for t in state.values() if t.dtype.kind == "f"]
    lines = [f"    model = {name}()"]
    if dtypes and dtypes[0] != float32:
        lines.append(f"    model.{CONVERSIONS[dtypes[0].name]}()")
    if state:
        lines.append("    model.load_state_dict(load_file(weights))")
    lines += [f"    {_path(a)} = {_path(b)}" for a, b in ties]
    lines += [f"    {_path(name)}.requires_grad_(False)" for name in frozen]
    lines += [
        f"    {_path(a)} = nn.Parameter({_path(b)}.detach().T)" for a, b in _transposed(state)
    ]
    lines.append("    return model.eval()")
    header = f'"""{name}: a model of Torch7, converted from {origin} by Rekindle."""'
    parameter = "weights: str | Path = WEIGHTS" if state else ""
    loading = [
        f"def load({parameter}) -> {name}:",
        '    """Return the model with its weights, in evaluation mode."""',
        *lines,
    ]
    text = [header, "", "from __future__ import annotations", ""]
    if state:
        text += ["from pathlib import Path", ""]
    text += _imports(target, used, bool(state))
    if state:
        text += ["", f"WEIGHTS = {here}"]
    return "\n".join([*text, "", "", body, "", *loading, ""])


def _path(name: str) -> str:
    """Return the Python expression of a name in a state_dict: model.layers[0].weight."""
    text = "model"
    for part in name.split("."):
        text += f"[{part}]" if part.isdigit() else f".{part}"
    return text


def _imports(target: Target, used: set[str], state: bool) -> list[str]:
    if target == "torch":
        lines = ["import torch"] if "torch" in used else []
        lines += ["import torch.nn.functional as F"] if "F" in used else []
        lines += ["from safetensors.torch import load_file"] if state else []
        return [*lines, "from torch import Tensor, nn"]
    lines = ["import rekindle"] if "rekindle" in used else []
    lines += ["from rekindle import Tensor, nn"]
    core = ["from rekindle.core import ops"] if "ops" in used else []
    core += ["from rekindle.core.nn import functional as F"] if "F" in used else []
    load = ["from safetensors.numpy import load_file"] if state else []
    return [*lines, *core, *load]
