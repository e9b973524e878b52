"""Modern style on graphs of nngraph: classes that compute what those did, and Torch's graph."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from modern_running import HEAD as TORCH_HEAD
from modern_running import agree, printed, translate

from rekindle.core.checkpoint import Table
from rekindle.core.generators import Generator, using
from rekindle.core.tensor import Tensor
from rekindle.transpiler.emit import formatted
from rekindle.transpiler.runtime import torch
from rekindle.transpiler.runtime.graphs import GraphError, as_graph, overwritten

HERE = Path(__file__).parent


_parts = re.split(r"^----- (.*)\n", (HERE / "modern_graphs.lua").read_text(), flags=re.MULTILINE)
SNIPPETS = dict(zip(_parts[1::2], _parts[2::2], strict=True))

HEAD = TORCH_HEAD + "require 'nngraph'\ntorch.manualSeed(4)\n"
RUN = """
local flat = net:getParameters()
flat:copy(P(flat:nElement()))
local function each(value, f)
   if torch.isTensor(value) then return f(value) end
   local found = {}
   for i, v in ipairs(value) do found[i] = each(v, f) end
   return found
end
local function round()
   torch.manualSeed(9)
   net:zeroGradParameters()
   local out = net:forward(input)
   each(out, show)
   each(net:backward(input, each(out, function(o) return P(unpack(o:size():totable())) end)), show)
   local params, grads = net:parameters()
   for i, g in ipairs(grads) do print(params[i]:dim()); show(g) end
end
round()
net:evaluate()
each(net:forward(input), show)
net:training()
torch.save('graph.t7', net)
net = torch.load('graph.t7')
round()
"""


@pytest.fixture(autouse=True)
def double_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    torch.setdefaulttensortype("torch.DoubleTensor")


@pytest.mark.parametrize("name", SNIPPETS)
def test_graphs_give_the_numbers_of_faithful(name):
    source = HEAD + SNIPPETS[name] + RUN
    modern, faithful = translate(source, "modern"), translate(source, "faithful")
    assert not modern.kept
    assert "gModule" not in modern.python
    agree(printed(modern), printed(faithful), 1e-10)


def tensors(value: object) -> list[Tensor]:
    if isinstance(value, Table):
        value = value.array()
    return [value] if isinstance(value, Tensor) else [t for v in value for t in tensors(v)]


@pytest.mark.parametrize("name", SNIPPETS)
def test_classes_compute_what_their_graphs_do(name):
    """The class itself, with autograd, against the graph of Torch with its own backward passes."""
    source = HEAD + SNIPPETS[name].replace("Dropout(0.5)", "Dropout(0)").replace("0.5", "0")
    python = translate(source, "modern").python
    python = python.replace("as_graph(", "both(")
    made = []

    def both(model):
        made.append(model)
        return as_graph(model)

    names = {"__name__": "snippet", "__file__": "snippet.py", "both": both}
    with using(Generator()):
        exec(compile(python, "snippet.py", "exec"), names)
    (model,), graph, given = made, names["net"], names["input"]
    given = given if isinstance(given, Table) else Table([given])
    inputs = [t.detach().requires_grad_() for t in tensors(given)]
    left = iter(inputs)
    again = [tuple(next(left) for _ in tensors(v)) for v in given.array()]
    again = [v if isinstance(g, Table) else v[0] for v, g in zip(again, given.array(), strict=True)]
    expected = graph.forward(given if len(again) > 1 else given[1])
    found = model(*again)
    outs, wanted = tensors(found), tensors(expected)
    for a, b in zip(outs, wanted, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.numpy(), rtol=1e-12, atol=1e-14)
    weights = [np.cos(np.arange(o.size)).reshape(o.shape) for o in outs]
    graph.zeroGradParameters()
    turned = iter(weights)

    def like(value):
        if isinstance(value, Table):
            return Table([like(v) for v in value.array()])
        return Tensor(next(turned))

    back = tensors(graph.backward(given if len(again) > 1 else given[1], like(expected)))
    own = {id(p): g.numpy().copy() for p, g in zip(*graph.parameters(), strict=True)}
    model.zero_grad()
    sum((o * Tensor(w)).sum() for o, w in zip(outs, weights, strict=True)).backward()
    for a, b in zip(inputs, back, strict=True):
        if a.grad is None:  # words have no gradient
            continue
        np.testing.assert_allclose(a.grad.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)
    assert len(own) == len(list(model.parameters()))
    for p in model.parameters():
        np.testing.assert_allclose(p.grad.numpy(), own[id(p)], rtol=1e-9, atol=1e-12)


def text(name: str) -> str:
    python = translate(HEAD + SNIPPETS[name], "modern").python
    return formatted({"a": python})["a"]


def test_a_recurrent_step_reads_as_a_class():
    found = text("a recurrent step of several layers, with options")
    assert (
        """
class Step(nn.Module):
    def __init__(self, size, width, n, dropout):
        super().__init__()
        self.n = n
        self.dropout = dropout
        self.drop = nn.Dropout(dropout)
        self.i2h = nn.ModuleList()
        self.h2h = nn.ModuleList()
        for L in range(n):
            if L == 0:
                wide = size
            else:
                wide = width
            self.i2h.append(nn.Linear(wide, 4 * width))
            self.h2h.append(nn.Linear(width, 4 * width))
        self.decoder = nn.Linear(width, size)

    def forward(self, *inputs):
        # x
        outputs = []
        for L in range(self.n):
            prev_h = inputs[2 * L + 2]
            prev_c = inputs[2 * L + 1]
            if L == 0:
                x = inputs[0].tanh()
            else:
                x = outputs[2 * L - 1]
                # some
                if self.dropout > 0:
                    x = self.drop(x)
            i2h = self.i2h[L](x)
            h2h = self.h2h[L](prev_h)
            sums = i2h + h2h
            n1, n2, n3, n4 = sums.chunk(4, axis=-1)
            next_c = n1.sigmoid() * prev_c + n2.sigmoid() * n4.tanh()
            next_h = n3.sigmoid() * next_c.tanh()
            outputs.append(next_c)
            outputs.append(next_h)
        top = outputs[-1]
        if self.dropout > 0:
            top = self.drop(top)
        proj = self.decoder(top)
        outputs.append(proj.log_softmax(axis=-1))
        return tuple(outputs)
"""
        in found
    )
    assert "    return as_graph(Step(size, width, n, dropout).double())\n" in found


def test_comments_stay_and_lists_of_layers_are_one_line():
    source = """
local function net(n)
   local x = nn.Identity()() -- words

   -- rows of gates
   local cut = nn.Reshape(4, n)(nn.Linear(n, 4 * n)(x))
   -- the gates
   local a, b, c, d = nn.SplitTable(2)(cut):split(4)
   local y = nn.CMulTable()({a, d})
   for i = 1, n do
      y = nn.Linear(n, n)(y)
   end
   -- its weight
   local last = nn.Linear(n, 1)
   return nn.gModule({x}, {last(y)})
end
net(3)
"""
    found = formatted({"a": translate(HEAD + source, "modern").python})["a"]
    body = found[found.index("class Net") : found.index("def net(")]
    assert (
        body.strip()
        == """
class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n
        self.cut = nn.Linear(n, 4 * n)
        self.linear = nn.ModuleList(nn.Linear(n, n) for _ in range(n))
        # its weight
        self.last = nn.Linear(n, 1)

    def forward(self, x):
        # words

        # rows of gates
        # the gates
        a, b, c, d = self.cut(x).chunk(4, axis=-1)
        y = a * d
        for i in range(self.n):
            y = self.linear[i](y)
        return self.last(y)
""".strip()
    )


def test_functions_that_build_parts_are_classes():
    found = text("parts of a graph that functions build")
    assert "self.reset = Gate()" in found
    assert "new = (self.transformed(x) + reset * h).tanh()" in found
    assert "kept = (1 - update) * h" in found
    assert "def gate" not in found


REFUSED = [
    ("if a then return nn.gModule({x}, {x}) end", "built in branches"),
    (
        "local y = x; for i = 1, 2 do for j = 1, 2 do y = nn.Linear(2, 2)(y) end end",
        "loops inside of loops",
    ),
    (
        "local y = x; for i = 1, 2 do if i > a then y = nn.Linear(2, 2)(y) end end",
        "branches of a loop",
    ),
    (
        "local n, y = math.random(2); for i = 1, n do y = nn.Tanh()(x) end",
        "several values are assigned",
    ),
    (
        "local n = math.random(2); local y = x; for i = 1, n do y = nn.Tanh()(y) end",
        "n, which the graph is shaped by, is computed",
    ),
    ("local y = nn.MSECriterion(false)({x, x})", "a criterion is a part of the graph"),
    ("print(x.data)", "called in it for its effect"),
    ("t.x = x", "what is put into the table t"),
    ("x = other(x)", "its inputs are not variables"),
    ("x = nn.Tanh()(x)", "its inputs are not variables"),
    ("local y = nn.ReLU(true)(x); y = nn.CAddTable(){y, nn.Tanh()(x)}", "wrote over, x, is used"),
]


@pytest.mark.parametrize(("line", "reason"), REFUSED)
def test_graphs_that_do_not_fit_stay_and_are_named(line, reason):
    source = f"local t = {{}}\nfunction make(a)\n   local x = nn.Identity()()\n   {line}\n"
    source += "   return nn.gModule({x}, {nn.Tanh()(x)})\nend\n"
    found = translate(source, "modern")
    assert "as_graph" not in found.python
    assert [k for k in found.kept if k.what == "make" and reason in k.reason], found.kept


def test_what_an_activation_wrote_over_has_its_value_and_its_own_gradient():
    x = Tensor(np.array([-1.0, 2.0])).requires_grad_()
    y = x.relu()
    found = overwritten(x, y)
    (found * Tensor(np.array([3.0, 5.0]))).sum().backward()
    assert found.tolist() == [0.0, 2.0]
    assert x.grad.tolist() == [3.0, 5.0]


def test_a_graph_of_something_that_has_no_node_is_an_error():
    from rekindle import nn

    class Strange(nn.Module):
        def forward(self, x):
            return 3

    with pytest.raises(GraphError, match="a int is none"):
        as_graph(Strange())
