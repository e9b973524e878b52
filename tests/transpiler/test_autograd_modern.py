"""autograd in modern style: `rekindle.func`, with the numbers that the Lua program prints."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest
from autograd_running import HEAD, in_lua

from rekindle.transpiler.emit import formatted
from rekindle.transpiler.project import Project, Source
from rekindle.transpiler.translate import Translation

HERE = Path(__file__).parent

PARTS = re.split(r"^----- (.*)\n", (HERE / "autograd_modern.lua").read_text(), flags=re.MULTILINE)
SNIPPETS = dict(zip(PARTS[1::2], PARTS[2::2], strict=True))


def modern(source: str) -> Translation:
    (found,) = Project([Source("snippet.lua", source.encode())], "modern").translate()
    assert not found.diagnostics, found.diagnostics
    return found


def printed(found: Translation) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(found.python, "snippet.py", "exec"), {"__name__": "s", "__file__": "s.py"})
    return out.getvalue()


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_numbers_are_those_of_the_program(name):
    found = modern(HEAD + SNIPPETS[name])
    assert not found.kept, found.kept
    assert "autograd" not in found.python
    assert "func." in found.python
    texts = printed(found), in_lua(SNIPPETS[name])
    values, expected = ([float(x) for x in re.findall(r"-?[\d.]+(?:e-?\d+)?", t)] for t in texts)
    assert len(values) == len(expected) > 3
    assert values == pytest.approx(expected, rel=1e-10, abs=1e-13)


def test_how_it_reads():
    source = """
local grad = require 'autograd'
-- the parameters
local params = {W = {torch.randn(100, 50), torch.randn(50, 10)}, b = torch.randn(50)}
local function network(params, x, y)
   local h = torch.tanh(x * params.W[1] + params.b)
   -- scores
   local out = h * params.W[2]
   return torch.sum(torch.pow(out - y, 2)) / 2, out
end
local df = grad(network, {optimize = true})
for i = 1, 10 do
   local grads, loss, out = df(params, torch.randn(1, 100), torch.randn(1, 10))
   params.b:add(-0.01, grads.b)
   print(loss, out:size(2))
end
"""
    expected = """
# the parameters
params = {"W": [torch.randn(100, 50), torch.randn(50, 10)], "b": torch.randn(50)}


def network(params, x, y):
    h = (x @ params["W"][0] + params["b"]).tanh()
    # scores
    out = h @ params["W"][1]
    return ((out - y) ** 2).sum() / 2, out


df = func.value_and_grad(network, has_aux=True)
for i in range(1, 11):
    (loss, out), grads = df(params, torch.randn(1, 100), torch.randn(1, 10))
    params["b"] -= 0.01 * grads["b"]
    print(loss.item(), tensor.size(out, 2))
"""
    text = formatted({"a.py": modern(source).python})["a.py"]
    assert text.partition("torch\n")[2].strip() == expected.strip()


PROGRAM = """
local grad = require 'autograd'
local params = {{w = torch.ones(3), k = {k}}}
local f = function(params, x)
   {body}
   return torch.sum(torch.cmul(params.w, x)){more}
end
local df = grad(f{options})
local grads, loss = df(params, torch.ones(3))
{after}
show(grads.w)
"""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"k": "2"}, "not known to be a tensor"),
        ({"options": ", {stableGradients = true}"}, "no counterpart in core"),
        ({"body": "print('called')"}, "no computation"),
        ({"body": "params.w[1] = 3"}, "changes what is outside"),
        ({"body": "x = x + torch.ones(2, 2)"}, "the order of elements"),
        ({"body": "if torch.sum(x) > 1 then x = x * 2 end"}, "depends on tensors"),
        ({"after": "for k, g in pairs(grads) do g:zero() end"}, "used as a table"),
        ({"after": "params.more = torch.ones(1)"}, "no such part"),
        ({"after": "local g = f show(g(params, torch.ones(3)))"}, "used in other ways"),
        ({"after": "print(df(params, torch.ones(3)))"}, "without a name"),
        ({"after": "show(df(params, torch.ones(3)).w)"}, "without a name"),
        ({"more": ", x", "after": "show(f(params, torch.ones(3)))"}, "all of them"),
        ({"body": "do return grad.loss.leastSquares(params.w, x) end"}, "all of its results"),
        ({"after": "params.w = torch.ones(4)"}, "shape of a parameter"),
        ({"after": "params.w:resize(2)"}, "shape of a parameter"),
        ({"after": "local x = torch.ones(3) x:resize(1, 3) df(params, x)"}, "not known what it is"),
        (
            {"after": "for _, x in ipairs {torch.ones(3)} do show((df(params, x))) end"},
            "not known what it is",
        ),
        ({"after": "show(grad.util.sigmoid(torch.ones(1)))"}, "used in other ways"),
    ],
)
def test_what_is_not_understood_stays(changes, reason):
    parts = {"k": "torch.ones(2)", "body": "", "more": "", "options": "", "after": "", **changes}
    source = HEAD + PROGRAM.format(**parts)
    found = modern(source)
    assert [k for k in found.kept if reason in k.reason], found.kept
    (plain,) = Project([Source("snippet.lua", source.encode())]).translate()
    assert found.python == plain.python


def test_files_of_a_program_do_not_share_what_is_rewritten():
    sources = [
        Source("a.lua", b"require 'b'\nprint(df(params, torch.ones(3)))\n"),
        Source(
            "b.lua",
            b"local grad = require 'autograd'\nparams = {w = torch.ones(3)}\n"
            b"df = grad(function(p, x) return torch.sum(torch.cmul(p.w, x)) end)\n",
        ),
    ]
    found = Project(sources, "modern").translate()
    assert any("given away" in k.reason for f in found for k in f.kept)
