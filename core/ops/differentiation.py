"""Tensor's methods that differentiate; the engine itself is core/autograd."""

from __future__ import annotations

from ..autograd.engine import backward, register_hook, retain_grad
from .methods import install_method

for _function in (backward, register_hook, retain_grad):
    install_method(_function.__name__, _function)
