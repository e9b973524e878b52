"""Whether what Lua code returned through the bridge is what Torch7 returned."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from rekindle.core.checkpoint import LuaFunction as StoredFunction
from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.checkpoint.torch_types import storage_class, tensor_class
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.bridge.values import LuaFunction, OwnMethod
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.torch7.memory import shape
from rekindle.legacy_nn.torch7.sizes import strides

TOLERANCE = {"d": 1e-10, "f": 1e-5, "e": 1e-3}

_POSITION = re.compile(r"(?m)^(?:\[string \"[^\n]*?\"\]|\S+?\.lua|[\w/.-]+):\d+: ")
_PLACE_IN_C = re.compile(r" at \S+\.c:\d+")


def without_positions(message: str) -> str:
    """Return an error's text without lines of source files, which are where Torch7 was installed.

    LuaJIT names the function of "bad argument" after the variable that is called, and does not
    count `self` where it sees a method call; both are cut too.
    """
    text = _PLACE_IN_C.sub("", _POSITION.sub("", message))
    text = re.sub(r"bad argument #\d+ to '[^']*' \((.*)\)", r"\1", text)
    return text.split("\nstack traceback")[0].strip()


def differences(actual: Any, expected: Any, place: str = "") -> Iterator[str]:
    """Yield where two values differ, and how.

    Tensors are compared in type, sizes, strides, offset, size of the storage and values.
    """
    if isinstance(expected, Tensor):
        if not isinstance(actual, Tensor):
            yield f"{place}: {actual!r:.80} is no tensor"
        else:
            yield from _tensor_differences(actual, expected, place)
    elif isinstance(expected, Storage):
        if not isinstance(actual, Storage):
            yield f"{place}: {actual!r:.80} is no storage"
        elif storage_class(actual.dtype) != storage_class(expected.dtype):
            yield f"{place}: {actual.dtype} for {expected.dtype}"
        elif actual.size != expected.size or not _close(actual.array, expected.array):
            yield f"{place}: {actual.tolist()} for {expected.tolist()}"
    elif isinstance(expected, Table):
        if not isinstance(actual, Table):
            yield f"{place}: {actual!r:.80} is no table"
            return
        if set(expected) == {"message"}:
            yield from _error_differences(actual, expected, place)
            return
        for key in sorted({*actual, *expected}, key=str):
            yield from differences(actual.get(key), expected.get(key), f"{place}.{key}")
    elif isinstance(expected, StoredFunction):
        if not isinstance(actual, (LuaFunction, OwnMethod)):
            yield f"{place}: {actual!r:.80} is no function"
    elif isinstance(expected, TorchObject):
        name = getattr(actual, "t7_typename", type(actual).__name__)
        if name != expected.t7_typename:
            yield f"{place}: {name} for {expected.t7_typename}"
        else:
            yield from differences(actual.t7_fields(), expected.t7_fields(), place)
    elif isinstance(expected, float) or (
        isinstance(expected, int) and not isinstance(expected, bool)
    ):
        if isinstance(actual, bool) or not isinstance(actual, (int, float)):
            yield f"{place}: {actual!r:.80} for {expected!r}"
        elif not _close(np.float64(actual), np.float64(expected)):
            yield f"{place}: {actual!r} for {expected!r}"
    elif isinstance(expected, str) and isinstance(actual, str):
        if _bytes(actual) != _bytes(expected):
            yield f"{place}: {actual!r:.400} for {expected!r:.400}"
    elif isinstance(expected, Module):
        if type(actual) is not type(expected):
            yield f"{place}: {type(actual).__name__} for {type(expected).__name__}"
            return
        given, wanted = Table(vars(actual)), Table(vars(expected))
        for key in sorted({*given, *wanted}):
            yield from differences(given.get(key), wanted.get(key), f"{place}.{key}")
    elif type(actual) is not type(expected) or actual != expected:
        yield f"{place}: {actual!r:.400} for {expected!r:.400}"


def _bytes(text: str) -> bytes:
    """Return the bytes of a string of Lua's, or of one from a file."""
    return text.encode(
        "latin-1" if max(text, default="") < "\u0100" else "utf-8", "surrogateescape"
    )


def _error_differences(actual: Table, expected: Table, place: str) -> Iterator[str]:
    found = actual.get("message")
    if not isinstance(found, str):
        yield f"{place}: no error"
        return
    said, wanted = without_positions(found), without_positions(expected["message"])
    # Rekindle says which module it was and what it was given, beside Torch7's words.
    at = 0
    for line in wanted.removesuffix(" .").removesuffix(".").split("\n"):
        at = said.find(line, at)
        if at < 0:
            yield f"{place}: {said!r} for {wanted!r}"
            return


def _tensor_differences(actual: Tensor, expected: Tensor, place: str) -> Iterator[str]:
    for what, of in (
        ("type", lambda t: tensor_class(t.dtype)),
        ("size", shape),
        ("stride", strides),
        ("offset", lambda t: t.storage_offset()),
        ("storage", lambda t: t.storage().size if t.size else 0),
    ):
        if of(actual) != of(expected):
            yield f"{place} {what}: {of(actual)} for {of(expected)}"
            return
    if not _close(actual.numpy(), expected.numpy()):
        yield f"{place} values: {actual.numpy()} for {expected.numpy()}"


def _close(actual: Any, expected: Any) -> bool:
    if expected.dtype.kind != "f":
        return bool(np.array_equal(actual, expected))
    a, b = np.float64(actual), np.float64(expected)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return False
    largest = np.abs(b[finite]).max(initial=0)
    tolerance = TOLERANCE[expected.dtype.char] * largest
    return bool((np.abs(a[finite] - b[finite]) <= max(tolerance, math.ulp(0.0))).all())
