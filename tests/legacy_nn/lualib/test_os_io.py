"""os.* and io.* against LuaJIT on real files, and what goes to Python's streams."""

import io
import os
import subprocess
import sys
import time

import pytest

from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.lualib import LuaError, Table

BYTES = bytes(range(256))


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "file.txt")


# -- os ---------------------------------------------------------------------------------------

MOMENTS = [0, 86399, 1_000_000_000, 1_500_000_000, 1_709_164_800, 1_735_689_599]


@pytest.mark.parametrize("moment", MOMENTS)
def test_dates(lua, moment):
    for letter in "aAbBcdHIjmMpSUwWxXyYZ%":
        lua.same("os.date", f"%{letter}", moment)
        lua.same("os.date", f"!%{letter}", moment)
    for template in ("!%Y-%m-%d %H:%M:%S", "*t", "!*t", "", "plain"):
        lua.same("os.date", template, moment)


DATES = [
    {"year": 2016, "month": 3, "day": 21},
    {"year": 2016, "month": 3, "day": 21, "hour": 0},
    {"year": 2016, "month": 14, "day": -3, "hour": 30, "min": 99, "sec": -5},
    {"year": 2016, "month": 7, "day": 1, "isdst": False},
    {"year": "2016", "month": "3", "day": "21"},
    {"year": 2000},
    {"month": 3, "day": 2},
]


@pytest.mark.parametrize("fields", DATES)
def test_time_of_a_date(lua, fields):
    lua.same("os.time", Table(fields))


def test_time_now_and_clock():
    before = time.time()
    assert int(before) <= lualib.os.time() <= time.time()
    before = time.process_time()
    assert before <= lualib.os.clock() <= time.process_time()
    assert lualib.os.difftime(5, 2) == 3
    years = [time.strftime("%Y"), lualib.os.date("%Y"), time.strftime("%Y")]
    assert years == sorted(years)


def test_environment(lua, monkeypatch):
    monkeypatch.setenv("REKINDLE_TEST", "caf\u00e9")
    lua.same("os.getenv", "REKINDLE_TEST")
    lua.same("os.getenv", "REKINDLE_NO_SUCH_VARIABLE")


def test_files_by_name(lua, tmp_path):
    first, second = str(tmp_path / "a"), str(tmp_path / "b")
    lua.same("os.remove", first)
    lua.same("os.rename", first, second)
    (tmp_path / "a").write_text("x")
    assert lualib.os.rename(first, second) is True
    assert (tmp_path / "b").read_text() == "x"
    assert lualib.os.remove(second) is True
    assert list(tmp_path.iterdir()) == []
    name = lualib.os.tmpname()
    assert os.path.getsize(name) == 0
    assert lualib.os.remove(name) is True


def test_commands():
    assert lualib.os.execute() is True
    assert lualib.os.execute("exit 0") == (True, "exit", 0)
    assert lualib.os.execute("exit 3") == (None, "exit", 3)
    assert lualib.os.execute("kill -9 $$")[1:] == ("signal", 9)


@pytest.mark.parametrize(("code", "status"), [(None, 0), (3, 3), (True, 0), (False, 1), ("2", 2)])
def test_exit(code, status):
    with pytest.raises(SystemExit) as caught:
        lualib.os.exit(code)
    assert caught.value.code == status


def test_locale():
    assert lualib.os.setlocale() == lualib.os.setlocale("C") == "C"
    assert lualib.os.setlocale("de_DE") is None


# -- files ------------------------------------------------------------------------------------

CONTENTS = [
    "one\ntwo\n\nfour",
    "",
    "\n",
    "12 0x1F\n-3.5e2 .5\nabc 7",
    "1e 5",
    "\r\nmixed\r\n",
    BYTES[1:].decode("latin-1"),  # C's fgets loses what follows a zero byte in its line
    "x" * 10000 + "\n" + "y" * 10,
    "+-1",
    "nan 1",
]
FORMATS = [
    ("*l",), ("*L",), ("*a",), ("*n",), (1,), (0,), (5,), ("*l", "*l", "*l"), ("*n", "*n", "*n"),
    ("*n", "*l"), (3, "*l", "*a"), ("*l", "*n", "*a"), ("*a", "*a", "*l"), (), (0, "*a", 0), ("l",),
    (20000,), ("*n", "*a"),
]  # fmt: skip
READ = """function(path, ...)
   local f = assert(io.open(path, 'r'))
   local found, n = {}, 0
   for i = 1, 3 do
      local r = {f:read(...)}
      for k = 1, math.max(1, select('#', ...)) do
         n = n + 1
         found[n] = r[k] == nil and 'nil' or r[k]
      end
   end
   f:close()
   return found
end"""


def read(path, *formats):
    f = lualib.io.open(path, "r")
    found = []
    for _ in range(3):
        results = lualib.take(f.read(*formats), max(1, len(formats)))
        found += ["nil" if r is None else r for r in results]
    f.close()
    return lualib.sequence(*found)


@pytest.mark.parametrize("formats", FORMATS, ids=str)
def test_read(lua, path, formats):
    for content in CONTENTS:
        if "*n" in formats and content in ("1e 5", "+-1", "nan 1"):
            continue  # how far C reads into what is no number is its own affair
        with open(path, "wb") as f:
            f.write(content.encode("latin-1"))
        if formats == ("l",):
            assert lualib.io.open(path).read("l") == lualib.io.open(path).read("*l")  # as in 5.2
        else:
            lua.same_as(READ, read, path, *formats)


def test_lines(lua, path):
    source = (
        """function(path) local t = {} for l in io.lines(path) do t[#t + 1] = l end return t end"""
    )
    for content in CONTENTS:
        with open(path, "wb") as f:
            f.write(content.encode("latin-1"))
        lua.same_as(source, lambda p: lualib.sequence(*lualib.io.lines(p)), path)
    lua.same("io.lines", "/none/such")
    with open(path, "w") as f:
        f.write("a\nb\n")
    assert list(lualib.io.lines(path, "*L")) == ["a\n", "b\n"]
    assert list(lualib.io.lines(path, 1)) == ["a", "\n", "b", "\n"]
    f = lualib.io.open(path)
    assert list(f.lines()) == ["a", "b"]
    assert f.read() is None
    f.close()


WRITE = """function(path, mode)
   local f = assert(io.open(path, mode))
   f:write('abc', 1, 2.5, ' caf\\195\\169\\n', 1/3)
   local at = f:seek()
   local start = f:seek('set', 1)
   f:write('X')
   local last = f:seek('end')
   f:flush()
   f:seek('set')
   local all = f:read('*a')
   f:close()
   return at, start, last, all or 'nil'
end"""


def write(path, mode):
    f = lualib.io.open(path, mode)
    f.write("abc", 1, 2.5, " caf\xc3\xa9\n", 1 / 3)
    at, start = f.seek(), f.seek("set", 1)
    f.write("X")
    last = f.seek("end")
    f.flush()
    f.seek("set")
    everything = lualib.first(f.read("*a"))
    f.close()
    return at, start, last, "nil" if everything is None else everything


@pytest.mark.parametrize("mode", ["w+", "r+", "a+", "w+b", "r+b"])
def test_write_seek_and_read_back(lua, path, mode):
    def prepare():
        with open(path, "wb") as f:
            f.write(b"before it was longer than that, much longer")

    prepare()
    expected = lua.expected(WRITE, path, mode)
    with open(path, "rb") as f:
        left = f.read()
    prepare()
    assert lua.found(write, path, mode) == expected
    with open(path, "rb") as f:
        assert f.read() == left


def test_all_bytes_survive(path):
    with_all = BYTES.decode("latin-1")
    f = lualib.io.open(path, "wb")
    assert f.write(with_all) is f
    assert f.close() is True
    with open(path, "rb") as raw:
        assert raw.read() == BYTES
    assert lualib.io.open(path).read("*a") == with_all


def test_what_cannot_be_done(lua, path):
    lua.same("io.open", "/none/such")
    assert lualib.io.open(path, "w").read() == (None, "Bad file descriptor", 9)
    f = lualib.io.open(path, "r")
    assert f.write("x") == (None, "Bad file descriptor", 9)
    assert lualib.io.open(path, "q")[0] is None
    with pytest.raises(LuaError, match="invalid format"):
        f.read("*x")
    with pytest.raises(LuaError, match="invalid option 'up'"):
        f.seek("up")
    with pytest.raises(LuaError, match=r"is no byte.*latin-1"):
        lualib.io.open(path, "w").write("caf\u00e9 \u20ac")
    f.close()
    with pytest.raises(LuaError, match="attempt to use a closed file"):
        f.read()
    assert lualib.io.open(os.path.dirname(path)).read() == (None, "Is a directory", 21)


def test_types_of_files(path):
    f = lualib.io.open(path, "w")
    assert lualib.io.type(f) == "file"
    assert lualib.tostring(f).startswith("file (0x")
    f.close()
    assert (lualib.io.type(f), lualib.tostring(f)) == ("closed file", "file (closed)")
    assert lualib.io.type(5) is None
    assert lualib.type_of(f) == "userdata"
    assert lualib.invoke(lualib.io.open(path), "read", "*a") == ""
    assert lualib.call(lualib.index(lualib.io.open(path), "read"), lualib.io.open(path), "*a") == ""


def test_processes():
    f = lualib.io.popen("echo hello; echo again; exit 3")
    assert f.read() == "hello"
    assert f.read("*a") == "again\n"
    assert f.close() == (None, "exit", 3)
    with pytest.raises(LuaError, match="invalid option 'x'"):
        lualib.io.popen("true", "x")


def test_writing_to_a_process(path):
    f = lualib.io.popen(f"cat > {path}", "w")
    f.write("sent\n")
    assert f.close() == (True, "exit", 0)
    assert lualib.io.open(path).read("*a") == "sent\n"


def test_default_files(path):
    lualib.io.output(path)
    try:
        lualib.io.write("a", 1, "\n")
        lualib.io.close()
    finally:
        lualib.io.output(lualib.io.stdout)
    lualib.io.input(path)
    try:
        assert lualib.io.read() == "a1"
        assert list(lualib.io.lines()) == []
    finally:
        lualib.io.input(lualib.io.stdin)
    with pytest.raises(LuaError, match="No such file"):
        lualib.io.input("/none/such")
    t = lualib.io.tmpfile()
    t.write("x")
    t.seek("set")
    assert t.read("*a") == "x"


# -- Python's streams -------------------------------------------------------------------------


def test_print(capsys):
    lualib.print_(1, 2.0, None, True, "x")
    lualib.print_()
    lualib.io.write("a", 1.5, "\n")
    assert capsys.readouterr().out == "1\t2\tnil\ttrue\tx\n\na1.5\n"


def test_bytes_reach_stdout_in_order():
    program = (
        "from rekindle.legacy_nn import lualib as l\n"
        "print('python')\nl.print_('caf\\xc3\\xa9 \\xff')\nprint('again')\n"
        "l.io.write('\\0', 'end\\n')\nl.print_('caf\\u20ac')\n"
        "l.print_(l.io.read('*n'), l.io.read(), l.io.read('*a'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=b"12 rest\nand\nmore\xff",
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.stdout == (
        b"python\ncaf\xc3\xa9 \xff\nagain\n\0end\ncaf\xe2\x82\xac\n12\t rest\tand\nmore\xff\n"
    )


def test_text_streams_of_python(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stdin", io.StringIO("caf\u00e9\nx"))
    lualib.print_("caf\xc3\xa9", lualib.io.read())
    assert sys.stdout.getvalue() == "caf\u00e9\tcaf\u00e9\n"


def test_standard_files_stay_open():
    assert lualib.io.stdout.close() == (None, "cannot close standard file")
    assert lualib.io.type(lualib.io.stderr) == "file"
