"""`.pt` and `.pth`: a state_dict as PyTorch saves it. Needs PyTorch, which is optional."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from typing import Any

from .errors import ExportError, UnreadableError
from .weights import Weights, c_order


def write(path: str | os.PathLike[str], weights: Weights) -> None:
    """Write weights to `path`; aliases become the same tensor under two names."""
    torch = _torch("writing .pt and .pth files")
    state = OrderedDict((n, torch.from_numpy(c_order(a))) for n, a in weights.arrays.items())
    for alias, name in weights.aliases.items():
        state[alias] = state[name]
    torch.save(state, path)


def read(path: str | os.PathLike[str]) -> Weights:
    """Return the weights in `path`: a state_dict, or one below "state_dict" or "model".

    Raises
    ------
    UnreadableError
        If it is no such file. Code in it is never executed.
    """
    arrays = {}
    for name, tensor in _state(path).items():
        plain = tensor.detach().cpu()
        if str(plain.dtype) == "torch.bfloat16":
            plain = plain.float()
        arrays[name] = plain.numpy()
    return Weights(arrays)


def read_shapes(path: str | os.PathLike[str]) -> dict[str, tuple[int, ...]]:
    """Return the shapes in `path`, in the order of its state_dict."""
    return {name: tuple(tensor.shape) for name, tensor in _state(path).items()}


def _state(path: str | os.PathLike[str]) -> dict[str, Any]:
    torch = _torch("reading .pt and .pth files")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        first = str(error).strip().splitlines()
        raise UnreadableError(
            f"{os.fspath(path)}: not a file of weights alone: {first[0] if first else error!r}"
        ) from None
    for key in ("state_dict", "model", "model_state_dict"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict):
        raise UnreadableError(
            f"{os.fspath(path)}: holds a {type(state).__name__}, not a state_dict"
        )
    return {str(name): value for name, value in state.items() if isinstance(value, torch.Tensor)}


def _torch(what: str) -> Any:
    try:
        import torch
    except ImportError:
        raise ExportError(
            f"{what} needs PyTorch, which is not installed: pip install 'rekindle[parity]'"
        ) from None
    return torch
