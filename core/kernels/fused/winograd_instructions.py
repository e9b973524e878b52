"""The arithmetic of Winograd's convolution, on vectors: what the loops are made of.

That a compiler finds vectors in 16 or 32 loads, sums and stores at as many places is luck; here
they are written as LLVM's instructions. Places in memory are integers: bytes.

Source: A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", section 4.1,
whose matrices B, G and A for F(2x2, 3x3) these are.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic as _intrinsic

intrinsic: Any = _intrinsic
ir: Any = cgutils.ir


def _features() -> set[str]:
    given = numba.config.CPU_FEATURES
    return set((get_host_cpu_features() if given is None else given).split(","))


_WIDE = "+avx512f" in _features()
ENOUGH = _WIDE or {"+avx2", "+fma"} <= _features()
"""Whether the processor has the vectors and registers that the product below counts on."""

LANES = 16 if _WIDE else 8
ROWS, VECTORS = (8, 2) if _WIDE else (6, 2)
"""Rows and vectors of a product's result, which with what it reads fill the registers."""

PANEL = LANES * VECTORS
"""Columns of a product's result."""

_BYTE, _WORD, _SINGLE = ir.IntType(8), ir.IntType(64), ir.FloatType()
_VECTOR = ir.VectorType(_SINGLE, LANES)
_FUSED = ("contract",)
_INT = types.int64


def _number(value: int) -> Any:
    return ir.Constant(_WORD, value)


def _pointer(b: Any, place: Any, kind: Any) -> Any:
    return b.inttoptr(place, kind.as_pointer())


def _at(b: Any, base: Any, offset: Any, kind: Any) -> Any:
    """Return a pointer some bytes behind another."""
    return b.bitcast(b.gep(base, [offset], source_etype=_BYTE), kind.as_pointer())


def _read(b: Any, pointer: Any, kind: Any = _VECTOR) -> Any:
    return b.load(pointer, align=4, typ=kind)


def _write(b: Any, vector: Any, pointer: Any) -> None:
    b.store(vector, pointer, align=4)


def _repeated(b: Any, scalar: Any) -> Any:
    """Return a vector of one value."""
    nothing, index = ir.Constant(_VECTOR, ir.Undefined), ir.VectorType(ir.IntType(32), LANES)
    first = b.insert_element(nothing, scalar, ir.Constant(ir.IntType(32), 0))
    return b.shuffle_vector(first, nothing, ir.Constant(index, [0] * LANES))


def _both_ways(transform: Any, d: list[Any], width: int) -> list[Any]:
    """Transform the columns of a square table of vectors, then its rows; row after row."""
    columns = [transform(d[i::width]) for i in range(width)]
    rows = [transform(list(row)) for row in zip(*columns, strict=True)]
    return [vector for row in rows for vector in row]


def _places(b: Any, table: Any, count: int) -> list[Any]:
    """Read addresses."""
    base = _pointer(b, table, _BYTE)
    return [b.load(_at(b, base, _number(8 * i), _WORD), typ=_WORD) for i in range(count)]


def _apart(b: Any, first: Any, step: Any, count: int) -> list[Any]:
    """Return places that are `step` bytes apart."""
    return [b.add(first, b.mul(step, _number(i))) for i in range(count)]


def _write_apart(b: Any, vectors: list[Any], first: Any, step: Any) -> None:
    for vector, place in zip(vectors, _apart(b, first, step, len(vectors)), strict=True):
        _write(b, vector, _pointer(b, place, _VECTOR))


def product_of(rows: int) -> Any:
    """Return the function that multiplies `rows` rows by a panel of PANEL columns.

    It takes the place of the rows and the bytes from one to the next, the place of the panel,
    whose rows follow each other, that of the result and the bytes between its rows, and the number
    of columns of the one and rows of the other.
    """

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        left, left_step, right, out, out_step, count = args
        lines = [_pointer(b, b.add(left, b.mul(left_step, _number(r))), _BYTE) for r in range(rows)]
        panel, start = _pointer(b, right, _BYTE), b.basic_block
        loop, after = b.append_basic_block("loop"), b.append_basic_block("after")
        b.branch(loop)
        b.position_at_end(loop)
        k = b.phi(_WORD)
        sums = [[b.phi(_VECTOR) for _ in range(VECTORS)] for _ in range(rows)]
        offset = b.mul(k, _number(4 * PANEL))
        vectors = [
            _read(b, _at(b, panel, b.add(offset, _number(4 * LANES * v)), _VECTOR))
            for v in range(VECTORS)
        ]
        found = []
        for line, row in zip(lines, sums, strict=True):
            scalar = _repeated(b, _read(b, _at(b, line, b.mul(k, _number(4)), _SINGLE), _SINGLE))
            products = [b.fmul(scalar, vector, flags=_FUSED) for vector in vectors]
            found.append([b.fadd(s, p, flags=_FUSED) for s, p in zip(row, products, strict=True)])
        following = b.add(k, _number(1))
        k.add_incoming(_number(0), start)
        k.add_incoming(following, loop)
        for row, new in zip(sums, found, strict=True):
            for total, value in zip(row, new, strict=True):
                total.add_incoming(ir.Constant(_VECTOR, [0.0] * LANES), start)
                total.add_incoming(value, loop)
        b.cbranch(b.icmp_signed("<", following, count), loop, after)
        b.position_at_end(after)
        for r, row in enumerate(found):
            target = _pointer(b, b.add(out, b.mul(out_step, _number(r))), _BYTE)
            for v, value in enumerate(row):
                _write(b, value, _at(b, target, _number(4 * LANES * v), _VECTOR))
        return context.get_dummy_value()

    def product(context: Any, left: Any, left_step: Any, right: Any, out: Any, step: Any, k: Any):  # type: ignore[no-untyped-def]
        return types.void(*(_INT,) * 6), generate

    return intrinsic(product)


def _of_images(d: list[Any], b: Any) -> list[Any]:
    return [b.fsub(d[0], d[2]), b.fadd(d[1], d[2]), b.fsub(d[2], d[1]), b.fsub(d[1], d[3])]


def _of_filters(g: list[Any], b: Any) -> list[Any]:
    half = ir.Constant(_VECTOR, [0.5] * LANES)
    outer = b.fadd(g[0], g[2])
    sums = (b.fadd(outer, g[1]), b.fsub(outer, g[1]))
    return [g[0], *(b.fmul(s, half) for s in sums), g[2]]


def _of_results(m: list[Any], b: Any) -> list[Any]:
    return [b.fadd(b.fadd(m[0], m[1]), m[2]), b.fsub(b.fsub(m[1], m[2]), m[3])]


@intrinsic
def transform_pixels(context, places, offset, out, step):  # type: ignore[no-untyped-def]
    """Transform LANES channels of 4x4 pixels, `offset` behind 16 addresses that `places` lists.

    The 16 results go to `out` and on, `step` bytes from one to the next.
    """

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        places, offset, out, step = args
        d = [_read(b, _pointer(b, b.add(p, offset), _VECTOR)) for p in _places(b, places, 16)]
        v = _both_ways(lambda line: _of_images(line, b), d, 4)
        _write_apart(b, v, out, step)
        return context.get_dummy_value()

    return types.void(*(_INT,) * 4), generate


@intrinsic
def transform_taps(context, taps, tap_step, out, step):  # type: ignore[no-untyped-def]
    """Transform the 3x3 taps of LANES filters, `tap_step` bytes apart, into 16 vectors."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        taps, tap_step, out, step = args
        g = [_read(b, _pointer(b, place, _VECTOR)) for place in _apart(b, taps, tap_step, 9)]
        u = _both_ways(lambda line: _of_filters(line, b), g, 3)
        _write_apart(b, u, out, step)
        return context.get_dummy_value()

    return types.void(*(_INT,) * 4), generate


@intrinsic
def transform_products(context, m, step, places, offset, bias, least, seen):  # type: ignore[no-untyped-def]
    """Transform 16 vectors, `step` bytes apart, into LANES channels of 2x2 results.

    `places` lists four addresses of results and four of what is added to them; they and `bias`
    count from `offset` on. What is not above `least` becomes `least`. The vector at `seen` becomes
    nan where a result, before anything is added, is not finite.
    """

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        m, step, places, offset, bias, least, seen = args
        read = [_read(b, _pointer(b, place, _VECTOR)) for place in _apart(b, m, step, 16)]
        results = _both_ways(lambda line: _of_results(line, b), read, 4)
        addresses = [_pointer(b, b.add(p, offset), _VECTOR) for p in _places(b, places, 8)]
        more, least = _read(b, _pointer(b, b.add(bias, offset), _VECTOR)), _repeated(b, least)
        seen = _pointer(b, seen, _VECTOR)
        sign, zero = _read(b, seen), ir.Constant(_VECTOR, [0.0] * LANES)
        for y, target, added in zip(results, addresses[:4], addresses[4:], strict=True):
            sign = b.fadd(sign, b.fmul(y, zero, flags=_FUSED), flags=_FUSED)
            y = b.fadd(b.fadd(y, more), _read(b, added))
            y = b.select(b.fcmp_ordered("<=", y, least), least, y)  # nan stays nan
            _write(b, y, target)
        _write(b, sign, seen)
        return context.get_dummy_value()

    return types.void(*(_INT,) * 5, types.float32, _INT), generate
