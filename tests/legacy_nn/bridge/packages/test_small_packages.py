"""What programs expect of `require`, and of packages too small for a page of their own."""

import hashlib
import re
import subprocess
import sys

import numpy as np
import pytest
from scipy import special

import rekindle
from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.legacy_nn.bridge import LuaError


def test_names_that_begin_with_a_dot_are_files_beside(lua, tmp_path, monkeypatch):
    """Source: torch/trepl init.lua."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "main.lua").write_text("return require './sub/here', require './sub/here.lua'")
    (tmp_path / "sub" / "here.lua").write_text(
        "local t = {z = require './z', j = require './data.json', t = require './data'}\n"
        "t.i = require './deep'\n"
        "return t"
    )
    (tmp_path / "sub" / "z.lua").write_text("runs = (runs or 0) + 1 return runs")
    (tmp_path / "sub" / "data.json").write_text('{"a": [1, 2]}')
    checkpoint.save(Table({"x": 5}), tmp_path / "sub" / "data.t7")
    (tmp_path / "sub" / "deep" / "init.lua").write_text("return {up = require '../z'}")
    (tmp_path / "z.lua").write_text("return 'the wrong one'")
    first, second = lua.execute("return dofile 'main.lua'")
    assert (first["z"], first["j"]["a"][2], first["t"]["x"], first["i"]["up"]) == (1, 2, 5, 2)
    assert second["z"] == 3  # run anew each time, as in Torch
    with pytest.raises(LuaError, match=r"module '\./none' not found"):
        lua.execute("require './none'")


def test_the_size_of_elements_is_known_to_the_class(lua):
    lua.require("torch")
    sizes = {"Byte": 1, "Char": 1, "Short": 2, "Int": 4, "Long": 8, "Float": 4, "Double": 8}
    for name, size in sizes.items():
        assert (
            lua.execute(
                f"return torch.{name}Storage.elementSize(), torch.{name}Storage(2):elementSize(), "
                f"torch.{name}Tensor.elementSize(), torch.{name}Tensor(2):elementSize()"
            )
            == (size,) * 4
        )


def test_counters_are_0_at_first(lua):
    assert lua.execute("""
        local tds = require 'tds'
        local c = tds.AtomicCounter(7)
        return c:get(), c:inc(), c:get()
    """) == (0, 0, 1)


def test_md5(lua):
    text = "grün \0 \xff"
    lua.globals.text = text
    expected = hashlib.md5(text.encode("latin-1"))
    found = lua.execute("md5 = require 'md5' return md5.sumhexa(text), md5.sum(text)")
    assert found == (expected.hexdigest(), expected.digest().decode("latin-1"))


def test_argcheck_without_arguments(lua):
    """torch/argcheck itself refuses an empty call of rules that are by name only."""
    lua.execute("tnt = require 'torchnet'")
    with pytest.raises(LuaError, match="invalid arguments!"):
        lua.execute("return tnt.RecallMeter()")
    assert lua.execute("return torch.type(tnt.RecallMeter {})") == "tnt.RecallMeter"


def test_profiles(lua, capfd):
    """What dpnn's containers print, and that they compute the same then."""
    found = lua.execute("""
        require 'dpnn'
        local net = nn.Sequential():add(nn.Linear(4, 3))
          :add(nn.ConcatTable():add(nn.Tanh()):add(nn.Sigmoid()))
          :add(nn.ParallelTable():add(nn.Linear(3, 2)):add(nn.Linear(3, 2))):add(nn.CAddTable())
        local same = net:clone()
        local x, g = torch.randn(2, 4), torch.randn(2, 2)
        local worst = 0
        local function compare(a, b) worst = math.max(worst, (a - b):abs():max()) end
        local function run(net)
          local _, grads = net:getParameters()
          net:zeroGradParameters()
          local y, back = net:forward(x):clone(), net:backward(x, g):clone()
          local once = grads:clone()
          net:zeroGradParameters()
          net:updateGradInput(x, g)
          compare(back, net.gradInput)
          net:accGradParameters(x, g, 2)
          compare(once * 2, grads)
          return y, back, once
        end
        local y, back, grads = run(net)
        same:profile()
        print('from here on')
        local y2, back2, grads2 = run(same)
        compare(y, y2) compare(back, back2) compare(grads, grads2)
        return worst, same:get(3):get(1).dpnn_profile
    """)
    assert found == (0, True)
    before, _, after = capfd.readouterr().out.partition("from here on\n")
    assert before == ""
    lines = after.splitlines()
    assert all(re.fullmatch(r"nn\.\w+ \w+: [\d.e-]+ s", line) for line in lines)
    started = [line.partition(":")[0] for line in lines[:6]]
    timed = ("Linear", "ConcatTable", "Linear", "Linear", "ParallelTable", "CAddTable")
    assert started == [f"nn.{name} updateOutput" for name in timed]


def test_auto_modules_of_another_process(lua, tmp_path):
    path = str(tmp_path / "auto.t7")
    made = lua.execute(f"""
        local autograd = require 'autograd'
        local scale = 2
        local layer = autograd.nn.AutoModule('ScaledAnew')(function(x, w, b)
          return torch.cmul(x, w) * scale + b
        end, torch.randn(3), torch.randn(3))
        local criterion = autograd.nn.AutoCriterion('CubicAnew')(function(x, y)
          return torch.sum(torch.pow(x - y, 3))
        end)
        local net, x = nn.Sequential():add(layer):add(nn.Tanh()), torch.randn(3)
        net:zeroGradParameters()
        local y = net:forward(x)
        local loss = criterion:forward(y, x)
        torch.save({path!r}, {{net = net:clone(), criterion = criterion, x = x}})
        net:backward(x, criterion:backward(y, x))
        return loss, layer.gradWeight:sum()
    """)
    program = tmp_path / "again.lua"
    program.write_text(f"""
        require 'nn'
        local t = torch.load({path!r})
        t.net:zeroGradParameters()
        local y = t.net:forward(t.x)
        io.write(('%.15g '):format(t.criterion:forward(y, t.x)))
        t.net:backward(t.x, t.criterion:backward(y, t.x))
        io.write(('%.15g'):format(t.net:get(1).gradWeight:sum()))
    """)
    started = "import rekindle.cli; rekindle.cli.main()"
    command = [sys.executable, "-c", started, "exec", str(program)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [float(x) for x in said.split()] == pytest.approx(made, rel=1e-12)


def test_special_functions(lua):
    lua.require("cephes")
    x = rekindle.tensor(np.array([[0.5, 2.0], [3.5, 7.25]]))
    lua.globals.x = x
    flat = x.numpy().ravel()
    for call, expected in {
        "cephes.digamma(x)": special.psi(flat),
        "cephes.igam(2, x)": special.gammainc(2, flat),
        "cephes.polygamma(1, x)": special.polygamma(1, flat),
        "cephes.ellpk(torch.Tensor {0.2})": special.ellipk([0.8]),
        "cephes.lmvgam(x, 1)": special.gammaln(flat),
        "cephes.hyp2f1(0.5, x, 3, 0.2)": special.hyp2f1(0.5, flat, 3, 0.2),
        "cephes.erf(torch.FloatTensor(2, 2), x):double():view(-1)": special.erf(flat),
    }.items():
        found = lua.execute(f"return {call}").numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-6 if "Float" in call else 1e-13)
    assert lua.execute("return cephes.lgam(5), cephes.isnan(cephes.nan), cephes.isinf(1)") == (
        pytest.approx(np.log(24)), True, False)  # fmt: skip
    for code, message in {
        "cephes.digamma(1, 2, 3)": "takes 1 arguments",
        "cephes.igam(x, torch.Tensor(3))": r"tensors of \[3, 4\] elements",
        "cephes.digamma(2, x)": "the result should be a tensor",
    }.items():
        with pytest.raises(LuaError, match=message):
            lua.execute(code)


def test_distributions_are_drawn_from_torchs_stream(lua):
    lua.require("randomkit")
    expected = np.random.RandomState(5)
    lua.execute("torch.manualSeed(5)")
    for call, wanted in {
        "randomkit.poisson(torch.Tensor(4), 6)": expected.poisson(6, 4),
        "randomkit.gamma(torch.Tensor {1, 2.5}, 2)": expected.gamma([1, 2.5], 2),
        "randomkit.binomial(torch.LongTensor(3), 10, 0.3)": expected.binomial(10, 0.3, 3),
        "torch.Tensor {randomkit.beta(2, 3)}": [expected.beta(2, 3)],
    }.items():
        np.testing.assert_allclose(lua.execute(f"return {call}").numpy(), wanted, rtol=1e-15)
    assert lua.execute("return randomkit.bytes(torch.ByteTensor(5)):size(1)") == 5
