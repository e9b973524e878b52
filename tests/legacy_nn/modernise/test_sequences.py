"""Recurrent modules and what runs over sequences: outputs, states, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from translated import assert_same, loaded

from rekindle import legacy_nn, nn
from rekindle.core.checkpoint import Table
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn import rnn, torch_rnn
from rekindle.legacy_nn.modernise import TranslationError, modernise, plan_of
from rekindle.legacy_nn.onnx import write_onnx
from rekindle.legacy_nn.source import source_of
from rekindle.legacy_nn.torch7 import random

D, H, T, N = 5, 4, 3, 2


def drawn(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(0).normal(size=shape))


def recurrence() -> Any:
    both = legacy_nn.ParallelTable().add(legacy_nn.Linear(D, H)).add(legacy_nn.Linear(H, H))
    inner = legacy_nn.Sequential().add(both).add(legacy_nn.CAddTable()).add(legacy_nn.Tanh())
    return rnn.Recurrence(inner, H, 1)


def two_lstms() -> Any:
    inner = legacy_nn.Sequential().add(rnn.FastLSTM(D, H)).add(rnn.LSTM(H, H))
    return rnn.Recursor(inner)


def beside() -> Any:
    fork = legacy_nn.ConcatTable().add(rnn.GRU(D, H)).add(rnn.FastLSTM(D, H))
    return legacy_nn.Sequential().add(fork).add(legacy_nn.JoinTable(1, 1))


def several_masks() -> Any:
    """The layers of a tagger that programs of rnn 1 saved."""
    inner = legacy_nn.Sequential().add(rnn.MaskZero(rnn.LSTM(D, H), 1, True))
    inner.add(rnn.MaskZero(legacy_nn.Linear(H, D), 1)).add(rnn.MaskZero(legacy_nn.LogSoftMax(), 1))
    return inner


STEPS = {
    "LSTM": lambda: rnn.LSTM(D, H),
    "LSTM without peepholes": lambda: rnn.LSTM(D, H, None, False),
    "FastLSTM": lambda: rnn.FastLSTM(D, H),
    "GRU": lambda: rnn.GRU(D, H),
    "GRU with dropout": lambda: rnn.GRU(D, H, None, 0.3),
    "MuFuRu": lambda: rnn.MuFuRu(D, H),
    "masked LSTM": lambda: rnn.LSTM(D, H).maskZero(1),
    "masked GRU": lambda: rnn.GRU(D, H).trimZero(1),
    "LSTM inside a mask": lambda: rnn.MaskZero(rnn.FastLSTM(D, H), 1, True),
    "masks one after the other": several_masks,
    "Recurrence": recurrence,
    "Recurrent": lambda: rnn.Recurrent(H, legacy_nn.Linear(D, H), legacy_nn.Linear(H, H)),
    "two LSTMs": two_lstms,
    "two beside each other": beside,
    "Linear": lambda: legacy_nn.Linear(D, H),
    "BatchNormalization": lambda: legacy_nn.BatchNormalization(D),
    "SoftMax": lambda: legacy_nn.SoftMax(),
}


@pytest.mark.parametrize("name", STEPS)
def test_sequencer(name: str, tmp_path: Path) -> None:
    random.manual_seed(1)
    old = rnn.Sequencer(STEPS[name]()).evaluate()
    x = drawn(T, N, D)
    x[1, 0] = 0  # a step that masks leave out
    expected = old.forward(x).numpy().copy()
    assert_same(modernise(old)(x), expected, 1e-12)
    assert_same(loaded(old, tmp_path)(x), expected, 1e-12)


def onnx_outputs(old: Any, folder: Path, *given: Any) -> Any:
    """Return what onnxruntime computes with a legacy model's file."""
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    write_onnx(plan_of(old), folder / "m.onnx")
    session = runtime.InferenceSession(str(folder / "m.onnx"))
    names = [one.name for one in session.get_inputs()]
    return session.run(None, dict(zip(names, given, strict=True)))


@pytest.mark.parametrize("name", sorted(STEPS.keys() - {"SoftMax"}))  # it takes any dimensions
def test_onnx(name: str, tmp_path: Path) -> None:
    random.manual_seed(1)
    old, x = rnn.Sequencer(STEPS[name]()).float().evaluate(), drawn(T, N, D).astype("float32")
    x[1, 0] = 0
    (y,) = onnx_outputs(old, tmp_path, x.numpy())
    assert_same(y, old.forward(x).numpy())


@pytest.mark.parametrize("kind", ["FastLSTM", "GRU", "LSTM", "torch-rnn"])
def test_onnx_with_states(kind: str, tmp_path: Path) -> None:
    random.manual_seed(1)
    old, x = remembering(kind).float().evaluate(), drawn(T, T, D).astype("float32")
    layer = kind in ("FastLSTM", "torch-rnn")
    zeros = np.zeros((1, T, H) if layer else (T, H), "f4")
    states = (zeros,) * (1 if kind == "GRU" else 2)
    for part in (x, x * 2):
        y, *states = onnx_outputs(old, tmp_path, part.numpy(), *states)
        assert_same(y, old.forward(part).numpy())


LAYERS = {
    "SeqLSTM": (lambda: rnn.SeqLSTM(D, H), "lstm.LSTM"),
    "SeqLSTMP": (lambda: rnn.SeqLSTMP(D, H, 3), "lstm.LSTM"),
    "SeqGRU": (lambda: rnn.SeqGRU(D, H), ""),
    "VanillaRNN": (lambda: torch_rnn.VanillaRNN(D, H), "rnn.RNN"),
    "torch-rnn's LSTM": (lambda: torch_rnn.LSTM(D, H), "lstm.LSTM"),
    "SeqBRNN": (lambda: rnn.SeqBRNN(D, H), ""),
    "TemporalAdapter": (lambda: torch_rnn.TemporalAdapter(legacy_nn.Linear(D, H)), ""),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_sequences(name: str, tmp_path: Path) -> None:
    random.manual_seed(1)
    old, x = LAYERS[name][0]().evaluate(), drawn(T, N, D)
    expected = old.forward(x).numpy().copy()
    assert_same(modernise(old)(x), expected, 1e-12)
    assert_same(loaded(old, tmp_path)(x), expected, 1e-12)


@pytest.mark.parametrize("kind", ["SeqLSTM", "SeqGRU"])
@pytest.mark.parametrize("field", ["maskzero", "batchfirst"])
def test_masks_and_batches_first(kind: str, field: str) -> None:
    random.manual_seed(1)
    old, x = getattr(rnn, kind)(D, H).evaluate(), drawn(T, N, D)
    setattr(old, field, True)
    x[1, 0] = 0
    assert_same(modernise(old)(x), old.forward(x).numpy(), 1e-12)


def both_ways(forward: Any, merge: Any = None) -> Any:
    return rnn.BiSequencer(forward, None, merge)


@pytest.mark.parametrize(
    "make",
    [
        lambda: both_ways(rnn.FastLSTM(D, H)),
        lambda: both_ways(rnn.GRU(D, H), legacy_nn.CAddTable()),
        lambda: rnn.BiSequencerLM(rnn.FastLSTM(D, H)),
        lambda: rnn.BiSequencerLM(rnn.GRU(D, H)),
    ],
)
def test_both_directions(make: Any, tmp_path: Path) -> None:
    random.manual_seed(1)
    old, x = make().evaluate(), drawn(T, N, D)
    expected = np.stack([y.numpy() for y in old.forward(Table(list(x))).array()])
    assert_same(modernise(old)(x), expected, 1e-12)
    assert_same(loaded(old, tmp_path)(x), expected, 1e-12)


def test_a_bidirectional_lstm_is_one_layer() -> None:
    made = modernise(both_ways(rnn.FastLSTM(D, H)))
    (layer,) = [m for m in made.modules() if isinstance(m, nn.LSTM)]
    assert layer.bidirectional


def test_a_repeater_gives_the_same_input_again() -> None:
    random.manual_seed(1)
    old, x = rnn.Repeater(rnn.GRU(D, H), T).evaluate(), drawn(N, D)
    expected = np.stack([y.numpy() for y in old.forward(x).array()])
    assert_same(modernise(old)(x), expected, 1e-12)


def test_split_run_and_select(tmp_path: Path) -> None:
    random.manual_seed(1)
    old = legacy_nn.Sequential().add(legacy_nn.SplitTable(2))
    old.add(rnn.Sequencer(rnn.FastLSTM(D, H))).add(legacy_nn.SelectTable(-1))
    old.add(legacy_nn.Linear(H, 3)).evaluate()
    x = drawn(N, T, D)
    expected = old.forward(x).numpy().copy()
    assert_same(modernise(old)(x), expected, 1e-12)
    text = source_of(plan_of(old), "Net", "x.t7", "torch").text
    assert "x = self.lstm(x.transpose(0, 1))[0][-1]" in text
    assert "return self.fc(x)" in text


def test_rows_of_index_zero_are_zeros() -> None:
    old = rnn.LookupTableMaskZero(6, D)
    rows = Tensor(np.array([[0, 3], [6, 1]]))
    made = modernise(old)
    assert_same(made(rows), old.forward(rows).numpy())
    text = source_of(plan_of(old), "Net", "x.t7").text
    assert "nn.Embedding(7, 5, padding_idx=0)" in text


def remembering(kind: str) -> Any:
    if kind == "torch-rnn":
        layer: Any = torch_rnn.LSTM(D, H)
        layer.remember_states = True
        return legacy_nn.Sequential().add(layer).add(legacy_nn.Tanh())
    inside = {"FastLSTM": rnn.FastLSTM, "GRU": rnn.GRU, "LSTM": rnn.LSTM}
    old = rnn.Sequencer(inside[kind](D, H))
    return legacy_nn.Sequential().add(old.remember("both")).add(legacy_nn.Tanh())


@pytest.mark.parametrize("kind", ["FastLSTM", "GRU", "LSTM", "torch-rnn"])
def test_what_is_remembered_goes_in_and_comes_out(kind: str, tmp_path: Path) -> None:
    random.manual_seed(1)
    old, x = remembering(kind).evaluate(), drawn(T, T, D)
    made, net = modernise(old), loaded(old, tmp_path)
    layer = kind in ("FastLSTM", "torch-rnn")
    zeros = Tensor(np.zeros((1, T, H) if layer else (T, H)))
    states = ours = (zeros,) * (1 if kind == "GRU" else 2)
    for part in (x, x * 2):
        expected = old.forward(part).numpy().copy()
        found, *states = made(part, *states)
        assert_same(found, expected, 1e-12)
        found, *ours = net(part, *ours)
        assert_same(found, expected, 1e-12)


def test_states_that_are_not_given_are_asked_for() -> None:
    with pytest.raises(ValueError, match=r"takes its states behind its input.*zeros \(1, N, H\)"):
        modernise(remembering("FastLSTM").evaluate())(drawn(T, N, D))


def test_the_biases_that_torch7_lacks_are_not_trained(tmp_path: Path) -> None:
    old = rnn.Sequencer(rnn.FastLSTM(D, H))
    for made in (modernise(old), loaded(old, tmp_path)):
        (frozen,) = [n for n, p in made.named_parameters() if not p.requires_grad]
        assert frozen.endswith("bias_hh_l0")


@pytest.mark.parametrize("name", ["LSTM", "FastLSTM", "GRU", "Recurrence", "masked LSTM"])
def test_one_step_at_a_time(name: str, tmp_path: Path) -> None:
    random.manual_seed(1)
    old = legacy_nn.Sequential().add(STEPS[name]()).add(legacy_nn.Linear(H, 2)).evaluate()
    made, net = modernise(old), loaded(old, tmp_path)
    states = ours = (Tensor(np.zeros((N, H))),) * (2 if "LSTM" in name else 1)
    for step in drawn(T, N, D):
        expected = old.forward(step).numpy().copy()
        found, *states = made(step, *states)
        assert_same(found, expected, 1e-12)
        found, *ours = net(step, *ours)
        assert_same(found, expected, 1e-12)


def test_two_layers_one_step_at_a_time() -> None:
    random.manual_seed(1)
    old = two_lstms().evaluate()
    made = modernise(old)
    states = [Tensor(np.zeros((N, H)))] * 4
    for step in drawn(T, N, D):
        found, *states = made(step, *states)
        assert_same(found, old.forward(step).numpy(), 1e-12)


ACROSS = {
    "a layer of sequences": lambda: rnn.SeqLSTM(D, H),
    "a sequencer": lambda: rnn.Sequencer(legacy_nn.Linear(D, H)),
    "a mean over samples": lambda: legacy_nn.Mean(1),
    "a slice of samples": lambda: legacy_nn.Narrow(1, 1, 1),
    "samples exchanged": lambda: legacy_nn.Transpose([1, 2]),
}


@pytest.mark.parametrize("name", ACROSS)
def test_what_computes_across_samples_is_refused_in_a_sequencer(name: str) -> None:
    with pytest.raises(TranslationError, match="across the samples of a step"):
        modernise(rnn.Sequencer(ACROSS[name]()))


def test_a_first_step_of_its_own_is_refused() -> None:
    with pytest.raises(TranslationError, match="one step at a time, and its first step"):
        modernise(STEPS["Recurrent"]())


def test_given_states_are_refused() -> None:
    old = rnn.Sequencer(rnn.GRU(D, H))
    old.module.userPrevOutput = drawn(N, H)
    with pytest.raises(TranslationError, match="userPrevOutput"):
        modernise(old)
