"""Whole models against recorded Torch7 runs: every recorded model, or the classes it lacks."""

import numpy as np
import pytest
from recorded import FIXTURES, SEED, assert_close, set_mode

from rekindle.core import checkpoint, ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros
from rekindle.legacy_nn.batch_normalization import BatchNormalization
from rekindle.legacy_nn.criterion import Criterion
from rekindle.legacy_nn.torch7 import random
from rekindle.legacy_nn.unsupported import unsupported

NO_MODEL = {"all_types", "storages_shared", "spatialcrossentropy"}
"""Files in fixtures/gpu that hold no module."""

HALF = {"cudahalf_convnet"}
"""Models of half precision, which Torch7 ran in single precision."""

MODELS = {p.stem: p for p in sorted((FIXTURES / "models").glob("*.t7"))}
RUN = {n: p for n, p in MODELS.items() if n != "charrnn_checkpoint"}
GPU = {
    p.stem: p
    for p in sorted((FIXTURES / "gpu").glob("*.t7"))
    if not p.stem.endswith(".expect") and p.stem not in NO_MODEL
}
CHARRNN = {n: RUN[n] for n in ("charrnn_lstm_2layer", "charrnn_gru_2layer", "charrnn_rnn_1layer")}
MODES = pytest.mark.parametrize("train", [False, True], ids=["evaluate", "training"])
PROTOCOLS = pytest.mark.parametrize("protocol", ["torch", "framework"])


def run(model, input, train, protocol):
    set_mode(model, train)
    random.manual_seed(SEED)
    return model.updateOutput(input) if protocol == "torch" else model(input)


def test_every_recorded_model_is_here():
    assert len(MODELS) == 54
    assert len(GPU) == 44


@pytest.mark.parametrize("name", RUN)
@MODES
@PROTOCOLS
def test_output(name, train, protocol):
    record = checkpoint.load(RUN[name])
    assert unsupported(record.model) == []
    output = run(record.model, record.input, train, protocol)
    assert_close(output, record["output_train" if train else "output"], name)
    if train:
        after = record.get("runningAfterTrain", Table())
        assert_close(running_statistics(record.model), after, "running statistics")


@pytest.mark.parametrize("encoding", [None, "latin-1"])
@pytest.mark.parametrize("name", ["charrnn_lstm_2layer", "densenet_thin", "rnn_lm_lookup"])
def test_models_read_with_other_strings(name, encoding):
    """Names of types and fields are text whatever strings are read as."""
    record = checkpoint.load(MODELS[name], encoding=encoding)
    if name in RUN:
        output = run(record.model, record.input, False, "torch")
        assert_close(output, record["output" if encoding else b"output"], name)
    record = checkpoint.load(MODELS[name], encoding=encoding)
    again = checkpoint.dumps(record, encoding=encoding or "utf-8")
    assert again == checkpoint.dumps(checkpoint.load(MODELS[name]))


def running_statistics(model):
    """Return mean and variance of every normalisation, in the order of the model."""
    norms = [m for _, m in model.named_modules() if isinstance(m, BatchNormalization)]
    return Table([Table([m.running_mean, m.running_var]) for m in norms])


@pytest.mark.parametrize("name", CHARRNN)
@PROTOCOLS
def test_char_rnn_sequence(name, protocol):
    record = checkpoint.load(CHARRNN[name])
    sequence, model = record.sequence, record.model.evaluate()
    states = [zeros(s.shape, s.dtype) for s in sequence.final_state.array()]
    for x, logprobs in zip(sequence.inputs.array(), sequence.logprobs.array(), strict=True):
        step = model.updateOutput if protocol == "torch" else model
        *states, prediction = step([x, *states]).array()
        states = [ops.clone(s) for s in states]
        assert_close(prediction, logprobs, name)
    assert_close(Table(states), sequence.final_state, "final state")


def test_char_rnn_checkpoint_runs():
    loaded = checkpoint.load(MODELS["charrnn_checkpoint"])
    model = loaded.protos.rnn.evaluate()
    state = zeros((1, loaded.opt.rnn_size), model.dtype)
    letter = zeros(1, model.dtype).fill_(loaded.vocab["a"])
    *_, logprobs = model([letter, state, state]).array()
    assert logprobs.shape == (1, 10)
    np.testing.assert_allclose(np.exp(logprobs.numpy()).sum(), 1)
    assert isinstance(loaded.protos.criterion, Criterion)


# -- written by CUDA, cuDNN and OpenCL machines -------------------------------------------


def load_gpu(name):
    """Return the model of a file and what is expected of it."""
    loaded = checkpoint.load(GPU[name])
    expected = checkpoint.load(GPU[name].with_suffix(".expect.t7"))
    return (loaded.model if isinstance(loaded, Table) else loaded), expected


@pytest.mark.parametrize("name", GPU)
@PROTOCOLS
def test_output_of_a_gpu_model(name, protocol):
    for train, key in ((False, "output"), (True, "output_train")):
        model, expected = load_gpu(name)
        if key not in expected:
            assert train, "every file has its output in evaluation mode"
            continue
        assert unsupported(model) == []
        input = expected.input.astype("float16") if name in HALF else expected.input
        output = run(model, input, train, protocol)
        if name in HALF:
            output = output.astype("float32")
        assert_close(output, expected[key], key, expected.get("tolerance", 1e-4))
        if train and "runningAfterTrain" in expected:
            after = expected.runningAfterTrain
            assert_close(running_statistics(model), after, "running statistics", 1e-4)


@pytest.mark.parametrize("name", [n for n in GPU if n.startswith(("dpt_", "nn_gpu", "model_"))])
def test_parallel_modules_round_trip(name):
    model, expected = load_gpu(name)
    again = checkpoint.loads(checkpoint.dumps(model))
    assert type(again) is type(model)
    assert_close(again.evaluate()(expected.input), expected.output, name, 1e-4)
