"""torchnet: its datasets, meters, engines and logs against definitions in NumPy."""

import json

import numpy as np
import pytest

import rekindle
from rekindle.legacy_nn.bridge import LuaError, Runtime


@pytest.fixture(scope="module")
def runtime():
    made = Runtime()
    made.execute("tnt = require 'torchnet'")
    yield made
    made.close()


@pytest.fixture
def tnt(runtime):
    runtime.execute("torch.manualSeed(123)")
    return runtime


def rng():
    return np.random.default_rng(4)


# -- datasets --------------------------------------------------------------------------------------


def test_datasets_one_after_the_other(tnt):
    found = tnt.execute("""
        local list = {}
        for i = 1, 10 do list[i] = {input = torch.Tensor(2):fill(i), target = i} end
        local base = tnt.TableDataset {data = list}
        local minus = base:transform(function(x) return -x end, 'input')
        local both = tnt.ConcatDataset {datasets = {base, minus}}
        local some = both:sample(function(dataset, i) return 2 * i end, 10)
        local batches = some:batch(4, 'skip-last')
        local seen = {}
        for batch in batches:iterator()() do
          seen[#seen + 1] = batch.input:sum()
          seen[#seen + 1] = #batch.target
        end
        return both:size(), both:get(13).input[1], batches:size(), seen[1], seen[2], seen[3], #seen,
               base:get(3).input[1]
    """)  # batches of samples 2 4 6 8 and 10 12 14 16, the last three negative
    assert found == (20, -3, 2, 40, 4, 2 * (10 - 2 - 4 - 6), 4, 3)


def test_shuffled_and_split(tnt):
    found = tnt.execute("""
        local base = tnt.ListDataset(torch.range(1, 20):long(), function(i) return i end)
        local shuffled = base:shuffle()
        local split = shuffled:split({train = 0.75, valid = 0.25}, 'train')
        local seen, sum = {}, 0
        local train = split:size()
        for i = 1, train do seen[split:get(i)] = true end
        split:select('valid')
        for i = 1, split:size() do seen[split:get(i)] = true end
        for _ in pairs(seen) do sum = sum + 1 end
        local first = shuffled:get(1)
        local drawn = tnt.ShuffleDataset {dataset = base, size = 50, replacement = true}
        return train, split:size(), sum, drawn:size(), pcall(shuffled.get, shuffled, 21)
    """)
    assert found[:5] == (15, 5, 20, 50, False)
    assert "index out of bound" in found[5]


def test_a_dataset_of_ones_own_in_threads(tnt):
    found = tnt.execute("""
        local Squares, parent = torch.class('tnt.SquaresOfMine', 'tnt.Dataset', tnt)
        function Squares:__init(n) self.n = n end
        function Squares:size() return self.n end
        function Squares:get(i) return {input = i * i} end
        local iterator = tnt.ParallelDatasetIterator {
          nthread = 3, init = function() require 'torchnet' end,
          closure = function() return tnt.SquaresOfMine(7) end,
          filter = function(sample) return sample.input % 2 == 1 end,
          transform = function(sample) sample.input = sample.input + 0 return sample end,
        }
        local out = {}
        for round = 1, 2 do
          for sample in iterator() do out[#out + 1] = sample.input end
        end
        return out, iterator:execSingle('size'), #iterator:exec('size')
    """)
    assert found[0].array() == [1, 9, 25, 49] * 2
    assert found[1:] == (7, 3)


def test_indexed_files(tnt, tmp_path):
    found = tnt.execute(f"""
        local path = {str(tmp_path)!r}
        local w = tnt.IndexedDatasetWriter(path .. '/x.idx', path .. '/x.bin', 'float')
        for i = 1, 3 do w:add(torch.range(1, 2 * i):float():view(i, 2)) end
        w:close()
        w = tnt.IndexedDatasetWriter(path .. '/x.idx', path .. '/x.bin')
        w:add(torch.FloatTensor {{{{7}}}})
        w:close()
        w = tnt.IndexedDatasetWriter(path .. '/t.idx', path .. '/t.bin', 'table')
        for i = 1, 4 do w:add {{name = 'n' .. i, i}} end
        w:close()
        local d = tnt.IndexedDataset {{fields = {{'x', 't'}}, path = path}}
        local mapped = tnt.IndexedDataset {{fields = {{'x'}}, path = path, mmap = true,
                                            standalone = true}}
        return d:size(), d:get(3).x, d:get(2).t.name, d:get(4).x, mapped:get(2)
    """)
    assert (found[0], found[2]) == (4, "n2")
    assert np.array_equal(found[1].numpy(), np.arange(1, 7, dtype="f").reshape(3, 2))
    assert (found[3].shape, found[4].shape) == ((1, 1), (2, 2))
    numbers = np.fromfile(tmp_path / "x.idx", np.int64)
    assert numbers.tolist() == [0x584449544E54, 1, 6, 4, 4, 8, *(0, 2, 4, 6, 8),
                                *(0, 2, 6, 12, 13), *(1, 2, 2, 2, 3, 2, 1, 1)]  # fmt: skip
    assert (tmp_path / "x.bin").stat().st_size == 4 * 13


def test_errors(tnt):
    for code, message in {
        "tnt.Dataset():size()": "size not implemented for class <tnt.Dataset>",
        "tnt.TableDataset {data = {1, 2, 3}}:batch(2, 'divisible-only')": "not divisible",
        "tnt.SGDEngine().hooks.onStrt = print": "unknown hook <onStrt>",
        "tnt.Log {keys = {'a'}}:set {b = 1}": "unknown key <b>",
        "tnt.AUCMeter():add(torch.rand(2), torch.Tensor {0, 2})": "targets should be binary",
    }.items():
        with pytest.raises(LuaError, match=message):
            tnt.execute(code)


# -- meters ----------------------------------------------------------------------------------------


def meter(tnt, construct, *batches):
    made = tnt.execute(f"return tnt.{construct}")
    for batch in batches:
        made_add = tnt.execute("return function(m, ...) m:add(...) end")
        made_add(made, *(rekindle.tensor(x) if isinstance(x, np.ndarray) else x for x in batch))
    return tnt.execute("return function(m, ...) return m:value(...) end"), made


def test_numbers(tnt):
    values = rng().normal(size=9)
    value, m = meter(tnt, "AverageValueMeter()", *[(v,) for v in values.tolist()])
    assert value(m) == pytest.approx((values.mean(), values.std(ddof=1)))
    value, m = meter(tnt, "MovingAverageValueMeter(4)", *[(v,) for v in values.tolist()])
    assert value(m) == pytest.approx((values[-4:].mean(), values[-4:].std(ddof=1)))
    x, y = rng().normal(size=(2, 5, 3))
    value, m = meter(tnt, "MSEMeter{root = true}", (x, y), (y, x))
    assert value(m) == pytest.approx(np.sqrt(((x - y) ** 2).mean()))
    assert 0 <= tnt.execute("local m = tnt.TimeMeter() m:stop() m:incUnit() return m:value()") < 10


def test_classes(tnt):
    scores, target = rng().normal(size=(40, 5)), rng().integers(1, 6, size=40)
    ranks = (-scores).argsort(axis=1) + 1
    for k in (1, 3):
        wrong = 100 * (1 - (ranks[:, :k] == target[:, None]).any(axis=1).mean())
        halves = (scores[:20], target[:20]), (scores[20:], target[20:])
        value, m = meter(tnt, "ClassErrorMeter {topk = {3, 1}}", *halves)
        assert value(m, k) == pytest.approx(wrong)
        assert value(m)[k] == pytest.approx(wrong)
    counts = np.zeros((5, 5))
    np.add.at(counts, (target - 1, ranks[:, 0] - 1), 1)
    value, m = meter(tnt, "ConfusionMeter {k = 5}", (scores, target))
    assert np.array_equal(value(m).numpy(), counts)
    one_hot = np.eye(5)[target - 1]
    value, m = meter(tnt, "ConfusionMeter {k = 5, normalized = true}", (scores, one_hot))
    assert np.allclose(value(m).numpy(), counts / counts.sum(axis=1, keepdims=True))
    value, m = meter(tnt, "MultiLabelConfusionMeter {k = 5, normalized = false}", (scores, one_hot))
    assert np.allclose(value(m).numpy(), counts)


def test_several_labels_at_once(tnt):
    scores = np.array([[0.9, 0.8, 0.1, 0.2]])
    target = np.array([[1.0, 0.0, 1.0, 0.0]])  # 1 and 2 are predicted, 1 and 3 are right
    value, m = meter(tnt, "MultiLabelConfusionMeter {k = 4, normalized = false}", (scores, target))
    expected = np.zeros((4, 4))
    expected[0, 0] = expected[2, 1] = 1
    assert np.array_equal(value(m).numpy(), expected)


def test_areas(tnt):
    scores, target = rng().normal(size=50), rng().integers(0, 2, size=50)
    value, m = meter(tnt, "AUCMeter()", (scores[:20], target[:20]), (scores[20:], target[20:]))
    pairs = scores[target == 1][:, None] > scores[target == 0][None, :]
    area, tpr, fpr = value(m)
    assert area == pytest.approx(pairs.mean())
    assert tpr.numpy()[-1] == fpr.numpy()[-1] == 1
    matrix, labels = rng().normal(size=(30, 3)), rng().integers(0, 2, size=(30, 3))
    weight = rng().uniform(0.5, 2, size=30)
    for weights in (None, weight):
        expected = []
        for k in range(3):
            order = (-matrix[:, k]).argsort()
            truth = labels[order, k]
            w = np.ones(30) if weights is None else weights[order]
            precision = np.cumsum(truth * w) / np.cumsum(w)
            expected.append((precision * truth).sum() / truth.sum())
        more = () if weights is None else (weights,)
        value, m = meter(tnt, "APMeter()", (matrix, labels, *more))
        assert np.allclose(value(m).numpy(), expected)
        value, m = meter(tnt, "mAPMeter()", (matrix, labels, *more))
        assert value(m) == pytest.approx(np.mean(expected))


def test_precision_and_recall(tnt):
    p, labels = rng().uniform(size=(30, 3)), rng().integers(0, 2, size=(30, 3))
    for t in (0.5, 0.9):
        found = p >= t
        right = (found & (labels == 1)).sum(axis=0)
        value, m = meter(tnt, "PrecisionMeter {threshold = {0.5, 0.9}}", (p, labels))
        assert value(m)[t] == pytest.approx(100 * right.sum() / found.sum())
        value, m = meter(tnt, "RecallMeter {threshold = {0.5, 0.9}}", (p, labels))
        assert value(m, t) == pytest.approx(100 * right.sum() / labels.sum())
        value, m = meter(tnt, "RecallMeter {threshold = {0.5, 0.9}, perclass = true}", (p, labels))
        assert np.allclose(value(m, t).numpy(), 100 * right / labels.sum(axis=0))


def test_the_first_k(tnt):
    scores, labels = rng().normal(size=(6, 8)), rng().integers(0, 2, size=(6, 8)).astype(float)
    order = (-scores).argsort(axis=1)
    ranked = np.take_along_axis(labels, order, axis=1)
    value, m = meter(tnt, "PrecisionAtKMeter {topk = {2, 4}}", (scores, labels))
    assert value(m)[4] == pytest.approx(100 * ranked[:, :4].mean())
    halves = (scores[:, :5], labels[:, :5]), (scores[:, 5:], labels[:, 5:])
    value, m = meter(tnt, "PrecisionAtKMeter {topk = {2, 4}, online = true}", *halves)
    assert value(m, 2) == pytest.approx(100 * ranked[:, :2].mean())
    relevance = rng().integers(1, 5, size=(6, 8)).astype(float)
    weights = np.log(2) / np.log([2, *range(2, 6)])
    got = (np.take_along_axis(relevance, order, axis=1)[:, :5] * weights).sum(axis=1)
    best = (-np.sort(-relevance, axis=1)[:, :5] * weights).sum(axis=1)
    value, m = meter(tnt, "NDCGMeter {K = {5}}", (scores, relevance))
    assert value(m, 5) == pytest.approx((got / best).mean())


# -- engines and logs ------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["SGDEngine", "OptimEngine"])
def test_a_training_program(tnt, engine):
    """The shape of torchnet's example mnist.lua, on points of three clusters."""
    rest = (
        "lr = 0.5"
        if engine == "SGDEngine"
        else "optimMethod = optim.adam, config = {learningRate = 0.1}"
    )
    found = tnt.execute(f"""
        require 'optim'
        local function iterator()
          return tnt.ParallelDatasetIterator {{
            nthread = 1, init = function() require 'torchnet' torch.manualSeed(1) end,
            closure = function()
              return tnt.BatchDataset {{batchsize = 16, dataset = tnt.ListDataset {{
                list = torch.range(1, 96):long(),
                load = function(i)
                  local class = i % 3 + 1
                  local x = torch.randn(2):mul(0.2)
                  x[1] = x[1] + class
                  return {{input = x, target = torch.LongTensor {{class}}}}
                end}}}}
            end}}
        end
        local net = nn.Sequential():add(nn.Linear(2, 16)):add(nn.Tanh()):add(nn.Linear(16, 3))
        local engine, meter = tnt.{engine}(), tnt.AverageValueMeter()
        local errors = tnt.ClassErrorMeter {{topk = {{1}}}}
        local calls, first = {{}}
        engine.hooks.onStartEpoch = function(state) meter:reset() errors:reset() end
        engine.hooks.onForwardCriterion = function(state)
          meter:add(state.criterion.output)
          errors:add(state.network.output, state.sample.target)
        end
        engine.hooks.onEndEpoch = function(state)
          first = first or meter:value()
          calls[#calls + 1] = state.t
        end
        engine:train {{network = net, iterator = iterator(), criterion = nn.CrossEntropyCriterion(),
                      maxepoch = 30, {rest}}}
        meter:reset() errors:reset()
        engine:test {{network = net, iterator = iterator(), criterion = nn.CrossEntropyCriterion()}}
        return first, meter:value(), errors:value {{k = 1}}, #calls, calls[30], net.train
    """)
    first, last, error, *rest = found
    assert last < first / 2
    assert error < 15
    assert rest == [30, 180, False]


def test_logs(tnt, tmp_path):
    tnt.execute(f"""
        local text, json = require 'torchnet.log.view.text', require 'torchnet.log.view.json'
        local status = require 'torchnet.log.view.status'
        local folder, seen = {str(tmp_path)!r}, {{}}
        local log = tnt.Log {{
          keys = {{'loss', 'epoch'}},
          onFlush = {{text {{filename = folder .. '/a.txt', keys = {{'epoch', 'loss'}},
                           format = {{'epoch %03d'}}}},
                     json {{filename = folder .. '/a.json', keys = {{'loss', 'epoch'}}}}}},
          onSet = {{status {{filename = folder .. '/status'}}}},
          onGet = {{function(log, key) seen[#seen + 1] = key end}},
        }}
        for i = 1, 2 do
          log:set {{loss = 0.5 / i, epoch = i}}
          log:flush()
        end
        log:status('half way', false)
        assert(log:get('loss') == nil and #seen > 4)
        log:close()
    """)
    assert (tmp_path / "a.txt").read_text() == "epoch 001 | loss 0.5\nepoch 002 | loss 0.25\n"
    lines = (tmp_path / "a.json").read_text().splitlines()
    assert json.loads(lines[1]) == {"loss": "0.25", "epoch": "2"}
    assert (tmp_path / "status").read_text() == "| half way\n"


def test_utilities(tnt):
    found = tnt.execute("""
        local specs = {{kw = 5, dw = 2}, {kw = 3}}
        local size, stride = tnt.utils.nn.inferinputsize(specs, 4)
        local back = tnt.utils.nn.inferoutputsize(specs, size)
        local merged = tnt.transform.merge {function(x) return x end, function(x) return x * 2 end}
        local env = {a = 1}
        tnt.utils.sys.cmdline({'a = a + 1', 'b = math.pi'}, env)
        return size, stride, back, merged(torch.ones(2)):sum(), env.a, env.b > 3,
               #tnt.utils.sys.md5({1}), tnt.utils.sys.md5({1}) == tnt.utils.sys.md5({1}),
               math.abs(tnt.transform.normalize()(torch.randn(9)):std() - 1) < 1e-12
    """)
    assert found == (15, 2, 4, 6, 2, True, 32, True, True)
