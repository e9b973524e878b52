"""What recurrent modules do step by step, against their definitions in NumPy."""

import numpy as np
import pytest

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table
from rekindle.core.creation import tensor
from rekindle.core.errors import ShapeError
from rekindle.legacy_nn import (
    CAddTable,
    ClassNLLCriterion,
    Linear,
    LogSoftMax,
    LookupTable,
    MSECriterion,
    ParallelTable,
    Sequential,
    Sigmoid,
    Tanh,
    rnn,
    torch_rnn,
)
from rekindle.legacy_nn.module import ArgumentError, ModuleError
from rekindle.legacy_nn.torch7 import random

T, N, D, H = 4, 3, 5, 2


def numbers(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape))


def steps(seed=0):
    return Table([numbers(N, D, seed=seed + t) for t in range(T)])


def run_back(module, x, g):
    module.zeroGradParameters()
    output = module.forward(x)
    return output, module.backward(x, g)


def close(a, b, tolerance=1e-12):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=tolerance)


@pytest.fixture(autouse=True)
def _seed():
    random.manual_seed(7)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_fast_lstm_is_its_definition():
    cell = rnn.FastLSTM(D, H)
    wx, b, wh = (p.detach().numpy() for p in cell.parameters()[0])
    h, c = np.zeros((N, H)), np.zeros((N, H))
    for x in steps().array():
        i, g, f, o = np.split(x.numpy() @ wx.T + b + h @ wh.T, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(cell.forward(x).numpy(), h, atol=1e-12)
        np.testing.assert_allclose(cell.cell.numpy(), c, atol=1e-12)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_layers_over_sequences_are_the_modules_of_steps(kind):
    if kind == "lstm":
        layer = rnn.SeqLSTM(D, H)
        twin = layer.toFastLSTM
    else:
        layer = rnn.SeqGRU(D, H)
        twin = layer.toGRU
    by_steps = rnn.Sequencer(twin())
    x, g = numbers(T, N, D), numbers(T, N, H, seed=9)
    layer.zeroGradParameters()
    by_steps.zeroGradParameters()
    close(layer.forward(x), by_steps.forward(x))
    close(layer.backward(x, g), by_steps.backward(x, g))
    for ours, theirs in zip(twin().parameters()[1], by_steps.parameters()[1], strict=True):
        close(ours, theirs)


def test_fast_lstm_as_a_graph_is_the_same():
    plain = rnn.FastLSTM(D, H)
    random.manual_seed(7)
    rnn.FastLSTM.usenngraph = True
    try:
        graph = rnn.FastLSTM(D, H)
    finally:
        rnn.FastLSTM.usenngraph = False
    close(plain.forward(numbers(N, D)), graph.forward(numbers(N, D)))


def test_projected_lstm():
    layer = rnn.SeqLSTMP(D, 4, H)
    x, g = numbers(T, N, D), numbers(T, N, H, seed=9)
    _, found = run_back(layer, x, g)
    close(numeric(layer, x, g), found, 1e-6)
    weight = layer.weightO.detach()
    before = float(weight[0, 0].item())
    loss = []
    for shift in (-1e-5, 1e-5):
        weight[0, 0] = before + shift
        loss.append(float((layer.forward(x) * g).sum().item()))
    np.testing.assert_allclose(layer.gradWeightO[0, 0].item(), (loss[1] - loss[0]) / 2e-5, 1e-6)


def numeric(module, x, g, step=1e-5):
    slopes = np.zeros(x.shape)
    plain = x.numpy()
    for place in np.ndindex(x.shape):
        sums = []
        for shift in (step, -step):
            moved = plain.copy()
            moved[place] += shift
            sums.append((module.forward(tensor(moved)) * g).sum().item())
        slopes[place] = (sums[0] - sums[1]) / (2 * step)
    return tensor(slopes)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rnn.LSTM(D, H),
        lambda: rnn.LSTM(D, H, None, False),
        lambda: rnn.GRU(D, H),
        lambda: rnn.MuFuRu(D, H),
        lambda: rnn.Recurrent(H, Linear(D, H), Linear(H, H), Tanh()),
        lambda: rnn.Recurrence(
            Sequential()
            .add(ParallelTable().add(Linear(D, H)).add(Linear(H, H)))
            .add(CAddTable())
            .add(Sigmoid()),
            H,
            1,
        ),
    ],
    ids=["LSTM", "LSTM without peepholes", "GRU", "MuFuRu", "Recurrent", "Recurrence"],
)
def test_gradients_through_time_are_slopes(make):
    module = rnn.Sequencer(make())
    x, g = numbers(T, N, D), numbers(T, N, H, seed=3)
    _, found = run_back(module, x, g)
    flat, gradients = module.getParameters()
    expected = gradients.clone()
    close(numeric(module, x, g), found, 1e-7)
    for i in (0, flat.size // 2, flat.size - 1):
        sums = []
        for shift in (1e-5, -2e-5, 1e-5):
            flat[i] = flat[i] + shift
            sums.append((module.forward(x) * g).sum().item())
        np.testing.assert_allclose(expected[i].item(), (sums[0] - sums[1]) / 2e-5, atol=1e-6)


def test_clones_of_steps_share_parameters():
    cell = rnn.Sequencer(rnn.GRU(D, H))
    cell.forward(steps())
    clones = cell.module.sharedClones.array()
    assert len(clones) == T
    flat, _ = cell.getParameters()
    flat.fill_(0)
    for clone in clones:
        assert all(p.storage() is flat.storage() for p in clone.parameters()[0])
    for output in cell.forward(steps()).array():
        assert not output.numpy().any()


def test_remember_and_forget():
    layer, cell = rnn.SeqGRU(D, H), None
    cell = rnn.Sequencer(layer.toGRU())
    x = numbers(T, N, D)
    for module in (layer, cell):
        module.evaluate()
        first = module.forward(x).clone()
        close(module.forward(x), first)
        module.remember()
        module.forget()
        close(module.forward(x), first)
        assert abs((module.forward(x) - first).numpy()).max() > 1e-3
        module.forget()
        close(module.forward(x), first)
    with pytest.raises(ArgumentError, match="unrecognized value for remember"):
        cell.remember("sometimes")


def test_rho_limits_the_clones():
    cell = rnn.GRU(D, H, 2)
    for _ in range(3):
        for x in steps().array():
            cell.forward(x)
    assert len(list(cell.sharedClones.keys())) == 3


def test_order_of_steps_is_checked():
    cell = rnn.LSTM(D, H)
    x = numbers(N, D)
    with pytest.raises(ModuleError, match="at least one updateOutput"):
        cell.updateGradInput(x, numbers(N, H))
    cell.forward(x)
    with pytest.raises(ModuleError, match="Missing updateGradInput"):
        cell.accGradParameters(x, numbers(N, H))
    cell.backward(x, numbers(N, H))
    with pytest.raises(ModuleError, match="no step 0"):
        cell.backward(x, numbers(N, H))


def test_sequences_of_two_lengths_in_evaluation():
    cell = rnn.Sequencer(rnn.GRU(D, H)).evaluate()
    long = cell.forward(steps())
    kept = long[1].clone()
    short = cell.forward(Table([steps()[1]]))
    assert len(short) == 1
    close(short[1], kept)


def test_bidirectional():
    forward, backward = Linear(D, H), Linear(D, H)
    both = rnn.BiSequencer(forward, backward)
    x = steps()
    for output, step in zip(both.forward(x).array(), x.array(), strict=True):
        close(output[:, :H], forward.forward(step))
        close(output[:, H:], backward.forward(step))
    around = rnn.BiSequencerLM(rnn.GRU(D, H))
    output = around.forward(x)
    assert not output[1][:, :H].numpy().any()
    assert not output[T][:, H:].numpy().any()
    g = Table([numbers(N, 2 * H, seed=t) for t in range(T)])
    around.zeroGradParameters()
    found = around.backward(x, g)
    total = sum((o * s).sum().item() for o, s in zip(around.output.array(), g.array(), strict=True))
    x[2][0, 0] = x[2][0, 0] + 1e-6
    around.forward(x)
    moved = sum((o * s).sum().item() for o, s in zip(around.output.array(), g.array(), strict=True))
    np.testing.assert_allclose(found[2][0, 0].item(), (moved - total) / 1e-6, atol=1e-4)


@pytest.mark.parametrize("method", ["maskZero", "trimZero"])
def test_rows_of_zeros(method):
    cell, plain = rnn.LSTM(D, H), None
    plain = cell.clone()
    getattr(cell, method)(1)
    x = numbers(N, D)
    x[1] = 0
    output = cell.forward(x)
    close(output[::2], plain.forward(x)[::2])
    assert not output[1].numpy().any()
    g = numbers(N, H)
    for module in (cell, plain):
        module.zeroGradParameters()
    found = cell.backward(x, g)
    g[1] = 0
    expected = plain.backward(x, g)
    close(found[::2], expected[::2])
    if method == "trimZero":
        assert not found[1].numpy().any()


def test_lookup_table_with_zeros():
    table = rnn.LookupTableMaskZero(6, H)
    plain = LookupTable(6, H)
    plain.weight.detach().copy_(table.weight.detach()[1:])
    index = tensor([3, 0, 6], "int64")
    output = table.forward(index)
    assert not output[1].numpy().any()
    close(output[0], plain.forward(tensor([3], "int64"))[0])
    table.zeroGradParameters()
    table.backward(index, numbers(3, H))
    assert sorted(np.flatnonzero(table.gradWeight.numpy().any(axis=1))) == [0, 3, 6]


def test_criterions_over_steps():
    x = Table([LogSoftMax().forward(numbers(N, 4, seed=t)) for t in range(T)])
    target = Table([tensor([1, 2, 4], "float64") for _ in range(T)])
    each = ClassNLLCriterion()
    expected = sum(each.forward(a, b) for a, b in zip(x.array(), target.array(), strict=True))
    criterion = rnn.SequencerCriterion(ClassNLLCriterion())
    np.testing.assert_allclose(criterion.forward(x, target), expected)
    np.testing.assert_allclose(criterion(x, target).item(), expected)
    np.testing.assert_allclose(
        rnn.SequencerCriterion(ClassNLLCriterion(), True).forward(x, target), expected / T
    )
    np.testing.assert_allclose(
        rnn.RepeaterCriterion(ClassNLLCriterion()).forward(x, target[1]), expected
    )
    for found, step in zip(criterion.backward(x, target).array(), x.array(), strict=True):
        close(found, each.backward(step, target[1]))


def test_masked_criterion():
    x, target = numbers(N, D), numbers(N, D, seed=4)
    x[1] = 0
    rows = tensor([0, 2], "int64")
    criterion = rnn.MaskZeroCriterion(MSECriterion(), 1)
    expected = MSECriterion()
    assert criterion.forward(x, target) == expected.forward(x[rows], target[rows])
    found = criterion.backward(x, target)
    close(found[rows], expected.backward(x[rows], target[rows]))
    assert not found[1].numpy().any()
    with pytest.raises(ShapeError, match="does not support online"):
        criterion.forward(x[0], target[0])


def test_repeater():
    module = rnn.Repeater(rnn.GRU(D, H), 3)
    x = numbers(N, D)
    module.zeroGradParameters()
    outputs = module.forward(x)
    alone = module.module.clone()
    alone.forget()
    for output in outputs.array():
        close(output, alone.forward(x))
    g = Table([numbers(N, H, seed=t) for t in range(3)])
    assert module.backward(x, g).shape == (N, D)


def test_lazy_dropout_drops_the_same_through_a_sequence():
    cell = rnn.GRU(D, H, None, 0.5)
    x = numbers(N, D)
    noise = list(cell.recurrentModule.findModules("nn.Dropout")[0])
    cell.forward(x)
    first = [d.noise.clone() for d in noise]
    cell.forget()
    cell.forward(x)
    for d, before in zip(noise, first, strict=True):
        close(d.noise, before)
    cell.backward(x, numbers(N, H))
    cell.forget()
    cell.forward(x)
    assert any((d.noise.numpy() != b.numpy()).any() for d, b in zip(noise, first, strict=True))
    assert repr(noise[0]) == "nn.Dropout(0.5, lazy)"


def test_two_classes_of_one_name_are_told_apart():
    saved = checkpoint.dumps(Table([rnn.LSTM(D, H), torch_rnn.LSTM(D, H)]))
    first, second = checkpoint.loads(saved).array()
    assert type(first) is rnn.LSTM
    assert type(second) is torch_rnn.LSTM
    assert second.t7_typename == "nn.LSTM"
    assert second.train
    assert second.forward(numbers(N, T, D)).shape == (N, T, H)


def test_torch_rnn_layers_agree_with_those_of_rnn():
    ours, theirs = torch_rnn.LSTM(D, H), rnn.SeqLSTM(D, H)
    theirs.weight.detach().copy_(ours.weight.detach())
    theirs.batchfirst = True
    x, g = numbers(N, T, D), numbers(N, T, H, seed=2)
    for module in (ours, theirs):
        module.zeroGradParameters()
    close(ours.forward(x), theirs.forward(x))
    close(ours.backward(x, g), theirs.backward(x, g))
    close(ours.gradWeight, theirs.gradWeight)
    h0, c0 = numbers(N, H, seed=5), numbers(N, H, seed=6)
    found = ours.backward(Table([c0, h0, x]), ours.forward(Table([c0, h0, x])) * 0 + g)
    assert [t.shape for t in found.array()] == [(N, H), (N, H), (N, T, D)]


def test_language_model_samples_from_what_it_learnt():
    model = torch_rnn.LanguageModel(
        {
            "idx_to_token": {1: "a", 2: "b", 3: "c"},
            "model_type": "lstm",
            "wordvec_size": 4,
            "rnn_size": 8,
            "num_layers": 1,
            "dropout": 0,
            "batchnorm": 0,
        }
    )
    flat, gradient = model.getParameters()
    x = model.encode_string("abcabcabcabc").reshape(1, 12)
    criterion = ClassNLLCriterion()
    last = LogSoftMax()
    for _ in range(60):
        gradient.zero_()
        model.resetStates()
        scores = last.forward(model.forward(x[:, :-1]).reshape(11, 3))
        criterion.forward(scores, x[0, 1:])
        of_scores = last.backward(model.output.reshape(11, 3), criterion.backward(scores, x[0, 1:]))
        model.backward(x[:, :-1], of_scores.reshape(1, 11, 3))
        flat.sub_(gradient * 1.0)
    assert model.evaluate().sample({"start_text": "ab", "length": 9, "sample": 0}) == "abcabcabc"
