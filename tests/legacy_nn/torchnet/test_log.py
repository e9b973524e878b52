"""Logs in Python against those of the Lua package: the same lines, byte by byte."""

import io
import re

import pytest

from rekindle.legacy_nn import torchnet as tnt
from rekindle.legacy_nn.bridge import Runtime

VALUES = [
    {"loss": 0.1, "epoch": 1, "note": "first"},
    {"loss": 1 / 3, "epoch": 2, "note": False},
    {"loss": 1e-20, "epoch": 300},
]

LUA = """
    local tnt = require 'torchnet'
    local text, json = require 'torchnet.log.view.text', require 'torchnet.log.view.json'
    local folder = {folder!r}
    local function percent(x) return ('%.1f%%'):format(100 * x) end
    local log = tnt.Log {{keys = {{'loss', 'epoch', 'note'}}, onFlush = {{
      text {{filename = folder .. '/lua_text', keys = {{'epoch', 'loss', 'note'}}}},
      text {{filename = folder .. '/lua_formats', keys = {{'epoch', 'loss', 'note'}},
            format = {{'%04d', percent}}, separator = ', ', append = true}},
      json {{filename = folder .. '/lua_json', keys = {{'note', 'loss', 'epoch'}},
            format = {{tostring, '%10.5f'}}}}}},
      onSet = {{require 'torchnet.log.view.status' {{filename = folder .. '/lua_status'}}}}}}
    log:set {{loss = 0.1, epoch = 1, note = 'first'}} log:flush()
    log:set {{loss = 1 / 3, epoch = 2, note = false}} log:flush()
    log:set {{loss = 1e-20, epoch = 300}} log:flush()
    log:status('half way', false)
    log:close()
"""


def lua_text(value):
    return {None: "nil", False: "false"}.get(value, value)


def test_lines_are_those_of_the_lua_package(tmp_path):
    for name in ("lua_formats", "my_formats"):
        (tmp_path / name).write_text("before\n", encoding="utf-8")
    runtime = Runtime()
    runtime.execute(LUA.format(folder=str(tmp_path)))
    runtime.close()
    log = tnt.Log(
        ["loss", "epoch", "note"],
        onFlush=[
            tnt.logtext(["epoch", "loss", "note"], filename=tmp_path / "my_text"),
            tnt.logtext(
                ["epoch", "loss", "note"],
                ["%04d", lambda x: f"{100 * x:.1f}%"],
                ", ",
                filename=tmp_path / "my_formats",
                append=True,
            ),
            tnt.logjson(
                ["note", "loss", "epoch"], [lua_text, "%10.5f"], filename=tmp_path / "my_json"
            ),
        ],
        onSet=[tnt.logstatus(filename=tmp_path / "my_status")],
    )
    for values in VALUES:
        log.set(values)
        log.flush()
    log.status("half way", time=False)
    log.close()
    for name in ("text", "formats", "json", "status"):
        mine = (tmp_path / f"my_{name}").read_text(encoding="utf-8")
        assert mine == (tmp_path / f"lua_{name}").read_text(encoding="utf-8")
        assert mine.count("\n") == {"status": 1, "formats": 4}.get(name, 3)


def test_events():
    seen = []
    log = tnt.Log(
        ["a"],
        onSet=[lambda log, key, value: seen.append(("set", key, value, log.get("a")))],
        onClose=[lambda log: seen.append("close")],
    )
    log.set({"a": 1})
    log.attach("onGet", [lambda log, key: seen.append(("get", key))])
    log.set({"a": 2})
    assert log.get("a") == 2
    assert seen == [("set", "a", 1, None), ("get", "a"), ("set", "a", 2, 1), ("get", "a")]
    log.flush()
    log.close()
    assert seen[-1] == "close"
    assert log.get("a") is None
    assert len(seen) == 5  # nobody hears any more


def test_the_console_and_open_files(capsys):
    file = io.StringIO()
    log = tnt.Log(["x"], onFlush=[tnt.logtext(["x"]), tnt.logtext(["x"], file=file)])
    log.attach("onSet", [tnt.logstatus()])
    log.set({"x": 2.0})
    log.flush()
    log.status("done")
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], file.getvalue()) == ("x 2", "x 2\n")
    assert re.fullmatch(r"\| .*\d\d:\d\d:\d\d.* \| done", lines[1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tnt.Log(["a"]).set({"b": 1}), "unknown key 'b'"),
        (lambda: tnt.Log(["a"]).get("b"), "unknown key 'b'"),
        (lambda: tnt.Log([]).attach("onRead", []), "unknown event 'onRead'"),
        (lambda: tnt.Log([], onGet=[3]), "onGet: functions expected"),
        (lambda: tnt.logtext(["a"], file=io.StringIO(), filename="x"), "not both"),
        (lambda: tnt.logtext(["a"], [3]), "a string or a function"),
        (lambda: tnt.logjson(["a"], [len])(fed("xy")), "should return a str"),
    ],
)
def test_what_does_not_fit_is_an_error(call, message):
    with pytest.raises(tnt.TorchnetError, match=message):
        call()


def fed(value):
    log = tnt.Log(["a"])
    log.set({"a": value})
    return log
