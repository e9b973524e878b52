"""autograd for Lua programs: gradients against differences of the same function without it."""

import numpy as np
import pytest

import rekindle
from rekindle.legacy_nn.bridge import LuaError, Runtime

STEP = 1e-6


@pytest.fixture(scope="module")
def runtime():
    made = Runtime()
    made.execute("require 'nn' autograd = require 'autograd' util = require 'autograd.util'")
    yield made
    made.close()


@pytest.fixture
def ag(runtime):
    runtime.execute("torch.manualSeed(123)")
    return runtime


def differences(f, values):
    """Return the gradient of f at a list of float64 arrays, by central differences."""
    found = []
    for i, value in enumerate(values):
        g = np.zeros_like(value)
        for at in np.ndindex(value.shape):
            ends = []
            for sign in (1, -1):
                moved = [v.copy() for v in values]
                moved[i][at] += sign * STEP
                ends.append(f(moved))
            g[at] = (ends[0] - ends[1]) / (2 * STEP)
        found.append(g)
    return found


EXPRESSIONS = {
    "operators": "torch.sum(-(a + b) / 3 - a * 2 + 1.5 * b - (2 - a))",
    "number nodes": "torch.sum(a) * torch.sum(b) / 2 - torch.sum(a) ^ 2 + 3 / torch.sum(b)",
    "number and tensor": "torch.sum(a * torch.sum(b) + torch.mean(a) - b / torch.max(a))",
    "add with a factor": "torch.sum(torch.add(a, 0.5, b))",
    "add a number": "torch.sum(torch.cmul(torch.add(a, 2), b))",
    "mul, div": "torch.sum(torch.div(torch.mul(a, 3), 2))",
    "cmul, cdiv": "torch.sum(torch.cdiv(torch.cmul(a, a), b))",
    "pow": "torch.sum(torch.pow(b, 3)) + torch.sum(torch.pow(b, torch.sum(a)))",
    "cmax, cmin": "torch.sum(torch.cmax(a, b)) + 2 * torch.sum(torch.cmin(a, b))",
    "addcmul, addcdiv": "torch.sum(torch.addcmul(a, 2, a, b) + torch.addcdiv(a, 0.3, a, b))",
    "exp, log": "torch.sum(torch.exp(a) + torch.log(b) + torch.log1p(b) + torch.sqrt(b))",
    "trigonometry": "torch.sum(torch.sin(a) + torch.cos(b) + torch.tan(a))",
    "hyperbolic": "torch.sum(torch.sinh(a) + torch.cosh(b) + torch.tanh(a) + torch.sigmoid(b))",
    "abs, clamp": "torch.sum(torch.abs(a) + torch.clamp(b, 0.7, 1.2))",
    "products": "torch.sum((a * torch.t(b)) * torch.select(a, 2, 1))",
    "mm, mv, ger": "torch.sum(torch.mm(a, b:t())) + torch.dot(torch.mv(a, b[1]), a:select(2, 2))"
    " + torch.sum(torch.cmul(torch.ger(a[1], b[2]), torch.ger(b[1], b[1])))",
    "bmm": "torch.sum(torch.bmm(torch.view(a, 1, 3, 4), torch.view(b, 1, 4, 3)))",
    "baddbmm": "torch.sum(torch.baddbmm(torch.sum(b), torch.view(torch.mm(a, b:t()), 1, 3, 3), 2,"
    " torch.view(a, 1, 3, 4), torch.view(b, 1, 4, 3)))",
    "addmm": "torch.sum(torch.addmm(torch.mm(a, torch.t(b)), a, torch.t(b)))",
    "inverse": "torch.sum(torch.inverse(torch.mm(b, torch.t(a)) + torch.eye(3) * 10))",
    "sums along": "torch.sum(torch.cmul(torch.sum(a, 1), torch.mean(b, 1))) + torch.sum(a[1])",
    "max along": "torch.sum((torch.max(a, 2))) + torch.min(b) + torch.max(a)",
    "norm, std": "torch.norm(a) + torch.std(b) + torch.var(a) + torch.sum(torch.norm(b, 2, 1))",
    "cumsum, sort": "torch.sum(torch.cmul(torch.cumsum(a, 2) + (torch.sort(a, 2)), b))",
    "shapes": "torch.sum(torch.cmul(torch.view(a, 4, 3), torch.reshape(b, 4, 3)))",
    "expand": "torch.sum(torch.cmul(torch.expand(torch.narrow(a, 1, 2, 1), 3, 4), b))",
    "expandAs": "torch.sum(torch.cmul(torch.sum(a, 2):expandAs(b), b))",
    "repeatTensor": "torch.sum(torch.cmul(torch.repeatTensor(a, 2, 1), torch.cat(b, b, 1)))",
    "cat of tables": "torch.sum(torch.pow(torch.cat({a, b, a}, 2), 2) * 2) + a.cat({a, b}):sum()",
    "parts": "torch.sum(torch.cmul(torch.select(a, 1, 2), torch.select(b, 1, 1)))",
    "split": "torch.sum(torch.cmul(torch.split(a, 2, 2)[1], torch.split(b, 2, 2)[2]))",
    "squeeze": "torch.sum(torch.pow(torch.squeeze(torch.narrow(a, 2, 1, 1)), 2))",
    "index": "torch.sum(torch.cmul(torch.index(a, 1, torch.LongTensor{1, 3, 1}), b))",
    "gather": "torch.sum(torch.pow(torch.gather(a, 1, torch.LongTensor{{1, 2, 1, 1}}), 2))",
    "scatter": "torch.sum(torch.cmul(torch.scatter(a, 1, torch.LongTensor{{1, 2, 1, 1}},"
    " torch.narrow(b, 1, 1, 1)), b))",
    "elements": "a[1][2] * b[{2, 3}] + torch.sum(a[{{1, 2}, {2, 3}}]) + a[torch.gt(a, 0)]:sum()",
    "a triangle": "torch.sum(torch.tril(torch.mm(a, b:t()))) + torch.trace(torch.mm(a, b:t()))",
    "util": "util.logSumExp(a) + torch.sum(torch.cmul(util.logSoftMax(a), b))",
    "util.fill": "torch.sum(util.fill(a, torch.sum(b)))",
    "util.cat of numbers": "torch.sum(torch.pow(util.cat({a[1][1], b[1][1], torch.sum(a)}), 2))",
    "util.indexAdd": "torch.sum(torch.pow(util.indexAdd(a, torch.zeros(5, 4), 1,"
    " torch.LongTensor{2, 2, 5}), 2))",
    "slices": "torch.sum(torch.pow(util.selectSliceCopy(a, torch.zeros(2, 3, 4), 1, 2), 2))"
    " + torch.sum(torch.pow(util.narrowSliceCopy(b, torch.zeros(6, 4), 1, 2, 3), 3))",
    "copy": "torch.sum(torch.pow(torch.copy(a.new(3, 4), b * 2), 2))",
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_gradients(ag, name):
    f = ag.execute(f"return function(p) local a, b = p.a, p.b return {EXPRESSIONS[name]} end")
    df = ag.execute("return function(f, p) return autograd(f)(p) end")
    rng = np.random.default_rng(3)
    values = [rng.normal(size=(3, 4)), rng.uniform(0.5, 1.5, size=(3, 4))]

    def call(moved):
        return f({"a": rekindle.tensor(moved[0]), "b": rekindle.tensor(moved[1])})

    gradients, loss = df(f, {"a": rekindle.tensor(values[0]), "b": rekindle.tensor(values[1])})
    assert loss == pytest.approx(call(values), rel=1e-12)
    for key, expected in zip("ab", differences(call, values), strict=True):
        found = gradients[key].numpy()
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= 1e-7 * max(1, np.abs(expected).max())


def test_the_gradients_of_a_network_have_the_structure_of_its_parameters(ag):
    found = ag.execute("""
        local params = {W = {torch.randn(5, 4), torch.randn(4, 3)},
                        b = {torch.randn(4), torch.randn(3)}, scale = 2,
                        name = 'net', steps = torch.LongTensor{1}}
        local x, y = torch.randn(1, 5), torch.Tensor{{0, 1, 0}}
        local function loss(p, x, y)
          local h = torch.tanh(x * p.W[1] + p.b[1])
          local out = util.logSoftMax(h * p.W[2] + p.b[2]) * p.scale
          return -torch.sum(torch.cmul(out, y)), out, {h = h}
        end
        local grads, value, out, more = autograd(loss)(params, x, y)
        local checked = require('autograd.gradcheck') {randomizeInput = false}
        local p = {W = params.W, b = params.b, scale = 2}
        return checked(loss, p, x, y), value == loss(params, x, y), torch.type(out),
               torch.type(more.h), type(grads.scale), grads.name, grads.steps
    """)
    assert found == (True, True, "torch.DoubleTensor", "torch.DoubleTensor", "number", None, None)


def test_gradients_of_gradients(ag):
    x = np.random.default_rng(1).normal(size=4)
    hessian_sum = ag.execute("""
        return function(w, x, y)
          local inner = autograd(function(w)
            return torch.pow(y - w * x, 2) + torch.sum(torch.pow(w, 3))
          end)
          return autograd(function(w) local g = inner(w) return torch.sum(g) end)(w)
        end
    """)
    w = np.random.default_rng(2).normal(size=4)
    found = hessian_sum(rekindle.tensor(w), rekindle.tensor(x), 0.3)[0]
    assert np.allclose(found.numpy(), 2 * x * x.sum() + 6 * w, rtol=1e-12)


def test_an_inner_function_that_sees_an_outer_parameter(ag):
    found = ag.execute("""
        return autograd(function(a)
          local inner = autograd(function(b) return a * b * b end)  -- its gradient is 2ab
          return (inner(a))
        end)(3)
    """)
    assert found == (12, 18)  # of 2a^2


def test_options(ag):
    found = ag.execute("""
        local f = function(a, b) return torch.sum(torch.cmul(a, b)), a end
        local a, b = torch.randn(3), torch.randn(3)
        local second = autograd(f, {gradArg = 2})(a, b)
        local value, n = autograd(f, {withGradients = false})(a, b)
        local g = autograd(function(x) return x * 2 end, {withForward = false, partialGrad = true})
        local only = {g(a, b)}
        local stable = autograd(f, {stableGradients = true})
        local first = stable(a, b)
        local again = stable(a, b * 2)
        return (second - a):abs():max(), value == torch.dot(a, b), #only,
               (only[1] - b * 2):abs():max(), first == again, (again - b * 2):abs():max()
    """)
    assert found == (0, True, 1, 0, True, 0)


def test_assignment_and_control_flow(ag):
    found = ag.execute("""
        local f = function(p)
          local x = torch.clone(p.x)
          x[1] = torch.sum(p.y) * 2
          x[{{2, 3}}] = p.y
          if util.gt(torch.sum(x), 0) then return torch.sum(torch.pow(x, 2)) end
          return torch.sum(x)
        end
        local x, y = torch.rand(4), torch.rand(2)
        local g = autograd(f)({x = x, y = y})
        return g.x, g.y, y
    """)
    gx, gy, y = (t.numpy() for t in found)
    assert np.array_equal(gx[:3], np.zeros(3))
    assert gx[3] != 0
    assert np.allclose(gy, 8 * y.sum() + 2 * y)


def test_modules_as_functions(ag):
    found = ag.execute("""
        local net = nn.Sequential():add(nn.SpatialConvolutionMM(2, 3, 3, 3)):add(nn.ReLU())
                      :add(nn.Reshape(12)):add(nn.Linear(12, 5))
        local x, y = torch.randn(2, 4, 4), torch.randn(5)
        local f, params = autograd.functionalize(net)
        local criterion = autograd.nn.MSECriterion()
        local loss = function(p, x, y) return criterion(f(p.params, p.x), y) end
        local grads, value = autograd(loss)({params = params, x = x}, nil, y)
        local own = nn.MSECriterion()
        net:zeroGradParameters()
        local expected = own:forward(net:forward(x), y)
        local gx = net:backward(x, own:backward(net.output, y))
        local _, gp = net:parameters()
        local worst = (grads.x - gx):abs():max()
        for i in ipairs(gp) do worst = math.max(worst, (gp[i] - grads.params[i]):abs():max()) end
        local linear, linear_params = autograd.nn.Linear(3, 2)
        local mm = autograd.nn.MM()
        local out = linear(linear_params, torch.ones(3))
        return worst, value == expected, #linear_params, torch.type(out),
               mm({torch.ones(2, 2), torch.ones(2, 2)}):sum()
    """)
    assert found == (0, True, 2, "torch.DoubleTensor", 8)


def test_float_parameters(ag):
    found = ag.execute("""
        local linear, p = autograd.nn.Linear(3, 2)
        p = util.cast({p = p, x = torch.randn(3)}, 'float')
        local f = function(p) return torch.sum(torch.tanh(linear(p.p, p.x)) * 2) end
        local g, loss = autograd(f)(p)
        return torch.type(g.p[1]), torch.type(g.x), type(loss)
    """)
    assert found == ("torch.FloatTensor", "torch.FloatTensor", "number")


def test_models_and_layers(ag):
    """Each against differences, by the package's own gradcheck."""
    assert ag.execute("""
        local check = require('autograd.gradcheck') {randomizeInput = false}
        local function small(p)
          for _, x in ipairs(util.sortedFlatten(p)) do x:normal(0, 0.3) end
          return p
        end
        local function sum_of(f) return function(p, ...) return torch.sum((f(p, ...))) end end
        local results = {}
        local model = autograd.model
        local f, p = model.NeuralNetwork {inputFeatures = 4, hiddenFeatures = {3, 2},
                                          classifier = true}
        results.neural = check(sum_of(f), small(p), torch.randn(4))
        f, p = model.SpatialNetwork {inputFeatures = 2, hiddenFeatures = {2}, kernelSize = 3,
                                     poolings = {2}, activations = 'Tanh'}
        results.spatial = check(sum_of(f), small(p), torch.randn(2, 4, 4))
        for _, name in ipairs {'RecurrentNetwork', 'RecurrentGRUNetwork', 'RecurrentLSTMNetwork',
                               'RecurrentFWNetwork'} do
          f, p = model[name] {inputFeatures = 2, hiddenFeatures = 3, outputType = 'all'}
          results[name] = check(sum_of(f), small(p), torch.randn(2, 3, 2))
        end
        f, p = autograd.module.LayerNormalization {nOutputs = 4}
        local function squares(p, x) return torch.sum(torch.pow(f(p, x), 2)) end
        results.layer = check(squares, small(p), torch.randn(2, 4))
        local state
        local masked, mp, state = autograd.module.MaskedBatchNormalization {nOutputs = 3}
        state.train = 0
        local x = torch.randn(2, 3)
        results.masked = check(sum_of(masked), small(mp), x, torch.ones(2, 3), state)
        f, p = autograd.module.SoftAttention {hiddenFeatures = 3, subjectFeatures = 4,
                                              subjectChoices = 2}
        results.attention = check(sum_of(f), small(p), torch.randn(2, 4, 2), torch.randn(2, 3))
        local all = true
        for name, ok in pairs(results) do
          if not ok then error(name) end
        end
        return true
    """)


def test_auto_modules_train_save_and_load(ag, tmp_path):
    path = str(tmp_path / "auto.t7")
    found = ag.execute(f"""
        local linear = function(x, w, b) return w * x + b end
        local weight, bias = torch.randn(2, 3), torch.randn(2)
        local Mine = autograd.nn.AutoModule('MyLinear')
        local auto = nn.Sequential():add(Mine(linear, weight:clone(), bias:clone()))
        local plain = nn.Sequential():add(nn.Linear(3, 2))
        plain:get(1).weight:copy(weight) plain:get(1).bias:copy(bias)
        local mse = function(x, y) return torch.sum(torch.pow(x - y, 2)) / 2 end
        local criterion = autograd.nn.AutoCriterion('MyMSE')(mse)
        local x, y = torch.randn(3), torch.randn(2)
        local worst = 0
        for _, net in ipairs {{auto, plain}} do net:zeroGradParameters() end
        local loss = criterion:forward(auto:forward(x), y)
        local other = nn.MSECriterion():forward(plain:forward(x), y)
        auto:backward(x, criterion:backward(auto.output, y))
        plain:backward(x, nn.MSECriterion():backward(plain.output, y))
        local _, a = auto:getParameters()
        local _, b = plain:getParameters()
        torch.save({path!r}, auto)
        local loaded = torch.load({path!r})
        return loss - other, (a - b):abs():max(), (loaded:forward(x) - auto.output):abs():max(),
               autograd.auto.MyLinear ~= nil
    """)
    assert found == (pytest.approx(0, abs=1e-15), pytest.approx(0, abs=1e-15), 0, True)


def test_functions_with_gradients_of_their_own(ag):
    found = ag.execute("""
        mine = {twice = function(x) return x * 2 end, size = function(x) return x:size(1) end}
        autograd.overload.module('mine', mine, function(module)
          module.gradient('twice', {function(g, ans, x) return g * 3 end})  -- wrong, to be seen
          module.static('size')
        end)
        local f = function(x) return torch.sum(mine.twice(x)) * mine.size(x) end
        local g = autograd(f)(torch.ones(2))
        return g:sum(), mine.twice(torch.ones(1))[1]
    """)
    assert found == (12, 2)


def test_optimisers(ag):
    losses = ag.execute("""
        local target = torch.randn(3)
        local df = autograd(function(p) return torch.sum(torch.pow(p.w - target, 2)) end)
        local step, states = autograd.optim.adam(df, {learningRate = 0.1}, {w = torch.zeros(3)})
        local _, first = step()
        local last
        for i = 1, 200 do _, last = step() end
        return first, last, #states
    """)
    assert losses[1] < losses[0] / 100
    assert losses[2] == 1


def test_a_training_program(ag, capsys):
    """The shape of torch-autograd's example train-mnist-mlp.lua, on points of three clusters."""
    accuracy = ag.execute("""
        local loss_of = require 'autograd.loss'
        local new = torch.FloatTensor
        local params = {W = {new(2, 8):uniform(-1, 1), new(8, 3):uniform(-1, 1)},
                        B = {new(8):zero(), new(3):zero()}}
        local function predict(params, x)
          local h = torch.tanh(x * params.W[1] + params.B[1])
          return util.logSoftMax(h * params.W[2] + params.B[2])
        end
        local df = autograd(function(params, x, y)
          local out = predict(params, x)
          return loss_of.logMultinomialLoss(out, y), out
        end, {optimize = true})
        local right, n = 0, 300
        for i = 1, n do
          local class = i % 3 + 1
          local centre = torch.Tensor{{class - 2, class == 2 and 1 or 0}}
          local x = torch.randn(1, 2):mul(0.3):add(centre):float()
          local y = torch.zeros(1, 3):float()
          y[1][class] = 1
          local grads, loss, out = df(params, x, y)
          for j = 1, 2 do
            params.W[j] = params.W[j] - grads.W[j] * 0.1
            params.B[j] = params.B[j] - grads.B[j] * 0.1
          end
          local _, guess = out:max(2)
          if i > n / 2 and guess[1][1] == class then right = right + 1 end
        end
        return right / (n / 2)
    """)
    assert accuracy > 0.9


def test_a_debug_hook_names_function_and_line(ag, tmp_path):
    script = tmp_path / "divide.lua"
    script.write_text(
        "local df = autograd(function(x)\n"
        "  local y = torch.div(x, 0)\n"
        "  return torch.sum(y)\n"
        "end, {debugHook = function(_, m, gen) said = said or {m, gen.source, gen.line} end})\n"
        "df(torch.ones(2))\n"
    )
    message, source, line = ag.execute(f"dofile({str(script)!r}) return said[1], said[2], said[3]")
    assert "nan or inf" in message
    assert "torch.div" in message
    assert source.splitlines()[line - 1] == "  local y = torch.div(x, 0)"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return x * 2", "Output is not scalar"),
        ("x:add(1) return torch.sum(x)", r"x:add\(\.\.\.\) of a tensor that is differentiated"),
        ("return torch.sum(torch.histc(x) + torch.gesv(x, x))", "no gradient"),
        ("return torch.sum(x + torch.ones(3))", "inconsistent tensor size"),
        ("error('stop here')", "stop here"),
    ],
)
def test_errors(ag, body, message):
    with pytest.raises(LuaError, match=message):
        ag.execute(f"autograd(function(x) {body} end)(torch.ones(2, 2))")
    assert ag.execute("return (autograd(function(x) return x * x end)(3))") == 6  # goes on


def test_ordinary_programs_see_the_same_torch(ag):
    code = "return torch.sum(torch.ones(3)), (torch.ones(2) + 1)[1], torch.type(3)"
    assert ag.execute(code) == (3, 2, "number")
