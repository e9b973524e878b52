"""What the runner of Torch7's tests counts, and that tests which hang or leave do not stop it."""

from pathlib import Path

import pytest

SUITE = """
local tester = torch.Tester()
local tests = torch.TestSuite()
function tests.holds() tester:eq(1 + 1, 2) tester:assert(true) end
function tests.fails() tester:eq(1, 1) tester:eq(1, 2, 'one and two') end
function tests.raises() error('oh no') end
function tests.isEmpty() end
function tests.assertsPlainly() assert(1 == 1) end
function tests.leaves() os.exit(3) end
tester:add(tests)
function start() tester:run() end
"""


@pytest.fixture
def suites(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    import torch_suites

    return torch_suites


def run(suites, folder, source, **options):
    (folder / "suite.lua").write_text(source)
    script = suites.Script("mine", "suite.lua", **options)
    return suites.Run(script, 0, folder, "./?.lua;;").finish()


def test_what_is_counted(suites, tmp_path):
    found = run(suites, tmp_path, SUITE, call="start()")
    counts = {name: (r.passes, r.failures, r.asserts) for name, r in found.items()}
    assert counts == {
        "holds": (2, 0, 0),
        "fails": (1, 1, 0),
        "raises": (0, 0, 0),
        "isEmpty": (0, 0, 0),
        "assertsPlainly": (0, 0, 1),
        "leaves": (0, 0, 0),
    }
    assert {name for name, r in found.items() if r.passed} == {"holds", "assertsPlainly"}
    assert "one and two" in found["fails"].reason
    assert "oh no" in found["raises"].reason
    assert "ended the process" in found["leaves"].reason
    script = suites.Script("mine", "suite.lua")
    reviewed = {"mine/suite.lua": {"why": ["fails", "raises", "leaves", "holds"]}}
    wrong = suites.compared({script: found}, reviewed)
    assert wrong == [
        "mine/suite.lua holds passes, and is listed",
        "mine/suite.lua isEmpty: asserts nothing",
    ]


def test_a_program_without_a_tester(suites, tmp_path):
    found = run(suites, tmp_path, "assert(true) assert(1)")
    assert found["suite.lua"].passed
    assert found["suite.lua"].asserts == 2
    assert "no" in run(suites, tmp_path, "error('no')")["suite.lua"].reason


def test_a_test_that_never_ends(suites, tmp_path, monkeypatch):
    monkeypatch.setattr(suites, "SECONDS", 10)
    source = SUITE.replace("os.exit(3)", "while true do end")
    found = run(suites, tmp_path, source, call="start()")
    assert found["leaves"].reason == "ran for 10 s"
    assert found["raises"].reason
    assert len(found) == 6
