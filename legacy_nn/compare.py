"""compare: the first place where two models that should be the same differ, and why.

trace.py records both; compare_kinds.py says which modules are of one kind, compare_causes.py
what may be the reason of a difference. Matching and the report are here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from rekindle.core.errors import RekindleError

from .compare_causes import causes, unseen
from .compare_kinds import SHAPERS, fingerprint, kind_of
from .trace import Array, Call, Trace, TraceError, trace

TOLERANCES = {"float64": 1e-9, "float32": 1e-4, "float16": 2e-2}
"""Relative differences that are rounding, by the coarser type of the two outputs."""


class CompareError(RekindleError, ValueError):
    """Arguments that two models cannot be compared with."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two calls that should compute the same.

    Attributes
    ----------
    a, b : Call
    error : float
        The largest difference of their outputs, relative to the largest element of b's; inf
        where shapes differ.
    input_error : float
        Likewise of their inputs.
    tolerance : float
    """

    a: Call = field(repr=False)
    b: Call = field(repr=False)
    error: float
    input_error: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the outputs agree within the tolerance."""
        return self.error <= self.tolerance

    @property
    def paths(self) -> tuple[str, str]:
        """The two modules."""
        return self.a.path, self.b.path


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first pair that differs.

    Attributes
    ----------
    path_a, path_b : str
    error : float
    causes : list of str
        The likeliest first; empty if nothing was found.
    text : str
        All of it, as it is printed.
    """

    path_a: str
    path_b: str
    error: float
    causes: list[str]
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    equal : bool
        Whether the outputs agree.
    error : float
        The relative difference of the outputs.
    pairs : list of Pair
        What was matched, in a's order; the models themselves are last.
    first : Divergence or None
        None where the outputs agree and modules were matched by order.
    unmatched : tuple of list of str
        The paths in a, and in b, that have no counterpart; without modules that only reshape.
    notes : list of str
        Settings of modules that agree which differ, and show in training: momentum, eps,
        probabilities of dropping.
    """

    equal: bool
    error: float
    pairs: list[Pair]
    first: Divergence | None
    unmatched: tuple[list[str], list[str]]
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        modules = f"{len(self.pairs) - 1} modules matched"
        if self.first is None:
            text = f"equal: {modules}, outputs differ by {self.error:.2g}"
            return "\n".join([text, *(f"  but {note}" for note in self.notes)])
        return self.first.text


def compare(
    a: Any,
    b: Any,
    x: Any,
    match: str | Mapping[str, str] = "order",
    *,
    x_b: Any = None,
    tol: float | None = None,
    train: bool = False,
    quiet: bool = False,
) -> Comparison:
    """Run two models on an input, and print where they first differ and why.

    Parameters
    ----------
    a, b : legacy_nn.Module, core.nn.Module or torch.nn.Module
        Any two; their modes and hooks are as before afterwards.
    x : Tensor, ndarray, or Table or tuple of these
        The input of both; floats are converted to each model's type.
    match : "order" or mapping
        Which modules belong together. By order, modules of one kind that come in one order,
        or that have the same weights, wherever they are. A mapping goes from paths in a to
        paths in b; paths with 0-based numbers are understood too.
    x_b : optional
        The input of b, where it takes another: indices from 0.
    tol : float, optional
        Largest relative difference that is none; by default 1e-9 for float64, 1e-4 for float32.
    train : bool
        Compare in training mode.
    quiet : bool
        Print nothing.

    Returns
    -------
    Comparison
        True if the outputs agree; its text is what was printed.

    Raises
    ------
    CompareError
        For a path that names nothing that was called, or models that give no tensor.
    TraceError
        If a model does not take the input.

    Examples
    --------
    >>> import rekindle
    >>> from rekindle import legacy_nn, nn
    >>> old = legacy_nn.Sequential().add(legacy_nn.SpatialBatchNormalization(2, 1e-3, 0.1, False))
    >>> new = nn.Sequential(nn.BatchNorm2d(2, affine=False))
    >>> found = rekindle.compare(old, new, rekindle.ones((1, 2, 3, 3)))
    first difference: modules[1] (nn.SpatialBatchNormalization) and 0 (BatchNorm2d)
      outputs of 1x2x3x3 and 1x2x3x3 differ by 0.00049 of the largest element
      inputs agree; nothing before it was matched
      likely cause: eps is 0.001 in a and 1e-05 in b (what is added to the variance)
    >>> found.first.path_b
    '0'
    """
    ours, theirs = trace(a, x, train=train), _second(b, x, x_b, train)
    if match == "order":
        matched = _by_order(ours.leaves, theirs.leaves)
    elif isinstance(match, Mapping):
        matched = [(_called(ours, p, "a"), _called(theirs, q, "b")) for p, q in match.items()]
    else:
        raise CompareError(f"match is 'order' or a mapping of paths; given {match!r}")
    whole = ours.calls[-1], theirs.calls[-1]
    if not (whole[0].outputs and whole[1].outputs):
        raise CompareError("one of the models gives no tensor: there is nothing to compare")
    position = {id(call): i for i, call in enumerate(ours.calls)}
    matched.sort(key=lambda pair: position[id(pair[0])])
    pairs = [_paired(*pair, tol) for pair in [*(m for m in matched if m != whole), whole]]
    used = {id(call) for pair in pairs for call in (pair.a, pair.b)}
    left = tuple(
        [c for c in t.leaves if id(c) not in used and kind_of(c.module) not in SHAPERS]
        for t in (ours, theirs)
    )
    result = Comparison(
        pairs[-1].agrees,
        pairs[-1].error,
        pairs,
        None if pairs[-1].agrees and match == "order" else _first(pairs, (left[0], left[1])),
        ([c.path for c in left[0]], [c.path for c in left[1]]),
        [f"{p.a.path} and {p.b.path}: {n}" for p in pairs if p.agrees for n in unseen(p.a, p.b)],
    )
    if not quiet:
        print(result)
    return result


def _second(b: Any, x: Any, x_b: Any, train: bool) -> Trace:
    try:
        return trace(b, x if x_b is None else x_b, train=train)
    except TraceError as error:
        if x_b is None and isinstance(error.__cause__, LookupError):
            raise TraceError(
                f"{error}; likely cause: 1-based index: a took these indices, which count from 1, "
                "and b counts from 0: give b its own input as x_b"
            ) from error.__cause__
        raise


# -- which belong together ----------------------------------------------------------------------


def _by_order(ours: list[Call], theirs: list[Call]) -> list[tuple[Call, Call]]:
    """Return pairs: modules with the same weights, and those of one kind in one order."""
    keys = [_keys(ours), _keys(theirs)]
    shared = keys[0].keys() & keys[1].keys()
    pairs = [(keys[0][key], keys[1][key]) for key in shared]
    tokens: dict[int, Any] = {}
    for number, (call_a, call_b) in enumerate(pairs):
        tokens[id(call_a)] = tokens[id(call_b)] = number
    rows = [
        [call for call in calls if id(call) in tokens or kind_of(call.module) not in SHAPERS]
        for calls in (ours, theirs)
    ]
    words = [[tokens.get(id(call), kind_of(call.module)) for call in row] for row in rows]
    matcher = SequenceMatcher(None, words[0], words[1], autojunk=False)
    for i, j, size in matcher.get_matching_blocks():
        pairs += [
            (call_a, call_b)
            for call_a, call_b in zip(rows[0][i : i + size], rows[1][j : j + size], strict=True)
            if id(call_a) not in tokens and id(call_b) not in tokens
        ]
    return pairs


def _keys(calls: list[Call]) -> dict[Any, Call]:
    """Return the calls that their weights alone tell from all others."""
    prints = [(kind_of(call.module), fingerprint(call.module)) for call in calls]
    counts = Counter(prints)
    return {
        key: call
        for key, call in zip(prints, calls, strict=True)
        if key[1] is not None and counts[key] == 1
    }


def _called(found: Trace, path: str, which: str) -> Call:
    for call in found.calls:
        if path in (call.path, call.name):
            return call
    names = ", ".join(call.path for call in found.calls[:30])
    raise CompareError(f"nothing was called at {path!r} in {which}; there are {names}")


# -- how far apart ------------------------------------------------------------------------------


def _paired(a: Call, b: Call, tol: float | None) -> Pair:
    if tol is None:
        kinds = [x.dtype.name for x in (*a.outputs[:1], *b.outputs[:1])]
        tol = max((TOLERANCES.get(kind, 1e-9) for kind in kinds), default=1e-9)
    return Pair(a, b, _error(a.outputs, b.outputs), _error(a.inputs, b.inputs), tol)


def _error(a: list[Array], b: list[Array]) -> float:
    """Return the largest relative difference; modules that give states too give them last."""
    if not a or not b:
        return 0.0 if not a and not b else np.inf
    return max(_distance(x, y) for x, y in zip(a, b, strict=False))


def _distance(a: Array, b: Array) -> float:
    if tuple(n for n in a.shape if n != 1) != tuple(n for n in b.shape if n != 1):
        flat = a.ndim != b.ndim and a.size == b.size and a.shape[:1] == b.shape[:1]
        if not flat:
            return float(np.inf)
    if not a.size:
        return 0.0
    ours, theirs = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    if same.all():
        return 0.0
    with np.errstate(invalid="ignore"):
        difference = np.abs(ours - theirs)[~same].max()
        scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=0)
    if not np.isfinite(difference):
        return float(np.inf)
    return float(difference / scale) if scale else float(difference)


def _first(pairs: list[Pair], left: tuple[list[Call], list[Call]]) -> Divergence | None:
    """Return the first difference: one whose inputs agree, if there is one, is where it began."""
    wrong = [pair for pair in pairs if not pair.agrees]
    if not wrong:
        return None
    first = wrong[0]
    before = [pair for pair in pairs[: pairs.index(first)] if pair.agrees]
    inputs_agree = first.input_error <= first.tolerance
    found = causes(first.a, first.b, inputs_agree)
    shapes = " and ".join(
        "x".join(map(str, call.outputs[0].shape)) for call in (first.a, first.b) if call.outputs
    )
    lines = [
        f"first difference: {first.a.path} ({first.a.kind}) and {first.b.path} ({first.b.kind})",
        f"  outputs of {shapes} differ by {first.error:.2g} of the largest element",
        f"  inputs {'agree' if inputs_agree else f'differ by {first.input_error:.2g}'}; "
        + (f"{len(before)} pairs before it agree" if before else "nothing before it was matched"),
    ]
    lines += [f"  likely cause: {cause}" for cause in found]
    if not found and not any(left):
        lines.append("  likely cause: none was found; compare what the two compute line by line")
    if any(left) and (not inputs_agree or not found):
        lines.append(f"  without a counterpart: {_listed(left[0])} in a, {_listed(left[1])} in b")
    return Divergence(first.a.path, first.b.path, first.error, found, "\n".join(lines))


def _listed(calls: list[Call]) -> str:
    paths = [f"{call.path} ({call.kind})" for call in calls]
    return (
        ", ".join(paths[:6]) + (f" and {len(paths) - 6} more" if len(paths) > 6 else "") or "none"
    )
