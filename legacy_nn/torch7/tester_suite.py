"""torch.TestSuite: test functions by name, each name once.

Source: torch7 TestSuite.lua.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from rekindle.core.checkpoint import Table

from ..lualib import pairs, tostring, type_of
from .errors import TorchError


class TestSuite:
    """Test functions, as attributes or by index.

    Examples
    --------
    >>> tests = TestSuite()
    >>> def addition():
    ...     pass
    >>> tests.addition = addition
    >>> list(tests)
    ['addition']
    """

    __test__ = False  # pytest would collect it
    lua_type: ClassVar[str] = "table"

    def __init__(self) -> None:
        self.__dict__.update({"__tests": Table(), "__isTestSuite": True})

    @property
    def _tests(self) -> Table:
        tests: Table = self.__dict__["__tests"]
        return tests

    def __getitem__(self, name: Any) -> Any:
        return self._tests.get(name)

    def __getattr__(self, name: str) -> Any:
        test = None if name.startswith("__") else self._tests.get(name)
        if test is None:
            raise AttributeError(f"the suite has no test {name!r}")
        return test

    def __setitem__(self, name: Any, test: Any) -> None:
        if name in self._tests:
            raise TorchError(f"Test {tostring(name)} is already defined.")
        if type_of(test) == "table":
            raise TorchError("Nested tables of tests are not supported")
        if type_of(test) != "function":
            raise TorchError("Only functions are supported as members of a TestSuite")
        self._tests[name] = test

    def __setattr__(self, name: str, test: Any) -> None:
        self[name] = test

    def __iter__(self) -> Iterator[Any]:
        return (name for name, _ in self.tests())

    def tests(self) -> Iterator[tuple[Any, Any]]:
        """Return the names and functions in order."""
        return iter(pairs(self._tests))
