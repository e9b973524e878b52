"""Names of attributes and classes, by what is in them."""

from __future__ import annotations

import keyword
import re
from collections import Counter

from rekindle.core import nn

from ..modernise.plan import Expr, Layer, in_order, leaves
from .members import Chain, Composite, Member, inside

BASES = {
    "LSTM": "lstm",
    "LSTMCell": "lstm",
    "GRU": "gru",
    "RNN": "rnn",
    "Conv": "conv",
    "ConvTranspose": "upconv",
    "BatchNorm": "bn",
    "InstanceNorm": "norm",
    "LocalResponseNorm": "lrn",
    "Linear": "fc",
    "Bilinear": "bilinear",
    "Embedding": "embedding",
    "MaxPool": "pool",
    "AvgPool": "avgpool",
    "AdaptiveAvgPool": "avgpool",
    "AdaptiveMaxPool": "pool",
    "Dropout": "dropout",
    "PReLU": "prelu",
    "RReLU": "rrelu",
    "Upsample": "upsample",
    "PixelShuffle": "shuffle",
    "ReflectionPad": "pad",
    "ReplicationPad": "pad",
    "ZeroPad": "pad",
}


RESERVED = frozenset(
    {
        *dir(nn.Module()),
        # Attributes of torch.nn.Module that Rekindle's modules do not have.
        *("T_destination", "bfloat16", "call_super_init", "compile", "dump_patches", "get_buffer"),
        *("get_extra_state", "get_parameter", "get_submodule", "ipu", "mtia", "set_extra_state"),
        *("register_load_state_dict_post_hook", "register_state_dict_pre_hook", "set_submodule"),
        *("register_load_state_dict_pre_hook", "register_module", "share_memory", "to_empty"),
        *("register_state_dict_post_hook", "type", "xpu"),
        *("F", "Path", "Tensor", "WEIGHTS", "load", "nn", "ops", "rekindle", "self", "torch"),
    }
)
"""Names that attributes and variables of generated classes cannot have."""


def kinds_in(member: Member) -> Counter[str]:
    """Return how often each kind of layer is in a member."""
    if isinstance(member, Layer):
        return Counter([re.sub(r"\dd$", "", member.kind)])
    total: Counter[str] = Counter()
    for _, inner in inside(member):
        total += kinds_in(inner)
    return total


def snake(name: str) -> str:
    """Return a class's name as that of an instance: ResidualBlock, residual_block."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def base_name(member: Member, class_names: dict[int, str], siblings: list[Member]) -> str:
    """Return what a member is called, without a number."""
    if isinstance(member, Layer):
        kind = re.sub(r"\dd$", "", member.kind)
        return BASES.get(kind, snake(kind))
    if isinstance(member, Composite):
        if member.typename.startswith("cell."):
            return "cell"
        name = class_names.get(id(member), "Block")
        if member.typename == "nn.InstanceNormalization":
            return "norm"
        return "block" if name.rstrip("0123456789").endswith("Block") else snake(name)
    kinds = kinds_in(member)
    images = any("Conv" in kind for kind in kinds)
    if all(isinstance(item, Composite) for item in member.items):
        made = [s for s in siblings if isinstance(s, Chain) and isinstance(s.items[0], Composite)]
        return "layer" if len(made) > 1 else "blocks"
    if any(isinstance(item, (Chain, Composite)) for item in member.items):
        return "features" if len(chains_in(siblings)) == 1 else "layer"
    if len(chains_in(siblings)) > 1 and images:
        return "layer"
    if images:
        return "features"
    return "classifier" if "Linear" in kinds and len(siblings) > 1 else "layers"


def chains_in(members: list[Member]) -> list[Chain]:
    """Return the chains among members that have convolutions in them."""
    chains = [m for m in members if isinstance(m, Chain)]
    return [c for c in chains if any("Conv" in kind for kind in kinds_in(c))]


def branch_names(composite: Composite) -> dict[str, str]:
    """Return names for chains that start from the same value: the branches of a block."""
    starts: dict[int, list[str]] = {}
    for expr in in_order(composite.output):
        if expr.op == "call" and isinstance(composite.members[expr.attrs["child"]], Chain):
            source = expr.args[0]
            if isinstance(source, Expr):
                starts.setdefault(id(source), []).append(expr.attrs["child"])
    added = _added(composite)
    names: dict[str, str] = {}
    for group in starts.values():
        group = list(dict.fromkeys(group))
        if added and set(group) <= set(added):
            longest = max(group, key=lambda n: sum(kinds_in(composite.members[n]).values()))
            for name in group:
                names[name] = "residual" if name == longest else "shortcut"
        elif len(group) > 1 or _joined(composite) & set(group):
            names.update(dict.fromkeys(group, "branch"))
    return names


def _joined(composite: Composite) -> set[str]:
    """Return the members whose outputs are joined with others."""
    parts = [a for e in in_order(composite.output) if e.op == "cat" for a in e.args]
    return {a.attrs["child"] for a in parts if isinstance(a, Expr) and a.op == "call"}


def _added(composite: Composite) -> list[str]:
    """Return the members of which a sum of two is made, if there is one such sum."""
    sums = [e for e in in_order(composite.output) if e.op == "add"]
    if len(sums) != 1:
        return []
    parts = [a for a in sums[0].args if isinstance(a, Expr)]
    return [a.attrs["child"] for a in parts if a.op == "call"] if len(parts) == 2 else []


def attribute_names(composite: Composite, class_names: dict[int, str]) -> dict[str, str]:
    """Return the attribute that each member becomes."""
    siblings = list(composite.members.values())
    branches = branch_names(composite)
    bases = {
        key: composite.hints.get(key)
        or branches.get(key)
        or base_name(member, class_names, siblings)
        for key, member in composite.members.items()
    }
    totals = Counter(bases.values())
    taken = {*composite.parameters, *composite.buffers, *RESERVED}
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for key, base in bases.items():
        name = base
        if totals[base] > 1 or name in taken or keyword.iskeyword(name):
            counts[base] += 1
            name = f"{base}{counts[base]}"
            while name in taken:
                counts[base] += 1
                name = f"{base}{counts[base]}"
        taken.add(name)
        names[key] = name
    return names


def class_base(composite: Composite) -> str:
    """Return what a composite's class is called, without a number."""
    ops = [e for e in in_order(composite.output) if e.op not in ("input", "call", "item")]
    names = {e.op for e in ops}
    inputs = list(leaves(composite.input))
    if composite.typename.startswith("cell."):
        return f"{composite.typename.removeprefix('cell.')}Cell"
    sums = [e for e in ops if e.op == "add" and all(isinstance(a, Expr) for a in e.args)]
    last = composite.output
    while isinstance(last, Expr) and last.op == "call" and isinstance(last.args[0], Expr):
        last = last.args[0]
    if sums == [last] and len(inputs) == 1 and not composite.parameters:
        calls = [_calls(part) for part in sums[0].args]
        return "ProjectionBlock" if all(calls) else "ResidualBlock"
    if composite.typename == CONVOLUTION:
        return "ConvBlock"
    if names & {"cat", "depth_cat"}:
        joined = next(e for e in ops if e.op in ("cat", "depth_cat"))
        if any(part is composite.input for part in joined.args):
            return "DenseBlock"
        return "InceptionBlock" if len(joined.args) > 2 else "BranchBlock"
    if composite.typename == "nn.gModule":
        return "Cell" if len(inputs) > 1 else "Graph"
    if composite.parameters and composite.typename not in ("nn.Sequential", "nn.Inception"):
        return composite.typename.partition(".")[2] or composite.typename
    return "Block"


def _calls(value: Expr) -> bool:
    """Whether a member is called for a value."""
    return any(e.op == "call" for e in in_order(value))


CONVOLUTION = "convolution"
"""The typename of composites made of a convolution and what follows it."""
