"""What a test of torch.Tester can assert.

Every method returns whether it holds. A message that is shown if it does not, and where there
is one a tolerance, may follow in any order.

Source: torch7 Tester.lua.
"""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from typing import Any

from rekindle.core.tensor import Tensor

from ..classes import TorchClass
from ..lualib import eq, ge, gt, le, lt, pcall, sub, tostring, truth, type_of
from ..lualib.calls import call, first
from ..lualib.patterns import find
from .errors import TorchError
from .memory import shape
from .tester_checks import are_equal, are_tensors_equal


class Asserts(TorchClass):
    """The asserting methods of torch.Tester."""

    _assertTensorEqIgnoresDims: bool

    @abstractmethod
    def _assert_sub(self, condition: Any, message: str) -> Any:
        """Log a success or a failure."""

    @abstractmethod
    def _warning(self, message: str) -> None:
        """Log a warning."""

    def assert_(self, condition: Any, *message: Any) -> Any:
        """Assert that a condition, a boolean, is true. In Lua its name is `assert`."""
        text = _message(message)
        if type_of(condition) != "boolean":
            self._warning(
                " :assert should only be used for boolean conditions. To check for non-nil "
                "variables, do this explicitly: Tester:assert(var ~= nil)."
            )
        return self._assert_sub(condition, f"{text}BOOL violation condition={tostring(condition)}")

    # -- equality of anything -----------------------------------------------------------

    def assertGeneralEq(self, got: Any, expected: Any, *rest: Any) -> Any:
        """Assert that two values of any kind are equal, within a tolerance of 0."""
        return self._eq_or_ne(got, expected, False, rest)

    def assertGeneralNe(self, got: Any, unexpected: Any, *rest: Any) -> Any:
        """Assert that two values of any kind differ by more than a tolerance of 0."""
        return self._eq_or_ne(got, unexpected, True, rest)

    eq = assertGeneralEq
    ne = assertGeneralNe

    def _eq_or_ne(self, got: Any, expected: Any, negate: bool, rest: tuple[Any, ...]) -> Any:
        tolerance, text = _tolerance_and_message(0, rest)
        success, reason = are_equal(got, expected, tolerance, negate)
        return self._assert_sub(success, text + (reason or ""))

    # -- numbers and plain values -------------------------------------------------------

    def assertlt(self, a: Any, b: Any, *message: Any) -> Any:
        """Assert that a < b."""
        text = _message(message)
        return self._assert_sub(lt(a, b), f"{text}LT failed: {tostring(a)} >= {tostring(b)}")

    def assertgt(self, a: Any, b: Any, *message: Any) -> Any:
        """Assert that a > b."""
        text = _message(message)
        return self._assert_sub(gt(a, b), f"{text}GT failed: {tostring(a)} <= {tostring(b)}")

    def assertle(self, a: Any, b: Any, *message: Any) -> Any:
        """Assert that a <= b."""
        text = _message(message)
        return self._assert_sub(le(a, b), f"{text}LE failed: {tostring(a)} > {tostring(b)}")

    def assertge(self, a: Any, b: Any, *message: Any) -> Any:
        """Assert that a >= b."""
        text = _message(message)
        return self._assert_sub(ge(a, b), f"{text}GE failed: {tostring(a)} < {tostring(b)}")

    def assertalmosteq(self, a: Any, b: Any, *rest: Any) -> Any:
        """Assert that two numbers differ by no more than a tolerance of 1e-16."""
        tolerance, text = _tolerance_and_message(1e-16, rest)
        return self._assert_sub(
            abs(sub(a, b)) <= tolerance,
            f"{text}ALMOST_EQ failed: {tostring(a)} ~= {tostring(b)} "
            f"with tolerance={tostring(tolerance)}",
        )

    def asserteq(self, a: Any, b: Any, *message: Any) -> Any:
        """Assert that a == b, for tensors and tables that they are the same."""
        text = _message(message)
        return self._assert_sub(eq(a, b), f"{text}EQ failed: {tostring(a)} ~= {tostring(b)}")

    def assertne(self, a: Any, b: Any, *message: Any) -> Any:
        """Assert that a ~= b, for tensors and tables that they are not the same."""
        text = _message(message)
        kind = type_of(a)
        if kind == "userdata" or (kind == "table" and type_of(b) == "table"):
            self._warning(
                " :assertne should only be used to compare basic lua objects (numbers, "
                "booleans, etc). Consider using either :assertGeneralNe or :assert(a ~= b)."
            )
        return self._assert_sub(not eq(a, b), f"{text}NE failed: {tostring(a)} == {tostring(b)}")

    # -- tensors and tables -------------------------------------------------------------

    def assertTensorEq(self, ta: Any, tb: Any, *rest: Any) -> Any:
        """Assert that the elements of two tensors are equal, within a tolerance of 0."""
        return self._tensor_eq_or_ne(ta, tb, False, rest)

    def assertTensorNe(self, ta: Any, tb: Any, *rest: Any) -> Any:
        """Assert that an element of two tensors differs by more than a tolerance of 0."""
        return self._tensor_eq_or_ne(ta, tb, True, rest)

    def _tensor_eq_or_ne(self, ta: Any, tb: Any, negate: bool, rest: tuple[Any, ...]) -> Any:
        for value, place in ((ta, "First"), (tb, "Second")):
            if not isinstance(value, Tensor):
                raise TorchError(f"{place} argument should be a Tensor")
        tolerance, text = _tolerance_and_message(0, rest)
        ignore = truth(self._assertTensorEqIgnoresDims)
        success, reason = are_tensors_equal(ta, tb, tolerance, negate, ignore)
        if ignore and not negate and success and shape(ta) != shape(tb):
            self._warning(
                "Tensors have the same content but different dimensions. For backwards "
                "compatibility, they are considered equal, but this may change in the future. "
                "Consider using :eq to check for equality instead."
            )
        return self._assert_sub(success, text + (reason or ""))

    def assertTableEq(self, ta: Any, tb: Any, *rest: Any) -> Any:
        """Assert that two tables have equal entries, all the way down."""
        return self._table_eq_or_ne(ta, tb, False, rest)

    def assertTableNe(self, ta: Any, tb: Any, *rest: Any) -> Any:
        """Assert that two tables have an entry that differs."""
        return self._table_eq_or_ne(ta, tb, True, rest)

    def _table_eq_or_ne(self, ta: Any, tb: Any, negate: bool, rest: tuple[Any, ...]) -> Any:
        for value, place in ((ta, "First"), (tb, "Second")):
            if type_of(value) != "table":
                raise TorchError(f"{place} argument should be a Table")
        return self._eq_or_ne(ta, tb, negate, rest)

    # -- errors -------------------------------------------------------------------------

    def assertError(self, f: Any, *message: Any) -> Any:
        """Assert that a call of `f` fails."""
        return self.assertErrorObj(f, lambda error: True, *message)

    def assertNoError(self, f: Any, *message: Any) -> Any:
        """Assert that a call of `f` does not fail."""
        text = _message(message)
        status, *results = pcall(f)
        return self._assert_sub(
            status, f"{text}ERROR violation: err={tostring(first(tuple(results)))}"
        )

    def assertErrorMsg(self, f: Any, errmsg: str, *message: Any) -> Any:
        """Assert that a call of `f` fails with this message."""
        return self.assertErrorObj(f, lambda error: error == errmsg, *message)

    def assertErrorPattern(self, f: Any, errPattern: str, *message: Any) -> Any:
        """Assert that a call of `f` fails with a message in which a Lua pattern is found."""
        return self.assertErrorObj(
            f, lambda error: first(find(error, errPattern)) is not None, *message
        )

    def assertErrorObj(self, f: Any, errcomp: Any, *message: Any) -> Any:
        """Assert that a call of `f` fails with an error that `errcomp` takes."""
        text = _message(message)
        status, *results = pcall(f)
        error = first(tuple(results))
        taken = not status and truth(first(call(errcomp, error)))
        return self._assert_sub(taken, f"{text}ERROR violation: err={tostring(error)}")


setattr(Asserts, "assert", Asserts.assert_)  # no method can be called so in Python's syntax


def _message(rest: tuple[Any, ...]) -> str:
    """Return the message of an assertion, on a line of its own."""
    if any(extra is not None for extra in rest[1:]):
        raise TorchError("Unexpected arguments passed to test function")
    message = rest[0] if rest else None
    if not truth(message):
        return ""
    if not isinstance(message, str):
        raise TorchError("message parameter must be a string")
    return f"{message}\n" if message else ""


def _tolerance_and_message(tolerance: float, rest: tuple[Any, ...]) -> tuple[float, str]:
    """Return the tolerance and the message of an assertion, which come in either order."""
    given: float | None = None
    message: str | None = None
    for value in rest:
        kind = type_of(value)
        if kind == "nil":
            break
        if kind == "string":
            if message is not None:
                raise TorchError("Unexpected string argument; already have message")
            message = f"{value}\n"
        elif kind == "number":
            if given is not None:
                raise TorchError("Unexpected number argument; already have tolerance")
            if value < 0:
                raise TorchError("tolerance cannot be negative")
            given = value
        else:
            raise TorchError("Unrecognized argument; should be a tolerance or message")
    return tolerance if given is None else given, message or ""


def debug_info() -> str:
    """Return where in a test the assertion stands: the last two calls below the tester's."""
    here = os.path.dirname(__file__)
    frames = []
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "_protected":
        if os.path.dirname(frame.f_code.co_filename) != here:
            frames.append(frame)
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return ""
    package = os.path.join(os.path.dirname(here), "lualib")
    lines = [
        f"\t{f.f_code.co_filename}:{f.f_lineno}: in function <{f.f_code.co_name}>"
        for f in frames
        if os.path.dirname(f.f_code.co_filename) != package
    ]
    return "\n".join(["stack traceback:", *lines][-2:])
