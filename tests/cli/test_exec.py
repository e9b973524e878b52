"""`rekindle exec` behaves as `th` did."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

PROGRAM = [sys.executable, "-c", "import rekindle.cli; rekindle.cli.main()", "exec"]


def run(*args, cwd, code=0, stdin=None):
    """Run the command in a process of its own; return standard output and error."""
    result = subprocess.run(
        [*PROGRAM, *args], cwd=cwd, input=stdin, capture_output=True, timeout=60, check=False
    )
    assert result.returncode == code, result.stderr.decode()
    return result.stdout.decode(), result.stderr.decode()


def test_arguments_files_and_exit_code(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "init.lua").write_text("return {part = require 'lib.part'}")
    (tmp_path / "lib" / "part.lua").write_text("return 'part of ' .. ...")
    (tmp_path / "main.lua").write_text(
        "#!/usr/bin/env th\n"
        "local a, b = ...\n"
        "print(arg[0], arg[1], arg[2], #arg, a, b)\n"
        "print(require('lib').part, torch.Tensor(2):zero():sum(), xlua ~= nil)\n"
        "io.stderr:write('to stderr\\n')\n"
        "io.write('no newline')\n"
        "os.exit(7)\n"
    )
    out, err = run("main.lua", "-data", "x y", cwd=tmp_path, code=7)
    assert out == "main.lua\t-data\tx y\t2\t-data\tx y\npart of lib.part\t0\ttrue\nno newline"
    assert err == "to stderr\n"


def test_lua_path_is_searched(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.lua").write_text("return 'found'")
    (tmp_path / "main.lua").write_text("print(require 'mine')")
    monkeypatch.setenv("LUA_PATH", str(tmp_path / "elsewhere" / "?.lua") + ";;")
    assert run("main.lua", cwd=tmp_path)[0] == "found\n"


def test_an_error_prints_message_and_traceback(tmp_path):
    (tmp_path / "main.lua").write_text(
        "print('before')\nlocal function f()\n  local x = torch.ones(2)[5]\nend\nf()\n"
    )
    out, err = run("main.lua", cwd=tmp_path, code=1)
    assert out == "before\n"
    lines = err.splitlines()
    assert lines[0].startswith("main.lua:3: ")
    assert lines[1] == "stack traceback:"
    assert "\tmain.lua:3: in function 'f'" in lines
    assert "\tmain.lua:5: in main chunk" in lines
    assert "rekindle" not in err


def test_wrong_usage(tmp_path):
    _, err = run("missing.lua", cwd=tmp_path, code=2)
    assert "missing.lua: there is no such file" in err


def test_code_on_the_command_line_and_standard_input(tmp_path):
    assert run("-e", "print(1 + 1)", cwd=tmp_path)[0] == "2\n"
    assert run("-l", "nn", "-e", "print(nn.Tanh())", cwd=tmp_path)[0] == "nn.Tanh\n"
    assert run("-", cwd=tmp_path, stdin=b"print('from stdin')")[0] == "from stdin\n"


def test_the_prompt(tmp_path):
    lines = b"x = 20\nx + 1\n= x, 'two'\nfor i = 1, 2 do\nprint(i)\nend\nerror('oops')\n)\n"
    out, err = run("-i", cwd=tmp_path, stdin=lines)
    shown = out.replace("th> ", "").replace("..> ", "").split()
    assert shown == ["21", "20", "two", "1", "2"]
    assert "oops" in err
    assert "unexpected symbol" in err


def test_bytes_are_written_as_they_are(tmp_path):
    (tmp_path / "main.lua").write_bytes("print('é', #'é', '\\255')".encode())
    result = subprocess.run(
        [*PROGRAM, "main.lua"], cwd=tmp_path, capture_output=True, timeout=60, check=True
    )
    assert result.stdout == "é\t2\t".encode() + b"\xff\n"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_ends_a_program_that_never_calls_python(tmp_path):
    (tmp_path / "main.lua").write_text("print('started') io.flush() while true do end")
    process = subprocess.Popen(
        [*PROGRAM, "main.lua"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"started\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0


CLASS = """
local Times, parent = torch.class('nn.Times', 'nn.Module')
function Times:__init(k) parent.__init(self) self.k = k end
function Times:updateOutput(x) self.output:resizeAs(x):copy(x):mul(self.k) return self.output end
"""


def test_classes_from_lua_source(tmp_path):
    (tmp_path / "times.lua").write_text(CLASS)
    model, source, x = tmp_path / "model.t7", tmp_path / "times.lua", tmp_path / "x.npy"
    np.save(x, np.ones((2, 3)))
    run(
        *("-e", CLASS, "-l", "nn", "-e", "require 'nn'"),
        *("-e", f"torch.save('{model}', nn.Sequential():add(nn.Times(7)))"),
        cwd=tmp_path,
    )
    code = [sys.executable, "-c", "import rekindle.cli; rekindle.cli.main()", "run", str(model)]
    code += ["--input", str(x), "-o", str(tmp_path / "y.npy")]
    without = subprocess.run(code, capture_output=True, timeout=60, check=False)
    assert without.returncode != 0
    assert b"nn.Times" in without.stderr
    subprocess.run([*code, "--lua", str(source)], timeout=60, check=True, capture_output=True)
    assert np.load(tmp_path / "y.npy").tolist() == [[7.0] * 3] * 2
    source.write_text("error('no good')")
    failed = subprocess.run(
        [*code, "--lua", str(source)], capture_output=True, timeout=60, check=False
    )
    assert failed.returncode == 2
    assert b"no good" in failed.stderr


def test_require_finds_files_beside_the_script(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "beside.lua").write_text("return 'beside'")
    (tmp_path / "sub" / "main.lua").write_text("print(require 'beside', arg[1])")
    assert run("sub/main.lua", "one", cwd=tmp_path)[0] == "beside\tone\n"
