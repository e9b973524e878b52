"""torch.Tester and TestSuite: what their Lua source said under LuaJIT for the same calls."""

import numpy as np
import pytest

from rekindle.core.checkpoint import Table
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.lualib import LuaError
from rekindle.legacy_nn.torch7.errors import TorchError
from rekindle.legacy_nn.torch7.tester import Tester
from rekindle.legacy_nn.torch7.tester_suite import TestSuite


def table(value):
    """Return lists and dicts as Tables, all the way down."""
    if isinstance(value, list):
        return Table([table(v) for v in value])
    if isinstance(value, dict):
        return Table({k: table(v) for k, v in value.items()})
    return value


def throwing(value):
    """Return a function that throws a Lua value."""

    def throw():
        raise LuaError(value)

    return throw


THIRD = 1 / 3
RECORDED = [
    ("assert", (True,), None),
    ("assert", (False, "msg"), "msg\nBOOL violation condition=false"),
    ("eq", (1, 1), None),
    ("eq", (1, 2), "EQ failed: 1 ~= 2"),
    ("eq", (1, 2, "msg", 0.5), "msg\nEQ failed: 1 ~= 2 with tolerance=0.5"),
    ("eq", (1, 2, 1), None),
    ("ne", (1, 1, 0.25, "msg"), "msg\nNE failed: 1 == 1 with tolerance=0.25"),
    ("ne", (1, 2), None),
    ("eq", ("a", "b"), "EQ failed: a (string) ~= b (string)"),
    ("eq", ("a", 1), "EQ failed: values have different types (first: string, second: number)"),
    ("ne", ("a", 1), None),
    ("ne", ("a", "a"), "NE failed: a (string) == a (string)"),
    ("eq", (True, False), "EQ failed: true (boolean) ~= false (boolean)"),
    ("eq", (None, None), None),
    ("eq", (None, False), "EQ failed: values have different types (first: nil, second: boolean)"),
    ("eq", ([1, [2]], [1, [2]]), None),
    ("eq", ([1, [2]], [1, [3]], "m"), "m\nAt table location 2.1: EQ failed: 2 ~= 3"),
    (
        "eq",
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {}}}),
        "Entry a.b.c missing in second table (is 1 in first)",
    ),
    (
        "eq",
        ({"a": {"b": {}}}, {"a": {"b": {"c": 1}}}),
        "Entry a.b.c missing in first table (is 1 in second)",
    ),
    ("ne", ([1], [1]), "The tables are equal"),
    ("ne", ([1], [2]), None),
    ("eq", ([1.05], [1], 0.1), None),
    ("assertTableEq", ([1], [2]), "At table location 1: EQ failed: 1 ~= 2"),
    ("assertTableNe", ([1], [1], "m"), "m\nThe tables are equal"),
    ("assertlt", (1, 2), None),
    ("assertlt", (1, 1), "LT failed: 1 >= 1"),
    ("assertlt", (0.5, THIRD, "msg"), "msg\nLT failed: 0.5 >= 0.33333333333333"),
    ("assertgt", (2, 1), None),
    ("assertgt", (1, 2), "GT failed: 1 <= 2"),
    ("assertle", (1, 1), None),
    ("assertle", (2, 1), "LE failed: 2 > 1"),
    ("assertge", (1, 1), None),
    ("assertge", (1, 2), "GE failed: 1 < 2"),
    ("asserteq", (1, 1), None),
    ("asserteq", (0.5, THIRD, "m"), "m\nEQ failed: 0.5 ~= 0.33333333333333"),
    ("assertne", (1, 2), None),
    ("assertne", (1, 1), "NE failed: 1 == 1"),
    ("assertalmosteq", (1, 1 + 1e-17), None),
    ("assertalmosteq", (1, 2), "ALMOST_EQ failed: 1 ~= 2 with tolerance=1e-16"),
    ("assertalmosteq", (1, 1.5, 1), None),
    ("assertalmosteq", (1, 3, "m", 1), "m\nALMOST_EQ failed: 1 ~= 3 with tolerance=1"),
    ("assertError", (throwing("x"),), None),
    ("assertError", (lambda: None, "m"), "m\nERROR violation: err=nil"),
    ("assertNoError", (throwing("x"),), "ERROR violation: err=x"),
    ("assertNoError", (lambda: None,), None),
    ("assertErrorMsg", (throwing("abc"), "abc"), None),
    ("assertErrorMsg", (throwing("abc"), "abd", "m"), "m\nERROR violation: err=abc"),
    ("assertErrorPattern", (throwing("abc"), "b.$"), None),
    ("assertErrorPattern", (throwing("abc"), "^b"), "ERROR violation: err=abc"),
    ("assertErrorObj", (throwing(Table({"x": 1})), lambda e: e.x == 1), None),
]


@pytest.fixture
def sub():
    """Return a tester whose verdicts can be seen, as in Torch's own test of it."""
    tester = Tester()
    tester._success = lambda self: (True, None)
    tester._failure = lambda self, message: (False, message)
    return tester


@pytest.mark.parametrize(("method", "args", "message"), RECORDED)
def test_verdicts_and_messages(sub, method, args, message):
    success, found = getattr(sub, method)(*map(table, args))
    assert (success, found) == (message is None, message)


def tensor(values, dtype=np.float64):
    return Tensor(np.array(values, dtype))


def test_tensors(sub):
    one, near = tensor([1.0, 2.0]), tensor([1.0, 2.25])
    assert sub.assertTensorEq(one, one)[0]
    assert sub.assertTensorEq(one, near, 0.25)[0]
    expected = "m\nTensorEQ(==) violation: max diff=0.25, tolerance=0.1"
    assert sub.assertTensorEq(one, near, 0.1, "m") == (False, expected)
    assert sub.eq(one, near, 0.1, "m") == (False, expected)
    assert sub.assertTensorNe(one, near)[0]
    expected = "TensorNE(==) violation: max diff=0.25, tolerance=1"
    assert sub.assertTensorNe(one, near, 1) == (False, expected)
    assert sub.eq(one, tensor([1, 2], np.float32)) == (False, "The tensors have different types")
    assert sub.eq(one, tensor([1.0])) == (False, "The tensors have different sizes")
    assert sub.eq(one, tensor([[1.0, 2.0]])) == (False, "The tensors have different dimensions")
    assert sub.ne(tensor([]), tensor([])) == (False, "Both tensors are empty")
    assert sub.eq(tensor([np.nan]), tensor([np.nan]))[0] is False
    assert sub.eq(tensor([250], np.uint8), tensor([2], np.uint8), 247)[0] is False
    with pytest.raises(TorchError, match="Second argument should be a Tensor"):
        sub.assertTensorEq(one, 5)


def test_dimensions_that_assertTensorEq_ignores(sub):
    warnings = []
    sub._warning = warnings.append
    assert sub.assertTensorEq(tensor([[1.0, 2.0]]), tensor([1.0, 2.0]))[0]
    assert len(warnings) == 1
    assert "same content but different dimensions" in warnings[0]
    sub._assertTensorEqIgnoresDims = False
    assert not sub.assertTensorEq(tensor([[1.0, 2.0]]), tensor([1.0, 2.0]))[0]


def test_storages_and_tensors_in_tables(sub):
    one = Storage(np.array([1.0, 2.0]))
    assert sub.eq(one, Storage(np.array([1.0, 2.0])))[0]
    message = "StorageEQ(==) violation: max diff=1, tolerance=0"
    assert sub.eq(one, Storage(np.array([1.0, 3.0]))) == (False, message)
    assert sub.eq(one, Storage(np.array([1.0]))) == (False, "The storages have different sizes")
    assert sub.eq(one, Storage(np.array([1, 2])))[1] == "The storages have different types"
    assert sub.eq(Table([tensor([1.0])]), Table([tensor([1.5])]), 0.5)[0]
    message = "At table location 1: TensorEQ(==) violation: max diff=0.5, tolerance=0"
    assert sub.eq(Table([tensor([1.0])]), Table([tensor([1.5])])) == (False, message)


def test_arguments_that_are_too_many(sub):
    for call in (
        lambda: sub.assertlt(1, 2, "m", "n"),
        lambda: sub.eq(1, 2, "m", "n"),
        lambda: sub.eq(1, 2, 1, 1),
        lambda: sub.eq(1, 2, -1),
        lambda: sub.eq(1, 2, Table()),
        lambda: sub.assertlt(1, 2, 5),
        lambda: sub.assertTableEq(1, Table()),
    ):
        with pytest.raises(TorchError):
            call()


def line(text, outcome):
    """Return the line of a test, as it is once it has run."""
    dots = "." * (72 - len(text))
    return f"{text} {dots} [WAIT]\r{text} {dots} [{outcome}]\n"


def holds(tester, condition):
    """Call the method that Python has no syntax for."""
    return getattr(tester, "assert")(condition)


def passes(tester):
    holds(tester, True)
    tester.eq(1, 1)


def fails(tester):
    holds(tester, False)
    tester.eq(1, 2)


def throws(tester):
    raise LuaError("x")


def warns(tester):
    holds(tester, 1)


@pytest.mark.parametrize(
    ("test", "outcome", "counts"),
    [
        (passes, "PASS", "2 asserts in 1 test with 0 failures and 0 errors"),
        (fails, "FAIL", "2 asserts in 1 test with 1 failure and 0 errors"),
        (throws, "ERROR", "0 asserts in 1 test with 0 failures and 1 error"),
    ],
)
def test_the_report(capsys, test, outcome, counts):
    tester = Tester()
    tester.add(lambda: test(tester), "a")
    tester.setSummaryOnly(True)
    if outcome == "PASS":
        assert tester.run() == 0
    else:
        with pytest.raises(TorchError, match=r"^An error was found while running tests!$"):
            tester.run()
    expected = "Running 1 test\n" + line("1/1 a", outcome) + f"Completed {counts}\n"
    assert capsys.readouterr().out == expected
    assert tester.countasserts == int(counts[0])


def test_a_warning_and_a_skipped_test(capsys):
    tester = Tester()
    tester.add(TestSuite()).add(lambda: warns(tester), "w").add(lambda: fails(tester), "f")
    tester.setSummaryOnly(True)
    assert tester.disable("f").run() == 0
    assert capsys.readouterr().out == (
        "Running 2 tests\n"
        + line("1/2 w", "PASS")
        + " " * 70
        + "[+warning]\n"
        + line("2/2 f", "SKIP")
        + "Completed 1 assert in 2 tests with 0 failures and 0 errors and 1 warning "
        "and 1 disabled\n"
    )


def test_what_failed_is_shown(capsys):
    tester = Tester()
    tester.add(lambda: tester.eq(1, 2, "they differ"), "a")
    tester.add(lambda: throws(tester), "b")
    with pytest.raises(TorchError):
        tester.run(Table(["a", "b"]))
    dashes = "-" * 80 + "\n"
    sections = capsys.readouterr().out.split(dashes)
    assert len(sections) == 4
    assert sections[1].startswith("a\nthey differ\nEQ failed: 1 ~= 2\nstack traceback:\n\t")
    assert "test_tester.py:" in sections[1]
    assert sections[2].startswith("b\n Function call failed\nx\nstack traceback:\n\t")
    assert sections[3] == ""


def test_the_run_can_end_early():
    for early, expected in ((True, 1), (False, 2)):
        tester, calls = Tester(), []
        for name in ("a", "b"):
            tester.add(lambda: calls.append(holds(tester, False)), name)  # noqa: B023
        tester.setEarlyAbort(early)
        with pytest.raises(TorchError):
            tester.run()
        assert len(calls) == expected


def test_errors_can_leave_the_run():
    tester = Tester()
    tester.setRethrowErrors(True)
    tester.add(lambda: throws(tester))
    with pytest.raises(LuaError, match=r"^x$"):
        tester.run()
    tester = Tester()
    tester.setRethrowErrors(True)
    tester.add(lambda: fails(tester))
    with pytest.raises(TorchError, match=r"^BOOL violation condition=false$"):
        tester.run()


def test_tests_are_chosen_by_pattern(capsys):
    tester, calls = Tester(), []
    for name in ("sin", "asin", "cos"):
        tester.add(lambda name=name: calls.append(name), name)
    tester.run("^sin$")
    tester.run(Table(["sin", "c"]))
    assert calls == ["sin", "sin", "asin", "cos"]
    with pytest.raises(TorchError, match=r"^Couldn't find test 'tan'$"):
        tester.run("tan")
    with pytest.raises(TorchError, match="Only accept a name or table"):
        tester.run(5)


def test_set_up_and_tear_down():
    tester, calls = Tester(), []
    tests = TestSuite()
    tests._setUp = lambda name: calls.append(f"up {name}")
    tests._tearDown = lambda name: calls.append(f"down {name}")
    tests.a = lambda: calls.append("a")
    assert tester.add(tests) is tester
    tester.run()
    assert calls == ["up a", "a", "down a"]
    with pytest.raises(TorchError, match="Only one set-up function allowed"):
        tester.add(print, "_setUp")


def test_what_cannot_be_added():
    tester = Tester()
    tester.add(print, "x")
    with pytest.raises(TorchError, match="Test with name x already exists!"):
        tester.add(print, "x")
    with pytest.raises(TorchError, match="Only tables of functions and functions supported"):
        tester.add(1, "y")
    with pytest.raises(TorchError, match="Name parameter is forbidden for a table of tests"):
        tester.add(Table(), "y")
    with pytest.raises(TorchError, match="Nested sets of tests are not supported"):
        tester.add(Table({"a": Table()}))
    with pytest.raises(TorchError, match="Unrecognized test 'y'"):
        tester.disable("y")
    assert len(tester.warnings) == 1
    assert tester.warnings[1].startswith("Should use TestSuite rather than plain lua table")


def test_a_suite_has_each_test_once():
    suite = TestSuite()
    suite.a = print
    suite["b"] = print
    assert list(suite) == ["a", "b"]
    assert suite.a is suite["b"] is print
    assert suite["none"] is None
    with pytest.raises(TorchError, match=r"^Test a is already defined.$"):
        suite.a = len
    with pytest.raises(TorchError, match="Nested tables of tests are not supported"):
        suite.c = Table()
    with pytest.raises(TorchError, match="Only functions are supported as members"):
        suite.c = 5
    with pytest.raises(AttributeError, match="no test 'c'"):
        _ = suite.c
