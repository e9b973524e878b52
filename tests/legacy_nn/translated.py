"""Recorded models, with their inputs and outputs as translations take and return them.

A sequence that is a table of steps in Lua is one tensor, and states come behind the input.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.modernise import TranslationError, plan_of
from rekindle.legacy_nn.modernise.plan import Block, Expr, Value
from rekindle.legacy_nn.naming import modules_in, root_place
from rekindle.legacy_nn.source import source_of
from rekindle.legacy_nn.values import map_tensors

FIXTURES = Path(__file__).parents[1] / "fixtures"
MODELS = sorted((FIXTURES / "models").glob("*.t7"))
GPU = sorted(p for p in (FIXTURES / "gpu").glob("*.t7") if not p.stem.endswith(".expect"))


@dataclass(frozen=True, slots=True)
class Case:
    """A recorded model in evaluation mode that translates.

    Attributes
    ----------
    model : legacy module
    input : Tensor or Table
        As the legacy model takes it.
    plan : Block
        Made without an example.
    arguments : tuple
        Arrays, as the translation takes them.
    recorded : Tensor, Table or None
        What Torch7 computed.
    """

    model: Any
    input: Any
    plan: Block
    arguments: tuple[Any, ...]
    recorded: Any = None

    def expected(self) -> Any:
        """Return what the legacy model computes, as arrays like the translation's output."""
        with_copies = map_tensors(lambda t: t.clone(), self.input)
        return self.like_output(self.model.forward(with_copies))

    def like_output(self, value: Any) -> Any:
        """Return a legacy output as arrays; the states are left out."""
        output = self.plan.output
        states = count_states(self.plan)
        return arrays_like(output[0] if states else output, value)

    def without_states(self, found: Any) -> Any:
        """Return a translation's output without the states behind it."""
        return found[0] if count_states(self.plan) else found


def count_states(plan: Block) -> int:
    """Return how many states a plan takes behind its input."""
    if not isinstance(plan.input, tuple):
        return 0
    return sum(1 for leaf in plan.input if isinstance(leaf, Expr) and leaf.word)


def arrays_like(value: Value, given: Any) -> Any:
    """Return legacy tensors as arrays in the structure of a plan's value."""
    if isinstance(given, Table):
        parts = given.array()
        if isinstance(value, Expr) and value.steps:
            return np.stack([part.numpy() for part in parts])
        values = value if isinstance(value, tuple) else [None] * len(parts)
        return tuple(arrays_like(v, part) for v, part in zip(values, parts, strict=True))
    return np.ascontiguousarray(given.numpy()).copy()


def record_of(path: Path) -> tuple[Any, Any, Any]:
    """Return a recorded model, its input and its output in evaluation mode."""
    record = checkpoint.load(path)
    if path.parent.name == "gpu":
        expected = checkpoint.load(path.with_suffix(".expect.t7"))
        found = modules_in(root_place(record))
        if not found or "input" not in expected or "output" not in expected:
            pytest.skip("no model with an input")
        return found[0].value, expected.input, expected.output
    if "model" not in record or isinstance(record.model, TorchObject):
        pytest.skip("no model that runs")
    return record.model, record.input, record.output


def case_of(path: Path, dtype: str | None = "float32") -> Case:
    """Return a recorded model; skip where it does not translate.

    Parameters
    ----------
    dtype : str or None
        The model and its input are converted to; None leaves them as they are.
    """
    model, x, output = record_of(path)
    try:
        plan_of(model)
    except TranslationError as error:
        pytest.skip(str(error))
    if dtype is not None:
        model = model.float() if dtype == "float32" else model.double()
        x = map_tensors(lambda t: t.astype(dtype) if t.dtype.kind == "f" else t, x)
    plan = plan_of(model.evaluate())
    inputs = plan.input[0] if count_states(plan) else plan.input
    whole = arrays_like(inputs, x)
    given = whole if isinstance(whole, tuple) else (whole,)
    return Case(model, x, plan, (*given, *_zeros(plan, model, given[0])), output)


def _zeros(plan: Block, model: Any, x: Any) -> tuple[Any, ...]:
    """Return the states that a language model of torch-rnn starts from."""
    if not count_states(plan):
        return ()
    shape = (1, x.shape[0], int(model.rnn_size))
    return tuple(np.zeros(shape, model.dtype) for _ in range(count_states(plan)))


def tensors(arguments: Any, make: Any = Tensor) -> Any:
    """Return arrays as tensors."""
    if isinstance(arguments, tuple):
        return tuple(tensors(part, make) for part in arguments)
    return make(arguments)


def assert_same(actual: Any, expected: Any, tolerance: float = 1e-5) -> None:
    """Check tensors or arrays against arrays, in the same structure."""
    if isinstance(expected, tuple):
        assert len(actual) == len(expected)
        for a, b in zip(actual, expected, strict=True):
            assert_same(a, b, tolerance)
        return
    found = actual.detach() if hasattr(actual, "detach") else actual
    a = found.numpy() if hasattr(found, "numpy") else np.asarray(found)
    assert a.shape == expected.shape
    limit = tolerance * max(np.abs(expected).max(initial=0), 1e-30)
    assert np.abs(a.astype("f8") - expected).max(initial=0) <= limit


def loaded(old: Any, folder: Path, target: Any = "rekindle", x: Any = None) -> Any:
    """Return the model that the generated source of a legacy one is; `x` is an example."""
    source = source_of(plan_of(old, x), "Net", "x.t7", target)
    (folder / "net.py").write_text(source.text, encoding="utf-8")
    arrays = {k: np.array(t.numpy(), order="C") for k, t in source.state.items()}
    save_file(arrays, folder / "net.safetensors")
    spec = importlib.util.spec_from_file_location("net", folder / "net.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(*([folder / "net.safetensors"] if source.state else []))
