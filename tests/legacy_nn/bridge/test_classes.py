"""Classes that Lua defines, classes that Python defines, and what each side makes of them."""

import numpy as np
import pytest

import rekindle
from rekindle import Table
from rekindle import legacy_nn as nn
from rekindle.core.autograd import check_grads
from rekindle.legacy_nn import lualib
from rekindle.legacy_nn.bridge import Runtime

SCALE = """
    local Scale, parent = torch.class('nn.LuaScale', 'nn.Module')
    function Scale:__init(k)
      parent.__init(self)
      self.weight = torch.Tensor(1):fill(k)
      self.gradWeight = torch.zeros(1)
      self.extra = {note = 'kept'}
    end
    function Scale:updateOutput(x)
      self.output:resizeAs(x):copy(x):mul(self.weight[1])
      return self.output
    end
    function Scale:updateGradInput(x, g)
      self.gradInput:resizeAs(g):copy(g):mul(self.weight[1])
      return self.gradInput
    end
    function Scale:accGradParameters(x, g, scale)
      self.gradWeight[1] = self.gradWeight[1] + (scale or 1) * torch.cmul(x, g):sum()
    end
    function Scale:__tostring__() return 'LuaScale(' .. self.weight[1] .. ')' end
    return function(k) return nn.LuaScale(k) end"""


@pytest.fixture
def scale(torch_lua):
    return torch_lua.execute(SCALE)


def test_a_lua_layer_is_a_module(scale):
    layer = scale(3)
    assert isinstance(layer, nn.Module)
    assert repr(layer) == "LuaScale(3)"
    assert layer.t7_typename == "nn.LuaScale"
    assert set(vars(layer)) == {"output", "gradInput", "_type", "weight", "gradWeight", "extra"}
    x = rekindle.tensor(np.array([1.0, 2.0]))
    assert layer.forward(x).tolist() == [3, 6]
    assert layer.backward(x, rekindle.tensor(np.ones(2))).tolist() == [3, 3]
    assert layer.gradWeight.tolist() == [3]
    assert layer.weight.grad is layer.gradWeight


def test_python_makes_objects_of_a_lua_class(scale):
    cls = type(scale(1))
    layer = cls(5.0)
    assert layer.forward(rekindle.tensor(np.ones(1))).tolist() == [5]
    assert layer.extra.note == "kept"


def test_gradients_flow_through_a_lua_layer(scale):
    layer = nn.Sequential().add(nn.Linear(3, 2)).add(scale(2))
    x = rekindle.tensor(np.random.default_rng(1).normal(size=(2, 3)), requires_grad=True)
    check_grads(layer, (x,), order=1, modes=("rev",))
    layer(x).sum().backward()
    assert layer.modules[2].weight.grad.numpy() == pytest.approx(
        layer.modules[1].forward(x).numpy().sum()
    )


def test_containers_and_files_take_lua_layers(torch_lua, scale, tmp_path):
    net = nn.Sequential().add(nn.Linear(2, 2)).add(scale(4))
    flat, _ = net.getParameters()
    assert flat.shape == (7,)
    assert net.modules[2].weight.storage() is flat.storage()
    copy = net.clone()
    assert copy.modules[2].weight.tolist() == [4]
    assert copy.modules[2].extra.note == "kept"
    assert copy.modules[2].extra is not net.modules[2].extra
    path = tmp_path / "net.t7"
    rekindle.save(net, path)
    assert repr(rekindle.load(path).modules[2]) == "LuaScale(4)"
    load = torch_lua.execute("return function(p) return torch.load(p):get(2) end")
    assert load(str(path)).weight.tolist() == [4]
    net.float()
    assert net.modules[2].weight.dtype == np.float32


def test_lua_sees_fields_and_methods(torch_lua):
    code = """
        local m = nn.Linear(2, 3)
        m.note, m.gradBias = 'mine', nil
        local names = {}
        for name, value in pairs(m) do names[name] = value end
        local first = next(m)
        return type(m), m.note, m.gradBias, names.note, names.weight == m.weight, first ~= nil,
               rawget(m, 'updateOutput'), m.updateOutput == nn.Linear.updateOutput,
               getmetatable(m).__typename, torch.typename(m), torch.isTypeOf(m, 'nn.Module'),
               torch.isTypeOf(m, nn.Linear), torch.getmetatable('nn.Linear') == getmetatable(m),
               m.nothing, #nn.Sequential():add(m)"""
    assert torch_lua.execute(code) == (
        *("table", "mine", None, "mine", True, True, None, True, "nn.Linear", "nn.Linear"),
        *(True, True, True, None, 1),
    )


def test_one_object_is_one_value(torch_lua):
    net = nn.Sequential().add(nn.Linear(1, 1))
    look = torch_lua.execute("""
        return function(net, layer)
          net.label = 'seen'
          return net:get(1) == layer, net.modules[1] == layer, layer
        end""")
    assert look(net, net.modules[1]) == (True, True, net.modules[1])
    assert net.label == "seen"


def test_a_method_stored_in_an_object(torch_lua):
    layer = nn.Linear(2, 2)
    read = torch_lua.execute("""
        return function(layer)
          local f = function(self, x) return x * 0 + self.bias:size(1) end
          layer.updateOutput = f
          return layer:forward(torch.ones(2)), layer.updateOutput == f
        end""")
    output, same = read(layer)
    assert same
    assert output.tolist() == [2, 2]
    x = rekindle.tensor(np.ones(2))
    assert layer.forward(x).tolist() == [2, 2]
    assert layer.clone().forward(x).tolist() == [2, 2]


def test_a_method_that_python_stored_in_an_object(torch_lua):
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    first.updateOutput = lambda input: input * 3
    forward = torch_lua.execute("""
        return function(first, second, x)
          second.updateOutput = first.updateOutput
          return first:updateOutput(x), first:forward(x), second:forward(x)
        end""")
    x = rekindle.tensor(np.ones(2))
    assert [y.tolist() for y in forward(first, second, x)] == [[3, 3]] * 3
    assert second.updateOutput is first.updateOutput


def test_lua_replaces_methods_of_rekindles_classes_for_its_runtime(torch_lua):
    other = Runtime()
    other.require("nn")
    torch_lua.execute("""
        function nn.Linear:reset() self.weight:fill(7) self.bias:zero() return self end
        function nn.Module:hello() return 'hello ' .. torch.type(self) end""")
    code = "return nn.Linear(1, 1).weight[1][1], nn.Tanh.hello ~= nil"
    assert torch_lua.execute(code) == (7, True)
    weight, greets = other.execute(code)
    assert abs(weight) <= 1
    assert not greets
    assert torch_lua.execute("return nn.Tanh():hello()") == "hello nn.Tanh"
    make = torch_lua.execute("return function(f) return f() end")
    assert make(lambda: nn.Linear(1, 1).weight.item()) == 7


def test_a_closed_runtime_has_replaced_nothing():
    lua = Runtime()
    lua.execute("require 'nn' function nn.Linear:reset() self.weight:fill(7) return self end")
    assert nn.Linear(1, 1).weight.item() == 7
    lua.close()
    assert abs(nn.Linear(1, 1).weight.item()) <= 1


def test_python_classes_in_lua(torch_lua, tmp_path):
    class Double(nn.Module):
        def updateOutput(self, input):
            self.output = input * 2
            return self.output

        def updateGradInput(self, input, gradOutput):
            self.gradInput = gradOutput * 2
            return self.gradInput

    torch_lua.export("nn.PyDouble", Double)
    net, kind, output = torch_lua.execute("""
        local net = nn.Sequential():add(nn.PyDouble()):add(nn.PyDouble())
        local sub, parent = torch.class('nn.Quadruple', 'nn.PyDouble')
        function sub:updateOutput(x) return parent.updateOutput(self, x) * 2 end
        return net, torch.type(net:get(1)), nn.Quadruple():forward(torch.ones(1))[1]""")
    assert isinstance(net.modules[1], Double)
    assert (kind, output) == ("nn.PyDouble", 4)
    assert net.forward(rekindle.tensor(np.ones(1))).tolist() == [4]


def test_single_methods_are_ported(torch_lua, scale):
    calls = []

    def update_output(self, x):
        calls.append(self)
        return x * 100

    torch_lua.export("nn.LuaScale.updateOutput", update_output)
    layer = scale(1)
    assert layer.forward(rekindle.tensor(np.ones(1))).tolist() == [100]
    assert torch_lua.execute("return nn.LuaScale(1):forward(torch.ones(1))[1]") == 100
    assert calls[0] is layer
    with pytest.raises(rekindle.RekindleError, match=r"such as 'nn\.MyLayer'"):
        torch_lua.export("lonely", update_output)


def test_classes_of_lua_alone(torch_lua, tmp_path):
    path = str(tmp_path / "objects.t7")
    value, kind = torch_lua.execute(
        """
        geo = {}
        local Point = torch.class('geo.Point')
        function Point:__init(x) self.x = x end
        function Point:double() return self.x * 2 end
        local Named, parent = torch.class('geo.Named', 'geo.Point')
        function Named:__init(x, name) parent.__init(self, x) self.name = name end
        function Named:write(file) file:writeInt(self.x) file:writeString(self.name) end
        function Named:read(file)
          self.x = file:readInt()
          self.name = file:readString('*a')
        end
        return geo.Point(4), torch.type(geo.Named(1, 'n'))"""
    )
    assert (value.t7_typename, value.x, kind) == ("geo.Point", 4, "geo.Named")
    value.x = 5
    assert torch_lua.execute("return function(p) return p:double(), torch.type(p) end")(value) == (
        10,
        "geo.Point",
    )
    torch_lua.globals.path = path
    result = torch_lua.execute("""
        local p = geo.Point(3)
        torch.save(path, {p, p, geo.Named(2, 'two')})
        local t = torch.load(path)
        return t[1]:double(), t[1] == t[2], torch.isTypeOf(t[3], 'geo.Point'), t[3].name, t[3].x""")
    assert result == (6, True, True, "two", 2)


def test_python_calls_methods_and_operators_of_classes_of_lua_alone(torch_lua):
    make = torch_lua.execute("""
        local Count = torch.class('Count')
        function Count:__init(n) self.n = n end
        function Count:up(by) self.n = self.n + (by or 1) return self end
        function Count:__tostring__() return 'count ' .. self.n end
        function Count:__len__() return self.n end
        local Twice, parent = torch.class('TwiceCount', 'Count')
        function Twice:up(by) return parent.up(self, 2 * by) end
        return TwiceCount
    """)
    twice = lualib.call(make, 5)
    assert twice.up(2) is twice
    assert twice.n == 9
    assert lualib.invoke(twice, "up", 3) is twice
    assert lualib.tostring(twice) == "count 15"
    assert lualib.length(twice) == 15
    with pytest.raises(AttributeError, match="down"):
        twice.down()


def test_text_of_a_class_of_lua_may_hold_the_texts_of_modules_inside(torch_lua):
    text = torch_lua.execute("""
        require 'nn'
        local Boxed = torch.class('nn.Boxed', 'nn.Container')
        function Boxed:__tostring__() return '<' .. tostring(self.modules[1]):upper() .. '>' end
        local inner = nn.Sequential():add(nn.Sequential():add(nn.Tanh()))
        return tostring(nn.Sequential():add(nn.Boxed():add(inner)):add(nn.Tanh()))
    """)
    lines = text.split("\n")
    assert lines[2:6] == [
        "  (1): <NN.SEQUENTIAL {",
        "    [INPUT -> (1) -> OUTPUT]",
        "    (1): NN.SEQUENTIAL {",
        "      [INPUT -> (1) -> OUTPUT]",
    ]
    assert lines[-2] == "  (2): nn.Tanh"


def test_forms_of_torch_class(torch_lua):
    code = """
        local module = {}
        local A = torch.class('anything.A', module)
        local B, parentA = torch.class('anything.B', 'anything.A', module)
        function A:name() return 'A' end
        local b = module.B()
        local made = torch.factory('anything.B')()
        return parentA == A, b:name(), torch.type(b), torch.type(made), anything,
               pcall(torch.class, 'unknown.C'), select(2, pcall(torch.class, 'unknown.C'))"""
    result = torch_lua.execute(code)
    assert result[:6] == (True, "A", "anything.B", "anything.B", None, False)
    assert "unknown is an invalid module name" in result[-1]


def test_graphs_are_built_with_calls(torch_lua):
    code = """
        local x = nn.Identity()()
        local h = nn.Tanh()(nn.Linear(2, 3)(x))
        local both = nn.CAddTable()({h, nn.Linear(2, 3)(x)})
        local y = both - nn.Linear(3, 1)
        local net = nn.gModule({x}, {y})
        return net, net:forward(torch.ones(4, 2)), torch.type(x)"""
    net, output, kind = torch_lua.execute(code)
    assert kind == "nngraph.Node"
    assert output.shape == (4, 1)
    assert isinstance(net, nn.gModule)


def test_optim_takes_closures_and_tables(torch_lua):
    config = Table({"learningRate": 0.1, "momentum": 0.5})
    code = """
        return function(config)
          local x, state = torch.Tensor{5, -3}, {}
          local function feval(w) return w:dot(w), w * 2 end
          for i = 1, 200 do optim.sgd(feval, x, config, state) end
          return x:norm(), state.evalCounter, torch.type(state.dfdx)
        end"""
    norm, count, kind = torch_lua.execute(code)(config)
    assert norm < 1e-6
    assert (count, kind) == (200, "torch.DoubleTensor")


def test_a_plain_table_becomes_an_object(torch_lua):
    code = """
        local t = {weight = torch.ones(1, 2), bias = torch.zeros(1), note = 'plain'}
        setmetatable(t, torch.getmetatable('nn.Linear'))
        local made = torch.setmetatable({}, 'nn.Identity')
        local first = t.note .. torch.type(t)
        local output = t:updateOutput(torch.ones(2))
        t.later = 1
        local names = {}
        for name in pairs(t) do names[#names + 1] = name end
        table.sort(names)
        return t, first, output[1], table.concat(names, ' '), made:forward(torch.ones(1))[1],
               rawequal(nn.Sequential():add(t):get(1), t)"""
    layer, first, output, names, made, same = torch_lua.execute(code)
    assert isinstance(layer, nn.Linear)
    assert vars(layer)["note"] == "plain"
    assert (first, output, made, same) == ("plainnn.Linear", 2, 1, True)
    assert names == "bias later note output weight"


def test_names_that_python_uses_inside_are_free_for_lua(torch_lua, tmp_path):
    code = """
        local Drop, parent = torch.class('nn.LuaDrop', 'nn.Module')
        function Drop:__init() parent.__init(self) self.keep, self.dtype = 0.5, 'mine' end
        function Drop:prepare() return 'prepared' end
        function Drop:updateOutput(x) self.output = x * self.keep return self.output end
        local d = nn.LuaDrop()
        local names = {}
        for name in pairs(d) do names[name] = true end
        local y = nn.Sequential():add(nn.Linear(1, 1)):add(d):forward(torch.ones(1))
        return d, d.keep, d:prepare(), names.keep, names.dtype, d.compute, nn.Module.keep"""
    layer, *rest = torch_lua.execute(code)
    assert rest == [0.5, "prepared", True, True, None, None]
    assert layer.clone().forward(rekindle.tensor(np.ones(1))).tolist() == [0.5]
