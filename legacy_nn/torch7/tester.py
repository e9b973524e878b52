"""torch.Tester: test functions that are run one by one, and a report.

Source: torch7 Tester.lua, doc/tester.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from rekindle.core.checkpoint import Table

from ..classes import torch_class
from ..lualib import _G, call, first, ipairs, pairs, tostring, truth, type_of
from ..lualib.patterns import match
from .errors import TorchError
from .tester_asserts import Asserts, debug_info
from .tester_run import report, run_tests
from .tester_suite import TestSuite


@torch_class("torch.Tester")
class Tester(Asserts):
    """Runs tests, counts what they assert, and prints a report.

    Attributes
    ----------
    tests : Table
        The functions by name.
    errors, warnings : Table
        Texts, in order.
    countasserts : int
        How many assertions the last run made.
    environment : Table
        The program's global variables: a report is printed with its `io.write`.
    """

    __test__ = False  # pytest would collect it
    environment: Any = _G
    lua_methods = ("_addDebugInfo", "_assert_sub", "_failure", "_success", "_warning")
    """Methods that classes derived in Lua override, whatever their names."""
    countasserts: int

    def __init__(self) -> None:
        self.errors = Table()
        self.tests = Table()
        self.warnings = Table()
        self._warningCount = Table()
        self.disabledTests = Table()
        self._currentTestName = ""
        self._assertTensorEqIgnoresDims = True
        self.assertionPass = Table()
        self.assertionFail = Table()
        self.testError = Table()

    def setEarlyAbort(self, earlyAbort: bool) -> None:
        """Say whether a run ends with the first test that fails."""
        self.earlyAbort = earlyAbort

    def setRethrowErrors(self, rethrow: bool) -> None:
        """Say whether errors and failures leave `run` as errors."""
        self.rethrow = rethrow

    def setSummaryOnly(self, summaryOnly: bool) -> None:
        """Say whether the report leaves out the text of errors and warnings."""
        self.summaryOnly = summaryOnly

    def _print(self, text: str) -> None:
        call(self.environment["io"]["write"], text)

    def _flush(self) -> None:
        call(self.environment["io"]["flush"])

    # -- what happened ------------------------------------------------------------------

    def _success(self) -> Any:
        self._count(self.assertionPass)
        return True

    def _failure(self, message: str) -> Any:
        if truth(getattr(self, "rethrow", None)):
            raise TorchError(message)
        self._count(self.assertionFail)
        self.errors[len(self.errors) + 1] = self._addDebugInfo(message)
        return False

    def _warning(self, message: str) -> None:
        self._count(self._warningCount)
        self.warnings[len(self.warnings) + 1] = self._addDebugInfo(message)

    def _count(self, counts: Table) -> None:
        name = self._currentTestName
        counts[name] = counts.get(name, 0) + 1

    def _addDebugInfo(self, message: str) -> str:
        name = self._currentTestName
        start = f"{name}\n" if name else ""
        return f"{start}{message}\n{debug_info()}"

    def _assert_sub(self, condition: Any, message: str) -> Any:
        """Log a success or a failure, by methods that a program may replace in an instance."""
        method, args = ("_success", ()) if truth(condition) else ("_failure", (message,))
        replaced = self.__dict__.get(method)
        if replaced is not None:
            # It is called as a method is where the bridge, or Python, has bound it.
            owned = self in (getattr(replaced, "owner", None), getattr(replaced, "__self__", None))
            return call(replaced, *args) if owned else call(replaced, self, *args)
        return getattr(self, method)(*args)

    # -- the tests ----------------------------------------------------------------------

    def add(self, f: Any, name: str | None = None) -> Self:
        """Add a test function under a name, or all of a TestSuite or table.

        `_setUp` and `_tearDown` are called with the name of each test, before and after it.

        Raises
        ------
        TorchError
            For a name that there is already, and for what is no function.
        """
        if type_of(f) == "table":
            if name is not None:
                raise TorchError(
                    "Name parameter is forbidden for a table of tests, since its use is ambiguous"
                )
            if isinstance(f, TestSuite):
                found = list(f.tests())
            elif isinstance(f, Table) and truth(f.get("__isTestSuite")):
                found = list(pairs(f["__tests"]))
            else:
                self._warning("Should use TestSuite rather than plain lua table")
                found = list(pairs(f))
            for key, test in found:
                if type_of(test) == "table":
                    raise TorchError("Nested sets of tests are not supported")
                self.add(test, key)
            return self
        if type_of(f) != "function":
            raise TorchError("Only tables of functions and functions supported")
        if name in ("_setUp", "_tearDown"):
            if name in self.__dict__:
                kind = "set-up" if name == "_setUp" else "tear-down"
                raise TorchError(f"Only one {kind} function allowed")
            setattr(self, name, f)
            return self
        name = "unknown" if name is None else name
        if name in self.tests:
            raise TorchError(f"Test with name {tostring(name)} already exists!")
        self.tests[name] = f
        return self

    def disable(self, testNames: Any) -> Self:
        """Skip a test, or several.

        Raises
        ------
        TorchError
            For a name that there is not.
        """
        for name in _names(testNames, "Expecting name or list for disable"):
            if name not in self.tests:
                raise TorchError(f"Unrecognized test '{name}'")
            self.disabledTests[name] = True
        return self

    def run(self, testNames: Any = None) -> int:
        """Run all tests, or those whose names match one of the patterns given.

        Raises
        ------
        TorchError
            At the end, if any failed.
        """
        tests = self._getTests(testNames)
        self.assertionPass, self.assertionFail = Table(), Table()
        self.haveWarning, self.testError = Table(), Table()
        for name, _ in pairs(tests):
            for counts in (self.assertionPass, self.assertionFail, self.testError):
                counts[name] = 0
            self._warningCount[name] = 0
        run_tests(self, tests)
        report(self, tests)
        for name, _ in pairs(tests):
            if self.assertionFail[name] or self.testError[name]:
                raise TorchError("An error was found while running tests!")
        return 0

    def _getTests(self, testNames: Any) -> Table:
        if testNames is None:
            return self.tests
        patterns = _names(
            testNames, "Only accept a name or table of test names (or nil for all tests)"
        )
        tests = Table()
        for pattern in patterns:
            names = [n for n, _ in pairs(self.tests) if first(match(n, pattern)) is not None]
            if not names:
                raise TorchError(f"Couldn't find test '{pattern}'")
            for name in names:
                tests[name] = self.tests[name]
        return tests


def _names(given: Any, otherwise: str) -> list[Any]:
    if type_of(given) == "string":
        return [given]
    if type_of(given) != "table":
        raise TorchError(otherwise)
    return [name for _, name in ipairs(given)]


CLASSES: dict[str, type] = {"torch.Tester": Tester}
FUNCTIONS: dict[str, Callable[..., Any]] = {"TestSuite": TestSuite}
