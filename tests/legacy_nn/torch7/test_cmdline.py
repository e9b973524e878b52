"""torch.CmdLine: what its Lua source printed under LuaJIT for the same calls."""

import re

import pytest

from rekindle.core.checkpoint import Table
from rekindle.legacy_nn.lualib import _G, io, print_
from rekindle.legacy_nn.torch7.cmdline import CmdLine
from rekindle.legacy_nn.torch7.errors import TorchError

HELP = """Usage: [options] <input> <out>

Train a toy model

  <input> the input file
  <out>  
  -hidden hidden units [32]
  -lr     learning rate [0.05]
  -name   run name [toy]
  -cuda   use the gpu [false]
  --big   [1e+20]

"""  # noqa: W291


@pytest.fixture
def cmd():
    cmd = CmdLine()
    cmd.text()
    cmd.text("Train a toy model")
    cmd.text()
    cmd.argument("-input", "the input file")
    cmd.argument("out")
    add_options(cmd)
    cmd.option("--big", 1e20)
    cmd.text()
    return cmd


def add_options(cmd):
    """Declare the options of most tests."""
    cmd.option("-hidden", 32, "hidden units")
    cmd.option("-lr", 0.05, "learning rate")
    cmd.option("-name", "toy", "run name")
    cmd.option("-cuda", False, "use the gpu")


@pytest.fixture
def globals_print():
    yield lambda *values: _G["print"](*values)
    _G["print"] = print_


def test_defaults():
    cmd = CmdLine()
    add_options(cmd)
    assert dict(cmd.parse([]).items()) == {"hidden": 32, "lr": 0.05, "name": "toy", "cuda": False}
    assert cmd.default().equals(cmd.parse(Table()))


def test_values(cmd):
    words = ["a", "b", "-lr", "1e-3", "-cuda", "--big", "0x10", "-name", "-5"]
    found = dict(cmd.parse(Table(words)).items())
    expected = {"hidden": 32, "lr": 0.001, "name": "-5", "cuda": True, "big": 16}
    assert found == expected | {"input": "a", "out": "b"}


def test_help(cmd, capsys):
    cmd.help()
    cmd.help(Table({0: "train.lua"}))
    assert capsys.readouterr().out == HELP + HELP.replace("Usage: ", "Usage: train.lua ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a"], "not enough arguments"),
        (["a", "b", "c"], "invalid argument: c"),
        (["-lr"], "missing argument for option -lr"),
        (["-lr", "x"], "invalid type for option -lr (should be number)"),
        (["-none", "1", "2"], "invalid argument: 2"),
    ],
)
def test_mistakes_end_the_program(cmd, capsys, words, message):
    with pytest.raises(SystemExit) as caught:
        cmd.parse(words)
    assert caught.value.code == 1
    printed = capsys.readouterr()
    assert printed.err == message
    assert printed.out == "\n\n" + HELP


@pytest.mark.parametrize("word", ["-h", "-help", "--help"])
def test_help_is_asked_for(cmd, capsys, word):
    with pytest.raises(SystemExit) as caught:
        cmd.parse(["a", word])
    assert caught.value.code == 0
    assert capsys.readouterr().out == HELP


def test_declarations_that_are_wrong(cmd):
    with pytest.raises(TorchError, match=r"^option -x has no default value$"):
        cmd.option("-x", None)
    with pytest.raises(TorchError, match=r"^option -x has wrong default type value$"):
        cmd.option("-x", 5, "five", "string")
    with pytest.raises(TorchError, match="assertion failed!"):
        cmd.text(5)
    with pytest.raises(TorchError, match="Argument has to be string"):
        cmd.addTime("name", 5)


def test_an_option_without_a_known_type(cmd, capsys):
    cmd.option("-t", Table(), "a table")
    with pytest.raises(SystemExit):
        cmd.parse(["a", "b", "-t", "1"])
    assert capsys.readouterr().err == "unknown required option type table"


def test_the_name_of_a_run(cmd, capsys):
    """As in cmdline_and_paths.lua and doc/cmdline.md, and what is printed on the way."""
    plain = CmdLine()
    add_options(plain)
    assert plain.string("exp", plain.parse(["-hidden", "128"]), Table()) == "exp,hidden=128"
    assert capsys.readouterr().out == "hidden\t128\t32\n"
    assert plain.string("exp", plain.parse([]), Table()) == "exp"
    given = Table({"input": "a", "out": "b", "hidden": 5, "lr": 0.05, "cuda": True})
    assert cmd.string("exp", given, Table()) == "exp,input=a,out=b,cuda=t,hidden=5"
    assert cmd.string(None, Table({"name": "toy"}), Table({"name": False})) == ",name=toy"
    capsys.readouterr()
    assert cmd.string("x", Table({"hidden": 7, "foo": 1}), Table({"hidden": True})) == "x"
    assert capsys.readouterr().out == (
        "-- ignore option hidden\n"
        "WARNING: unknown option/argument: foo IGNORING for DIRECTORY NAME\n"
    )
    dashed = CmdLine("_", ":")
    add_options(dashed)
    assert dashed.string("run", dashed.parse(["-lr", "1", "-name", "b"])) == "run_lr:1_name:b"


DATE = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}"


def test_a_log_gets_what_is_printed(tmp_path, capsys, globals_print):
    cmd = CmdLine()
    cmd.log(str(tmp_path / "log"), Table({"seed": 3}))
    globals_print("hello", 5, None, 0.1)
    shown = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"\[program started on {DATE}\]", shown[0])
    assert shown[1:] == [
        "[command line arguments]",
        "seed\t3",
        "[----------------------]",
        "hello\t5\tnil\t0.1",
    ]
    logged = (tmp_path / "log").read_text().splitlines()
    assert logged == [line.replace("\t", " ") + " " for line in shown]


def test_a_silent_log_with_the_time(tmp_path, capsys, globals_print):
    cmd = CmdLine()
    cmd.silent()
    cmd.addTime("run", "%Y-")
    file = io.open(str(tmp_path / "log"), "w")
    cmd.log(file)
    globals_print("hidden")
    file.close()
    assert capsys.readouterr().out == ""
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r"\d{4}-\[run\]:  hidden ", lines[-1])


def test_a_second_log_replaces_the_first(tmp_path, capsys, globals_print):
    CmdLine().log(str(tmp_path / "one"))
    CmdLine().log(str(tmp_path / "two"))
    capsys.readouterr()
    globals_print("x")
    assert capsys.readouterr().out == "x\n"
    assert "x" not in (tmp_path / "one").read_text().splitlines()[-1]
    assert (tmp_path / "two").read_text().endswith("x \n")
    with pytest.raises(TorchError, match=r"the log cannot be written: .*No such file"):
        CmdLine().log(str(tmp_path / "none" / "log"))
