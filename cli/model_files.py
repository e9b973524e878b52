"""Models as source and as ONNX."""

from __future__ import annotations

import importlib.util
import keyword
import re
from pathlib import Path
from typing import Any

import numpy as np

from rekindle.core.dtypes import Dtype, float32
from rekindle.core.export import Weights, write_weights
from rekindle.legacy_nn.modernise import TranslationError, plan_of
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.source import source_of
from rekindle.legacy_nn.source.spelling import Target
from rekindle.legacy_nn.unknown_classes import typename

from .casting import cast_floats
from .group import Problem, Unusable
from .inputs import read_input
from .output import atomic_output
from .reading import Checkpoint, require_model
from .texts import size_text


def weights_beside(target: str) -> str:
    """Return the file of weights that belongs to a file of source.

    Raises
    ------
    Unusable
        If the source goes to standard output, beside which there is no file.
    """
    if target == "-":
        raise Unusable("a model as .py needs a file as OUT: its weights are written beside it")
    return str(Path(target).with_suffix(".safetensors"))


def write_model(
    checkpoint: Checkpoint,
    target: str,
    to: str,
    *,
    language: Target,
    dtype: Dtype | None,
    input_file: str | None,
    zero_based: bool,
) -> dict[str, Any]:
    """Write the only model of a checkpoint as source or as ONNX, and return the report.

    Parameters
    ----------
    to : {"py", "onnx"}
    language : {"rekindle", "torch"}
        Of the source.
    dtype : dtype or None
        Convert floating tensors to this type; by default ONNX gets float32.

    Raises
    ------
    Problem
        If something in the model has no translation.
    Unusable
        If there are several models, or the package onnx is not there.
    """
    place = require_model(checkpoint)
    if to == "onnx" and importlib.util.find_spec("onnx") is None:
        raise Unusable(".onnx needs the package onnx: pip install 'rekindle[onnx]'")
    wanted = float32 if dtype is None and to == "onnx" else dtype
    if wanted is not None:
        cast_floats(place.value, wanted)
    if isinstance(place.value, Module):
        place.value.evaluate()  # some classes are translated as they are in evaluation only
    example = read_input(input_file, None, None) if input_file else None
    try:
        plan = plan_of(place.value, example, zero_based=zero_based)
    except TranslationError as error:
        raise Problem(f"{checkpoint.name}: {error}") from None
    report = {"model": place.lua_path, "class": typename(place.value)}
    if to == "onnx":
        return report | _write_onnx(plan, target, example)
    name = class_name(Path(target).stem)
    weights = weights_beside(target)
    origin = Path(checkpoint.name).name
    source = source_of(plan, name, origin, language)
    arrays = {key: np.array(tensor.numpy(), order="C") for key, tensor in source.state.items()}
    with atomic_output(target) as code:
        Path(code).write_text(source.text, encoding="utf-8")
        if arrays:
            with atomic_output(weights) as temporary:
                metadata = {"format": "pt", "source": origin, "sha256": checkpoint.sha256()}
                write_weights(temporary, Weights(arrays, {}, metadata), ".safetensors")
    size = size_text(sum(array.nbytes for array in arrays.values()))
    beside = f"; {len(arrays)} tensors, {size}, in {weights}" if arrays else ""
    kind = "PyTorch" if language == "torch" else "Rekindle"
    what = f"class {name} for {kind}, from {place.lua_path or 'the object'} ({report['class']})"
    return report | {"weights": weights if arrays else None, "what": what + beside}


def _write_onnx(plan: Any, target: str, example: Any) -> dict[str, Any]:
    from rekindle.legacy_nn.onnx import write_onnx

    with atomic_output(target) as temporary:
        nodes = write_onnx(plan, temporary, example)
    return {"what": f"ONNX, {nodes} nodes"}


def class_name(stem: str) -> str:
    """Return a name for a class that a file's name gives: resnet18_thin is Resnet18Thin."""
    words = re.findall(r"[A-Za-z0-9]+", stem)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    if not name or name[0].isdigit() or keyword.iskeyword(name) or name in ("Path", "Tensor"):
        name = f"Model{name}"
    return name
