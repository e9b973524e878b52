"""The loop of a chain, as code for LLVM, which makes machine code of it in milliseconds.

All steps of a program are taken for WIDTH elements at a time, in registers. What broadcasts along
the row is loaded once, and steps that only have such operands are taken once. numba, whose LLVM
this is, would take a second for a loop.
"""

from __future__ import annotations

import struct
from functools import lru_cache

import llvmlite.binding as llvm
import numpy as np

from ..programs import STEPS
from . import functions

WIDTH = 16 if llvm.get_host_cpu_features().get("avx512f") else 8
"""Elements that are computed together: those of two registers, of one with AVX-512."""

_VECTOR = f"<{WIDTH} x float>"
_WHOLE = f"<{WIDTH} x i32>"
_WIDE = f"<{WIDTH} x double>"
_MASK = f"<{WIDTH} x i1>"

_REDUCE = f"llvm.vector.reduce.fadd.v{WIDTH}f64"

_ARITHMETIC = ("fadd", "fsub", "fmul", "fdiv")
"""LLVM's names for the first steps."""


class Loop:
    """Machine code for a program.

    Attributes
    ----------
    address : int
        Of `double loop(const float **values, float *out, float *sums, int64 count)`, which
        computes `count` elements, WIDTH or more, and returns their sum if it was made for that.
    """

    def __init__(self, text: str) -> None:
        module = llvm.parse_assembly(text)
        module.verify()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=2
        )
        self._engine = llvm.create_mcjit_compiler(module, machine)  # frees the code with itself
        self._engine.finalize_object()
        self.address = self._engine.get_function_address("loop")


@lru_cache(maxsize=256)
def loop(steps: bytes, varying: tuple[bool, ...], sums: int, keep: bool) -> Loop:
    """Return the loop that takes some steps along a row.

    Parameters
    ----------
    steps : bytes
        Of the array that `core.kernels.chains.program` returned.
    varying : tuple of bool
        Which of the values change along the row; of others the first element is read.
    sums : int
        1 for the sum of the results, 2 to add them to `sums`, 0 for neither.
    keep : bool
        Whether to write the results into `out`.
    """
    rows: list[list[int]] = np.frombuffer(steps, np.int64).reshape(-1, 3).tolist()
    return Loop(_text(rows, varying, sums, keep))


def _text(rows: list[list[int]], varying: tuple[bool, ...], sums: int, keep: bool) -> str:
    before, inside, after = _Lines("b"), _Lines("i"), _Lines("a")
    inside.add("phi i64 [ 0, %entry ], [ %next, %round ]", "start")
    if sums == 1:
        inside.add(f"phi {_WIDE} [ zeroinitializer, %entry ], [ %grown, %round ]", "total")
    # The last round starts so early that it ends with the row: what it computes again it writes
    # again, but does not sum again.
    before.add(f"sub i64 %count, {WIDTH}", "last")
    inside.add("icmp ugt i64 %start, %last", "over")
    inside.add("select i1 %over, i64 %last, i64 %start", "here")
    names = []
    for k, varies in enumerate(varying):
        place = before.add(f"getelementptr ptr, ptr %values, i64 {k}")
        place = before.add(f"load ptr, ptr {place}")
        if varies:
            names.append(inside.loaded(place))
        else:
            names.append(_splat(before, "float", before.add(f"load float, ptr {place}")))
    along = [*varying]
    for step, a, b in rows:
        along.append(along[a] or along[b])
        names.append(_taken(inside if along[-1] else before, step, names[a], names[b]))
    result, whole = names[-1], "0.0"
    if keep:
        inside.store("%out", result)
    if sums:
        result = _once(inside, result)
    if sums == 1:
        wide = inside.add(f"fpext {_VECTOR} {result} to {_WIDE}")
        inside.add(f"fadd {_WIDE} %total, {wide}", "grown")
        whole = after.add(f"call reassoc double @{_REDUCE}(double 0.0, {_WIDE} %grown)")
    elif sums == 2:
        inside.store("%sums", inside.each("fadd", inside.loaded("%sums"), result))
    return f"""
declare double @{_REDUCE}(double, {_WIDE})

define double @loop(ptr %values, ptr noalias %out, ptr noalias %sums, i64 %count) {{
entry:
  {before}
  br label %round
round:
  {inside}
  %next = add i64 %start, {WIDTH}
  %more = icmp ult i64 %next, %count
  br i1 %more, label %round, label %end
end:
  {after}
  ret double {whole}
}}
"""


def _once(lines: _Lines, x: str) -> str:
    """Add x with 0 for what the round before summed."""
    skipped = lines.add("sub i64 %start, %here")
    skipped = _splat(lines, "i32", lines.add(f"trunc i64 {skipped} to i32"))
    lanes = ", ".join(f"i32 {k}" for k in range(WIDTH))
    mask = lines.add(f"icmp uge {_WHOLE} <{lanes}>, {skipped}")
    return lines.add(f"select {_MASK} {mask}, {_VECTOR} {x}, {_VECTOR} zeroinitializer")


class _Lines:
    """Instructions without branches, each of which makes a value."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.lines: list[str] = []

    def __str__(self) -> str:
        return "\n  ".join(self.lines)

    def add(self, instruction: str, name: str = "") -> str:
        """Add one and return the name of its value."""
        name = f"%{name or f'{self.prefix}{len(self.lines)}'}"
        self.lines.append(f"{name} = {instruction}")
        return name

    def loaded(self, start: str) -> str:
        """Add what lies behind the start of a row."""
        place = self.add(f"getelementptr float, ptr {start}, i64 %here")
        return self.add(f"load {_VECTOR}, ptr {place}, align 4")

    def store(self, start: str, x: str) -> None:
        """Write x behind the start of a row."""
        place = self.add(f"getelementptr float, ptr {start}, i64 %here")
        self.lines.append(f"store {_VECTOR} {x}, ptr {place}, align 4")

    def each(self, operation: str, x: str, y: str) -> str:
        """Add arithmetic; products and sums may be contracted."""
        return self.add(f"{operation} contract {_VECTOR} {x}, {y}")

    def whole(self, operation: str, x: str, y: str) -> str:
        """Add arithmetic of integers."""
        return self.add(f"{operation} {_WHOLE} {x}, {y}")

    def seen_as(self, kind: str, x: str) -> str:
        """Add the same bits as integers or floating numbers."""
        other = _VECTOR if kind == _WHOLE else _WHOLE
        return self.add(f"bitcast {other} {x} to {kind}")

    def polynomial(self, x: str, coefficients: tuple[np.float32, ...]) -> str:
        """Add a polynomial, highest power first."""
        result = _number(coefficients[0])
        for c in coefficients[1:]:
            result = self.each("fadd", self.each("fmul", result, x), _number(c))
        return result

    def bounded(self, compare: str, x: str, bound: np.float32) -> str:
        """Add x, or the bound where x is beyond it; nan stays."""
        limit = _number(bound)
        beyond = self.add(f"fcmp {compare} {_VECTOR} {x}, {limit}")
        return self.add(f"select {_MASK} {beyond}, {_VECTOR} {limit}, {_VECTOR} {x}")


def _splat(lines: _Lines, kind: str, x: str) -> str:
    vector = f"<{WIDTH} x {kind}>"
    first = lines.add(f"insertelement {vector} poison, {kind} {x}, i64 0")
    places = f"<{WIDTH} x i32> zeroinitializer"
    return lines.add(f"shufflevector {vector} {first}, {vector} poison, {places}")


def _number(value: np.float32) -> str:
    """Return the constant vector of a number; LLVM writes its bits in double precision."""
    bits = struct.pack(">d", float(value)).hex()
    return f"splat (float 0x{bits.upper()})"


def _integer(value: int) -> str:
    return f"splat (i32 {value})"


def _taken(lines: _Lines, step: int, x: str, y: str) -> str:
    """Add a step."""
    if step < len(_ARITHMETIC):
        return lines.each(_ARITHMETIC[step], x, y)
    return {"tanh": _tanh, "exp": _exp, "sigmoid": _sigmoid}[STEPS[step]](lines, x)


# The functions are those of functions.py, which says why.


def _reduced(lines: _Lines, x: str) -> tuple[str, str]:
    """Add n, as bits, and exp(r) - 1 for x = n * ln(2) + r."""
    scaled = lines.each("fmul", x, _number(functions.LOG2_E))
    shifted = lines.each("fadd", scaled, _number(functions.ROUND))
    n = lines.each("fsub", shifted, _number(functions.ROUND))
    for part in (functions.LN2_HIGH, functions.LN2_LOW):
        x = lines.each("fsub", x, lines.each("fmul", n, _number(part)))
    p = lines.polynomial(x, functions.EXPM1)
    p = lines.each("fmul", lines.each("fmul", p, x), x)
    bits = lines.whole("sub", lines.seen_as(_WHOLE, shifted), _integer(int(functions.ROUND_BITS)))
    return bits, lines.each("fadd", p, x)


def _power(lines: _Lines, n: str) -> str:
    """Add 2**n for n from -126 to 127."""
    bits = lines.whole("shl", lines.whole("add", n, _integer(127)), _integer(23))
    return lines.seen_as(_VECTOR, bits)


def _exp(lines: _Lines, x: str) -> str:
    x = lines.bounded("olt", x, functions.EXP_LOWEST)
    x = lines.bounded("ogt", x, functions.EXP_HIGHEST)
    n, p = _reduced(lines, x)
    half = lines.whole("ashr", n, _integer(1))
    p = lines.each("fadd", p, _number(np.float32(1)))
    p = lines.each("fmul", p, _power(lines, half))
    return lines.each("fmul", p, _power(lines, lines.whole("sub", n, half)))


def _sigmoid(lines: _Lines, x: str) -> str:
    one = _number(np.float32(1))
    small = _exp(lines, lines.add(f"fneg {_VECTOR} {x}"))
    return lines.each("fdiv", one, lines.each("fadd", one, small))


def _tanh(lines: _Lines, x: str) -> str:
    bits = lines.seen_as(_WHOLE, x)
    size = lines.seen_as(_VECTOR, lines.whole("and", bits, _integer(0x7FFFFFFF)))
    size = lines.bounded("ogt", size, functions.TANH_HIGHEST)
    n, p = _reduced(lines, lines.each("fadd", size, size))
    power = _power(lines, n)
    less = lines.each("fsub", power, _number(np.float32(1)))
    p = lines.each("fadd", lines.each("fmul", power, p), less)
    result = lines.each("fdiv", p, lines.each("fadd", p, _number(np.float32(2))))
    sign = lines.whole("and", bits, _integer(-0x80000000))
    return lines.seen_as(_VECTOR, lines.whole("or", lines.seen_as(_WHOLE, result), sign))
