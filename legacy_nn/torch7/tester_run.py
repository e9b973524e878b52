"""Running the tests of a torch.Tester, and what is printed of it.

Source: torch7 Tester.lua, _run and _report.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from rekindle.core.checkpoint import Table

from ..lualib import call, first, pairs, traceback, truth
from ..lualib.protection import xpcall

if TYPE_CHECKING:
    from .tester import Tester

COLUMNS = 80


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def run_tests(tester: Tester, tests: Table) -> None:
    """Run tests in order, with a line for each."""
    count = tests.count()
    width = len(str(count))
    tester._print(f"Running {_plural(count, 'test')}\n")
    for i, (name, test) in enumerate(pairs(tests), 1):
        tester._currentTestName = name
        dots = "." * (COLUMNS - 6 - 2 - 2 * width - 2 - len(name))
        start = f"{i:>{width}}/{count} {name} {dots} "
        tester._print(f"{start}[WAIT]")
        tester._flush()
        skipped = name in tester.disabledTests
        finished, passed = (True, True) if skipped else _run_one(tester, name, test)
        tester._print(f"\r{start}{_outcome(tester, name, skipped, finished, passed)}\n")
        tester._flush()
        early = truth(getattr(tester, "earlyAbort", None))
        if early and i < count and not (finished and passed):
            tester._print("Aborting on first error, not all tests have been executed\n")
            break
        gc.collect()


def _outcome(tester: Tester, name: Any, skipped: bool, finished: bool, passed: bool) -> str:
    if skipped:
        return "[SKIP]"
    if not finished:
        tester.testError[name] = 1
        return "[ERROR]"
    if not passed:
        return "[FAIL]"
    warned = tester._warningCount.get(name, 0) > 0
    return "[PASS]" + ("\n" + " " * (COLUMNS - 10) + "[+warning]" if warned else "")


def _run_one(tester: Tester, name: Any, test: Any) -> tuple[bool, bool]:
    """Return whether a test came to its end, and whether all that it asserted holds."""
    fields = vars(tester)
    if fields.get("_setUp") is not None:
        call(fields["_setUp"], name)
    errors, finished = len(tester.errors), True
    if truth(getattr(tester, "rethrow", None)):
        call(test)
    else:
        finished = _protected(tester, name, test)
    passed = finished and len(tester.errors) == errors
    if fields.get("_tearDown") is not None:
        call(fields["_tearDown"], name)
    return finished, passed


def _protected(tester: Tester, name: Any, test: Any) -> bool:
    finished, *results = xpcall(test, traceback)
    if not finished:
        text = first(tuple(results))
        tester.errors[len(tester.errors) + 1] = f"{name}\n Function call failed\n{text}\n"
    return bool(finished)


def report(tester: Tester, tests: Table) -> None:
    """Print the counts, and the errors and warnings."""
    names = [name for name, _ in pairs(tests)]
    passes, fails = tester.assertionPass, tester.assertionFail
    warnings = tester._warningCount
    tester.countasserts = sum(fails[name] + passes[name] for name in names)
    failures = sum(fails[name] > 0 for name in names)
    errors = sum(tester.testError[name] > 0 for name in names)
    warned = sum(warnings.get(name, 0) > 0 for name in names) + warnings.get("", 0)
    skipped = sum(name in tester.disabledTests for name in names)
    line = (
        f"Completed {_plural(tester.countasserts, 'assert')} in {_plural(len(names), 'test')} "
        f"with {_plural(failures, 'failure')} and {_plural(errors, 'error')}"
    )
    if warned:
        line += f" and {_plural(warned, 'warning')}"
    if skipped:
        line += f" and {skipped} disabled"
    tester._print(f"{line}\n")
    if truth(getattr(tester, "summaryOnly", None)):
        return
    dashes = "-" * COLUMNS + "\n"
    sections = [*tester.errors.array(), *tester.warnings.array()]
    if sections:
        tester._print(dashes + dashes.join(f"{text}\n" for text in sections) + dashes)
