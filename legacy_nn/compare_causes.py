"""Why two modules that should compute the same do not: what the evidence shows.

Each cause is looked for in the numbers themselves: in the settings of both modules, in their
parameters, and in what their outputs have in common.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from .compare_kinds import different_settings, kind_of, state_of
from .trace import Array, Call

CLOSE = 1e-5
"""Relative differences of parameters that are rounding."""

LARGEST = 1 << 22
"""Elements of an array whose dimensions are put into every order."""


def close(a: Array, b: Array, tol: float = CLOSE) -> bool:
    """Whether two arrays of one shape agree, relative to the largest element."""
    if a.shape != b.shape:
        return False
    if not a.size:
        return True
    scale = float(np.abs(b).max())
    difference = np.abs(a.astype(np.float64) - b.astype(np.float64)).max()
    return bool(difference <= tol * max(scale, 1e-30))


def causes(a: Call, b: Call, inputs_agree: bool) -> list[str]:
    """Return the likely causes, the likeliest first; empty if nothing is found."""
    found = list(_layouts(a, b))
    if kind_of(a.module) == kind_of(b.module):
        found += _settings(a, b)
        found += _indices(a, b)
        found += _parameters(a, b)
    if not inputs_agree and a.inputs and b.inputs:
        found += list(_orders(a.inputs[0], b.inputs[0], "input"))
    if not found and not inputs_agree:
        found.append(
            "the inputs differ already: something between the last modules that agree and "
            "these, which has no counterpart"
        )
    return found


NOTES = {
    "eps": "what is added to the variance",
    "ceil_mode": "whether pooling rounds its output size up",
    "count_include_pad": "whether averages count the padding",
    "momentum": "how fast running moments follow; some count what is kept, not what is new",
    "probability": "how much is dropped in training",
}


def _settings(a: Call, b: Call) -> Iterator[str]:
    for name, (ours, theirs) in different_settings(a.module, b.module).items():
        if name == "momentum" and not _moments_differ(a, b):
            continue  # it only says what becomes of the running moments
        yield _told(name, ours, theirs)


def _told(name: str, ours: object, theirs: object) -> str:
    note = f" ({NOTES[name]})" if name in NOTES else ""
    return f"{name} is {_short(ours)} in a and {_short(theirs)} in b{note}"


def unseen(a: Call, b: Call) -> list[str]:
    """Return settings that differ, and show in training or not yet, of modules that agree."""
    if kind_of(a.module) != kind_of(b.module):
        return []
    found = different_settings(a.module, b.module)
    return [
        _told(name, *found[name]) for name in ("momentum", "eps", "probability") if name in found
    ]


def _moments_differ(a: Call, b: Call) -> bool:
    ours, theirs = state_of(a.module), state_of(b.module)
    names = ("running_mean", "running_var")
    return any(n in ours and n in theirs and not close(ours[n], theirs[n]) for n in names)


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _layouts(a: Call, b: Call) -> Iterator[str]:
    """Look for the same values in another order of dimensions or blocks."""
    if not a.outputs or not b.outputs:
        return
    yield from _orders(a.outputs[0], b.outputs[0], "output")


def _orders(ours: Array, theirs: Array, what: str) -> Iterator[str]:
    order = dimension_order(ours, theirs)
    if order is not None:
        yield (
            f"layout: b's {what} is a's with the dimensions in the order {order}"
            + (" (sequence first or batch first)" if sorted(order)[:2] != list(order)[:2] else "")
        )
    elif ours.size == theirs.size and close(np.sort(ours.ravel()), np.sort(theirs.ravel())):
        yield (
            f"layout: both {what}s have the same numbers in another order (what is flattened has "
            "its planes first in one and last in the other)"
        )


def dimension_order(a: Array, b: Array) -> tuple[int, ...] | None:
    """Return the order of dimensions in which `a` is `b`; None if it is in none but its own."""
    if a.ndim != b.ndim or a.ndim > 5 or a.size > LARGEST or a.size < 2 or a.ndim < 2:
        return None
    for order in permutations(range(a.ndim)):
        turned = a.transpose(order)
        if order != tuple(range(a.ndim)) and turned.shape == b.shape and close(turned, b):
            return order
    return None


def _indices(a: Call, b: Call) -> Iterator[str]:
    """Look for indices that one counts from 1 and the other from 0."""
    if kind_of(a.module) != "embedding" or not (a.inputs and b.inputs):
        return
    ours, theirs = a.inputs[0], b.inputs[0]
    if ours.size != theirs.size:
        return
    tables = state_of(a.module).get("weight"), state_of(b.module).get("weight")
    if tables[0] is None or tables[1] is None or not close(tables[0], tables[1]):
        return
    table, index = tables[0], ours.ravel().astype(int)
    shift = theirs.ravel().astype(int) - index
    if not shift.any() and a.outputs and b.outputs:
        rows = [call.outputs[0].reshape(-1, table.shape[1]) for call in (a, b)]
        bases = [_base(table, index, found) for found in rows]
        if None not in bases and bases[0] != bases[1]:
            yield (
                f"1-based index: the same indices count rows from {bases[0]} in a and from "
                f"{bases[1]} in b: subtract 1 for the one that counts from 0"
            )
    elif (shift == shift[0]).all():
        yield f"1-based index: b's indices are a's plus {shift[0]}, and both read them alike"


def _base(table: Array, index: Array, rows: Array) -> int | None:
    for base in (0, 1):
        at = index - base
        if at.min() >= 0 and at.max() < len(table) and close(table[at], rows):
            return base
    return None


# -- parameters -------------------------------------------------------------------------------


def _parameters(a: Call, b: Call) -> Iterator[str]:
    ours, theirs = state_of(a.module), state_of(b.module)
    for name, value in ours.items():
        other = theirs.get(name)
        if other is None or value.size != other.size or not value.size:
            continue
        shaped = value.reshape(other.shape)
        if close(shaped, other):
            continue
        why = (
            _variance(name, value.ravel(), other.ravel(), a)
            or gates(shaped, other)
            or _turned(name, value, other)
        )
        yield f"{name} differs{why or ''}"
    missing = [n for n in ("weight", "bias") if (n in ours) != (n in theirs)]
    for name in missing:
        holder, lacking = ("a", "b") if name in ours else ("b", "a")
        values = (ours if name in ours else theirs)[name]
        if np.any(values != (1 if name == "weight" else 0)):
            yield f"{holder} has a {name}, {lacking} has none"


def gates(a: Array, b: Array) -> str | None:
    """Return in which order the blocks of `a` are those of `b`, for the gates of LSTM and GRU."""
    for count in (4, 3, 2):
        if a.shape[0] % count or a.shape[0] < 2 * count:
            continue
        ours, theirs = np.split(a, count), np.split(b, count)
        for order in permutations(range(count)):
            if order != tuple(range(count)) and all(
                close(ours[i], block) for i, block in zip(order, theirs, strict=True)
            ):
                return (
                    f": gate order: b's {count} blocks of rows are a's in the order "
                    f"{', '.join(str(i) for i in order)}"
                )
    return None


def _turned(name: str, a: Array, b: Array) -> str | None:
    if a.ndim == 2 and b.ndim == 2 and close(a.T.reshape(b.shape), b):
        return ": layout: b's is a's transposed"
    shaped = a.reshape(b.shape)
    if b.ndim >= 3:
        spatial = tuple(range(2, b.ndim))
        if close(np.flip(shaped, spatial), b):
            return ": layout: b's kernels are a's upside down (convolution and correlation)"
        if close(shaped[:, ::-1], b):
            return ": layout: b's input planes are a's in reverse (BGR and RGB)"
        if shaped.shape[0] == shaped.shape[1] and close(np.swapaxes(shaped, 0, 1), b):
            return ": layout: b's has input and output planes exchanged"
    if name == "bias" and not b.any():
        return ": b's is 0"
    return None


def _variance(name: str, a: Array, b: Array, call: Call) -> str | None:
    """Look for a variance that is biased in one and not in the other, or kept another way."""
    if name != "running_var" or not (np.all(a > 0) and np.all(b > 0)):
        return None
    ratio = float(np.median(b / a))
    eps = getattr(call.module, "eps", 1e-5)
    if close(1 / np.sqrt(a + eps), b, 1e-3) or close(1 / np.sqrt(b + eps), a, 1e-3):
        return ": one is the variance, the other 1 / sqrt(variance + eps)"
    if close(a * ratio, b, 1e-4):
        n = ratio / (ratio - 1) if ratio > 1 else 1 / (1 - ratio)
        if n >= 1.5 and abs(n - round(n)) < 0.02 * n:
            which = "a's is biased and b's is not" if ratio > 1 else "b's is biased and a's is not"
            return f": biased variance: {which}, for batches of {round(n)} values"
        return f": b's is a's times {ratio:.6g}"
    return None
