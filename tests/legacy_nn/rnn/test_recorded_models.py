"""Models of rnn, torch-rnn, stn and dpnn, forward and back, as Torch7 ran them. See test_models."""

import pytest
from recorded import FIXTURES, SEED, assert_close, set_mode

from rekindle.core import checkpoint
from rekindle.core.autograd import backward
from rekindle.core.checkpoint import Table
from rekindle.legacy_nn.torch7 import random
from rekindle.legacy_nn.values import map_tensors, tensors_in

PREFIXES = ("rnn_", "torchrnn_", "stn_", "dpnn_")
MODELS = {
    p.stem: p for p in sorted((FIXTURES / "models").glob("*.t7")) if p.stem.startswith(PREFIXES)
}
NORMALISED_AWAY = {"rnn_lstm_bn": (2,)}
"""Biases before a batch normalisation: their gradient is 0, and what is recorded is rounding."""


def load(name):
    record = checkpoint.load(MODELS[name])
    record.model.zeroGradParameters()
    set_mode(record.model, True)
    random.manual_seed(SEED)
    return record, record.model


def check_gradients(name, found, record):
    for i, (g, expected) in enumerate(
        zip(found, record.get("gradParams", Table()).array(), strict=True), 1
    ):
        if i in NORMALISED_AWAY.get(name, ()):
            assert abs(g.numpy()).max() < 1e-12
        else:
            assert_close(g, expected, f"gradient of parameter {i}")


def test_all_are_here():
    assert len(MODELS) == 18


@pytest.mark.parametrize("name", MODELS)
def test_back(name):
    record, model = load(name)
    model.updateOutput(record.input)
    found = model.backward(record.input, record.gradOutput)
    if "gradInput" in record:
        assert_close(found, record.gradInput, "gradInput")
    check_gradients(name, model.parameters()[1], record)


@pytest.mark.parametrize("name", MODELS)
def test_back_after_saving_cloning_and_flattening(name):
    record, model = load(name)
    model.getParameters()
    model.updateOutput(record.input)
    model.backward(record.input, record.gradOutput)
    again = checkpoint.loads(checkpoint.dumps(load(name)[1])).clone()
    _, flat = again.getParameters()
    again.forget()
    again.training()
    random.manual_seed(SEED)
    again.updateOutput(record.input)
    again.backward(record.input, record.gradOutput)
    check_gradients(name, again.parameters()[1], record)
    assert flat.size == sum(g.size for g in again.parameters()[1])
    storages = {g.storage() for g in again.parameters()[1]}
    assert storages == ({flat.storage()} if flat.size else set())


@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_the_framework(name):
    record, model = load(name)
    leaves = map_tensors(
        lambda t: t.detach().requires_grad_() if t.dtype.name == "float64" else t, record.input
    )
    output = model(leaves)
    pairs = zip(tensors_in(output), tensors_in(record.gradOutput), strict=True)
    outputs, gradients = zip(*pairs, strict=True)
    backward(list(outputs), list(gradients))
    if "gradInput" in record:
        found = map_tensors(lambda t: t.grad if t.requires_grad else t * 0, leaves)
        expected = map_tensors(lambda t: t, record.gradInput)
        if isinstance(found, Table) or found.dtype == expected.dtype:
            assert_close(found, expected, "gradient of the input")
    check_gradients(name, [p.grad.detach() for p in model.parameters()[0]], record)


@pytest.mark.parametrize("name", MODELS)
def test_single_precision(name):
    record, model = load(name)
    model.float()
    input = map_tensors(
        lambda t: t.astype("float32") if t.dtype.name == "float64" else t, record.input
    )
    output = model.updateOutput(input)
    expected = map_tensors(lambda t: t.astype("float32"), record.output_train)
    assert_close(output, expected, name, 1e-3 if "bn" in name else 1e-4)
