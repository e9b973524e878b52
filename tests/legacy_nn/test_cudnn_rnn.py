"""cudnn's recurrent layers: the recorded one, and their definition step by step."""

from pathlib import Path

import numpy as np
import pytest

import rekindle
from rekindle.core.autograd import check_grads
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import cudnn
from rekindle.legacy_nn.module import InputTypeError, ModuleError

GPU = Path(__file__).parents[1] / "fixtures" / "gpu"


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(gates_x, gates_h, h, c):
    i, f, g, o = np.split(gates_x + gates_h, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(gates_x, gates_h, h, c):
    (rx, ix, nx), (rh, ih, nh) = np.split(gates_x, 3), np.split(gates_h, 3)
    r, i = sigmoid(rx + rh), sigmoid(ix + ih)
    return (1 - i) * np.tanh(nx + r * nh) + i * h, c


CELLS = {
    "LSTM": (lstm, 4),
    "BLSTM": (lstm, 4),
    "GRU": (gru, 3),
    "RNNTanh": (lambda x, r, h, c: (np.tanh(x + r), c), 1),
    "RNNReLU": (lambda x, r, h, c: (np.maximum(x + r, 0), c), 1),
}


def by_definition(name, flat, x, hidden, layers, directions):
    """Walk a sequence (T, N, F), one sample and one step at a time."""
    cell, gates = CELLS[name]
    flat, rows = list(flat), gates * hidden
    sizes = [x.shape[2]] + [hidden * directions] * (layers - 1)

    def take(*shape):
        return np.array([flat.pop(0) for _ in range(int(np.prod(shape)))]).reshape(shape)

    matrices = [(take(rows, n), take(rows, hidden)) for n in sizes for _ in range(directions)]
    biases = [(take(rows), take(rows)) for _ in range(layers * directions)]
    assert not flat
    for layer in range(layers):
        y = np.zeros((*x.shape[:2], hidden * directions))
        for d in range(directions):
            (w, r), (b, c) = matrices[layer * directions + d], biases[layer * directions + d]
            for n in range(x.shape[1]):
                h, s = np.zeros(hidden), np.zeros(hidden)
                for t in range(len(x))[:: -1 if d else 1]:
                    h, s = cell(w @ x[t, n] + b, r @ h + c, h, s)
                    y[t, n, d * hidden : (d + 1) * hidden] = h
        x = y
    return x


def test_recorded():
    model = rekindle.load(GPU / "cudnn_lstm.t7").evaluate()
    expected = rekindle.load(GPU / "cudnn_lstm.expect.t7")
    y = model.forward(expected.input)
    np.testing.assert_allclose(y.numpy(), expected.output.numpy(), rtol=1e-4, atol=1e-6)
    for ours, theirs in ((model.hiddenOutput, expected.hn), (model.cellOutput, expected.cn)):
        np.testing.assert_allclose(ours.numpy()[0], theirs.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_definition(name, batch_first):
    module = getattr(cudnn, name)(3, 4, 2, batch_first)
    x = np.random.default_rng(5).normal(size=(5, 2, 3))
    given = np.swapaxes(x, 0, 1) if batch_first else x
    y = module.forward(Tensor(np.ascontiguousarray(given))).numpy()
    y = np.swapaxes(y, 0, 1) if batch_first else y
    directions = 2 if name == "BLSTM" else 1
    expected = by_definition(name, module.weight.numpy(), x, 4, 2, directions)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["LSTM", "BLSTM", "GRU", "RNNTanh"])
def test_gradients(name):
    module = getattr(cudnn, name)(2, 3, 2)
    x = Tensor(np.random.default_rng(6).normal(size=(4, 2, 2)))
    check_grads(module, [x], order=1)
    g = Tensor(np.random.default_rng(7).normal(size=module.forward(x).shape))
    module.zeroGradParameters()
    found = module.backward(x, g)
    x.requires_grad = True
    kept = module.gradWeight.clone()
    module.gradWeight.zero_()
    module(x).backward(g)
    np.testing.assert_allclose(found.numpy(), x.grad.numpy(), rtol=1e-10)
    np.testing.assert_allclose(kept.numpy(), module.weight.grad.numpy(), rtol=1e-10)


def test_states_are_remembered_until_reset():
    module = cudnn.LSTM(2, 3, 1, False, 0, True)
    x = Tensor(np.random.default_rng(8).normal(size=(6, 1, 2)))
    parts = [module.forward(x[:2]).clone(), module.forward(x[2:]).clone()]
    fresh = cudnn.LSTM(2, 3, 1)
    fresh.weight.detach().copy_(module.weight)
    whole = fresh.forward(x).numpy()
    np.testing.assert_allclose(np.concatenate([p.numpy() for p in parts]), whole, rtol=1e-12)
    module.resetStates()
    np.testing.assert_allclose(module.forward(x).numpy(), whole, rtol=1e-12)


def test_dropout_between_layers_in_training_only():
    module = cudnn.GRU(2, 3, 2, False, 0.5)
    x = Tensor(np.random.default_rng(9).normal(size=(4, 2, 2)))
    rekindle.torch_seed(1)
    first = module.forward(x).clone()
    rekindle.torch_seed(1)
    np.testing.assert_array_equal(module.forward(x).numpy(), first.numpy())
    assert not np.allclose(module.evaluate().forward(x).numpy(), first.numpy())


def test_what_does_not_fit():
    module = cudnn.LSTM(2, 3, 1)
    with pytest.raises(InputTypeError, match=r"takes input \(T, N, 2\); given \(4, 2\)"):
        module.forward(Tensor(np.zeros((4, 2))))
    module.hiddenSize = 5
    with pytest.raises(ModuleError, match="weights and biases; the flat weight has"):
        module.forward(Tensor(np.zeros((4, 1, 2))))


def test_gradients_after_remembered_states_start_where_the_forward_pass_did():
    module = cudnn.LSTM(2, 3, 1, False, 0, True)
    x = Tensor(np.random.default_rng(8).normal(size=(6, 1, 2)))
    module.forward(x[:2])
    g = Tensor(np.ones(module.forward(x[2:]).shape))
    found = module.backward(x[2:], g)
    fresh = cudnn.LSTM(2, 3, 1)
    fresh.weight.detach().copy_(module.weight)
    fresh.hiddenInput, fresh.cellInput = module.hiddenInput, module.cellInput
    rest = x[2:].detach().requires_grad_()
    fresh(rest).backward(g)
    np.testing.assert_allclose(found.numpy(), rest.grad.numpy(), rtol=1e-12)
    assert np.abs(module.hiddenInput.numpy()).max() > 0


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_gradients_go_through_the_states_at_both_ends(name):
    module = getattr(cudnn, name)(2, 3, 2)
    rng = np.random.default_rng(3)
    x, shape = Tensor(rng.normal(size=(4, 2, 2))), (2, 2, 3)
    g, gh, gc = (Tensor(rng.normal(size=s)) for s in ((4, 2, 3), shape, shape))
    module.hiddenInput, module.cellInput = (Tensor(rng.normal(size=shape)) for _ in range(2))

    def value():
        y = module.forward(x)
        total = (y * g).sum() + (module.hiddenOutput * gh).sum()
        return float(total + (module.cellOutput * gc).sum() if name == "LSTM" else total)

    value()
    module.gradHiddenOutput = gh
    module.gradCellOutput = gc if name == "LSTM" else None
    module.backward(x, g)
    pairs = [(x, module.gradInput), (module.hiddenInput, module.gradHiddenInput)]
    if name == "LSTM":
        pairs.append((module.cellInput, module.gradCellInput))
    for at, gradient in pairs:
        flat, expected = at.numpy().reshape(-1), []
        for i in range(flat.size):
            kept = flat[i]
            flat[i] = kept + 1e-6
            above = value()
            flat[i] = kept - 1e-6
            expected.append((above - value()) / 2e-6)
            flat[i] = kept
        np.testing.assert_allclose(gradient.numpy().reshape(-1), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", ["LSTM", "BLSTM", "GRU"])
def test_packed_sequences_are_computed_as_if_each_were_alone(name):
    module = getattr(cudnn, name)(2, 3, 2)
    rng = np.random.default_rng(4)
    lengths, x = [4, 2, 2, 1], Tensor(rng.normal(size=(4, 4, 2)))
    packed = module.packPaddedSequence(x, lengths)
    assert packed[2].array() == [4, 3, 1, 1]
    padded, again = module.padPackedSequence(packed)
    assert again == lengths
    np.testing.assert_array_equal(padded.numpy()[:2, 1], x.numpy()[:2, 1])
    assert not padded.numpy()[2:, 1].any()
    y = module.forward(packed)
    g = Tensor(rng.normal(size=y.shape))
    outputs = module.padPackedSequence(Table([y, packed[2]]))[0].clone()
    states = module.hiddenOutput.clone()
    found = module.backward(packed, g).clone()
    gradients = module.padPackedSequence(Table([g, packed[2]]))[0]
    of_inputs = module.padPackedSequence(Table([found, packed[2]]))[0]
    for k, n in enumerate(lengths):
        alone = x[:n, k : k + 1].clone()
        np.testing.assert_allclose(
            outputs.numpy()[:n, k], module.forward(alone).numpy()[:, 0], rtol=1e-12
        )
        np.testing.assert_allclose(states.numpy()[:, k], module.hiddenOutput.numpy()[:, 0])
        gradient = module.backward(alone, gradients[:n, k : k + 1].clone())
        np.testing.assert_allclose(of_inputs.numpy()[:n, k], gradient.numpy()[:, 0], rtol=1e-10)


def test_what_is_no_packed_batch():
    module = cudnn.LSTM(2, 3, 1)
    with pytest.raises(InputTypeError, match="sorted in decreasing order"):
        module.packPaddedSequence(Tensor(np.zeros((3, 2, 2))), [1, 3])
    with pytest.raises(InputTypeError, match="expected: 2 but found: 1"):
        module.packPaddedSequence(Tensor(np.zeros((3, 2, 2))), [3])
    with pytest.raises(InputTypeError, match="add up to the 3 rows"):
        module.forward([Tensor(np.zeros((3, 2))), [2, 2]])
    module.hiddenInput = Tensor(np.zeros((1, 5, 3)))
    with pytest.raises(ModuleError, match="hiddenInput has incorrect size"):
        module.forward(Tensor(np.zeros((4, 2, 2))))


def test_parts_of_the_weight_by_gate_are_views_of_it():
    module = cudnn.BLSTM(2, 3, 2)
    weights, biases = module.weights(), module.biases()
    assert len(weights) == len(biases) == 4
    parts = [
        part for table in (weights, biases) for layer in table.array() for part in layer.array()
    ]
    assert [p.size for p in weights[1].array()] == [6] * 4 + [9] * 4
    assert [p.size for p in weights[3].array()] == [18] * 4 + [9] * 4
    np.testing.assert_array_equal(np.concatenate([p.numpy() for p in parts]), module.weight.numpy())
    biases[1][2].fill_(1)  # the forget gate
    assert (module.weight.numpy() == 1).sum() == 3
