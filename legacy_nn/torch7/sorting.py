"""Sorting and selection, with Torch7's order among equals.

Torch7's quicksort and quickselect are not stable, and programs see the indices. Where a row
holds equal elements, its own steps are repeated here; otherwise NumPy sorts.
Source: torch7 lib/TH/generic/THTensorMath.c.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from rekindle.core.tensor import Tensor

from .errors import BadArgument
from .functions import described
from .memory import Array, dims, shape, store, values

_SMALL = 10
"""Runs up to this length are left to the insertion sort at the end."""

Row = list[Any]


def _partition(arr: Row, idx: Row, left: int, right: int, less: Callable[..., bool]) -> Any:
    """Put a pivot at `left` in its place; return the first of the right part, and the place."""

    def swap(a: int, b: int) -> None:
        arr[a], arr[b] = arr[b], arr[a]
        idx[a], idx[b] = idx[b], idx[a]

    swap((left + right) >> 1, left + 1)
    if less(arr[right], arr[left + 1]):
        swap(left + 1, right)
    if less(arr[right], arr[left]):
        swap(left, right)
    if less(arr[left], arr[left + 1]):
        swap(left + 1, left)
    i, j, pivot = left + 1, right, arr[left]
    while True:
        i += 1
        while less(arr[i], pivot):
            i += 1
        j -= 1
        while less(pivot, arr[j]):
            j -= 1
        if j < i:
            break
        swap(i, j)
    swap(left, j)
    return i, j


def _quicksort(arr: Row, idx: Row, less: Callable[..., bool]) -> None:
    stack: list[tuple[int, int]] = []
    left, right = 0, len(arr) - 1
    done = right <= _SMALL
    while not done:
        i, j = _partition(arr, idx, left, right, less)
        on_left, on_right = j - left, right - i + 1
        if on_left <= _SMALL and on_right <= _SMALL:
            if stack:
                left, right = stack.pop()
            else:
                done = True
        elif on_left <= _SMALL or on_right <= _SMALL:
            if on_left > on_right:
                right = j - 1
            else:
                left = i
        elif on_left > on_right:
            stack.append((left, j - 1))
            left = i
        else:
            stack.append((i, right))
            right = j - 1
    for i in range(len(arr) - 2, -1, -1):
        if less(arr[i + 1], arr[i]):
            value, place = arr[i], idx[i]
            j = i + 1
            while True:
                arr[j - 1], idx[j - 1] = arr[j], idx[j]
                j += 1
                if j >= len(arr) or not less(arr[j], value):
                    break
            arr[j - 1], idx[j - 1] = value, place


def _quickselect(arr: Row, idx: Row, k: int) -> None:
    left, right = 0, len(arr) - 1
    while right > left:
        if right == left + 1:
            if arr[left] > arr[right]:
                arr[left], arr[right] = arr[right], arr[left]
                idx[left], idx[right] = idx[right], idx[left]
            return
        i, j = _partition(arr, idx, left, right, operator.lt)
        if j <= k:
            left = i
        if j >= k:
            right = j - 1


def _sorted(row: Array, descending: bool) -> tuple[Row, Row]:
    """Return the elements of a row in order, and where they were, from 0."""
    order = np.argsort(row, kind="stable")
    ordered = row[order]
    if row.size < 2 or bool(np.all(ordered[1:] > ordered[:-1])):
        if descending:
            order, ordered = order[::-1], ordered[::-1]
        return ordered.tolist(), order.tolist()
    arr, idx = row.tolist(), list(range(row.size))
    _quicksort(arr, idx, operator.gt if descending else operator.lt)
    return arr, idx


def _by_row(src: Tensor, dim: int, work: Callable[[Array], tuple[Row, Row]]) -> Any:
    """Return what `work` makes of each row along `dim`: values, and indices from 1."""
    array = np.moveaxis(values(src), dim, -1)
    pairs = [work(row) for row in array.reshape(-1, array.shape[-1])]
    length = len(pairs[0][0])
    sizes = (*array.shape[:-1], length)
    found = np.array([p[0] for p in pairs], array.dtype).reshape(sizes)
    places = np.array([p[1] for p in pairs], np.int64).reshape(sizes) + 1
    return np.moveaxis(found, -1, dim), np.moveaxis(places, -1, dim)


def _store_both(res: Tensor, index: Tensor, found: Any, name: str) -> None:
    store(res, found[0], name)
    store(index, found[1], name)


def _check(src: Tensor, dim: int, position: int, message: str) -> None:
    if not 0 <= dim < dims(src):
        raise BadArgument(position, message)


PICKED = "*res=new *index:LongTensor=new src"


@described("sort", f"{PICKED} dim:index=last descending:boolean=false")
def sort(res: Tensor, index: Tensor, src: Tensor, dim: int, descending: bool) -> None:
    """Elements in order along a dimension, and where they were."""
    _check(src, dim, 2, f"invalid dimension {dim + 1}")
    _store_both(res, index, _by_row(src, dim, lambda row: _sorted(row, descending)), "sort")


@described("topk", f"{PICKED} k:long=1 dim:index=last largest:boolean=false ordered:boolean=false")
def topk(
    res: Tensor, index: Tensor, src: Tensor, k: int, dim: int, largest: bool, ordered: bool
) -> None:
    """Compute the k smallest or largest elements along a dimension, and where they were."""
    _check(src, dim, 3, "dim not in range")
    if not 0 < k <= shape(src)[dim]:
        raise BadArgument(2, "k not in range for dimension")

    def work(row: Array) -> tuple[Row, Row]:
        arr, idx = row.tolist(), list(range(row.size))
        start = row.size - k if largest else 0
        if not largest:
            _quickselect(arr, idx, k - 1)
        elif start:
            _quickselect(arr, idx, start - 1)
        arr, idx = arr[start : start + k], idx[start : start + k]
        if ordered and largest:
            _quicksort(arr, idx, operator.gt)
        elif ordered:  # Torch7 leaves the last, which quickselect has put in its place
            head, places = arr[: k - 1], idx[: k - 1]
            _quicksort(head, places, operator.lt)
            arr, idx = head + arr[k - 1 :], places + idx[k - 1 :]
        return arr, idx

    _store_both(res, index, _by_row(src, dim, work), "topk")


def _kth(res: Tensor, index: Tensor, src: Tensor, k: int, dim: int, name: str) -> None:
    def work(row: Array) -> tuple[Row, Row]:
        arr, idx = row.tolist(), list(range(row.size))
        _quickselect(arr, idx, k - 1)
        return [arr[k - 1]], [idx[k - 1]]

    _store_both(res, index, _by_row(src, dim, work), name)


@described("kthvalue", f"{PICKED} k:long dim:index=last")
def kthvalue(res: Tensor, index: Tensor, src: Tensor, k: int, dim: int) -> None:
    """Compute the k-th smallest element along a dimension, and where it was."""
    _check(src, dim, 3, "dimension out of range")
    if not 0 < k <= shape(src)[dim]:
        raise BadArgument(2, "selected index out of range")
    _kth(res, index, src, k, dim, "kthvalue")


@described("median", f"{PICKED} dim:index=last")
def median(res: Tensor, index: Tensor, src: Tensor, dim: int) -> None:
    """Compute the middle element along a dimension, the lower of two, and where it was."""
    _check(src, dim, 3, "dimension out of range")
    _kth(res, index, src, ((shape(src)[dim] - 1) >> 1) + 1, dim, "median")


@described("mode", f"{PICKED} dim:index=last")
def mode(res: Tensor, index: Tensor, src: Tensor, dim: int) -> None:
    """Find the most frequent element along a dimension, the least of several, and its place."""
    _check(src, dim, 3, "dimension out of range")

    def work(row: Array) -> tuple[Row, Row]:
        arr, idx = _sorted(row, descending=False)
        best, place, most, count = 0, 0, 0, 0
        for i, value in enumerate(arr):
            count += 1
            if i == len(arr) - 1 or value != arr[i + 1]:
                if count > most:
                    best, place, most = value, idx[i], count
                count = 0
        return [best], [place]

    _store_both(res, index, _by_row(src, dim, work), "mode")
