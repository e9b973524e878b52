"""Spectral normalisation: a weight over its largest singular value."""

from __future__ import annotations

from ... import random
from ...autograd import no_grad
from ...random import Generator
from ...tensor import Parameter, Tensor
from ..functional import normalize
from ..module import Module
from .reparametrised import M, Reparametrised, install, own_parameter, uninstall


class SpectralNorm(Reparametrised):
    """Computes `name` = orig / sigma; sigma comes from power iteration, in training."""

    def __init__(self, name: str, iterations: int, dim: int, eps: float) -> None:
        super().__init__(name)
        self.iterations = iterations
        self.dim = dim
        self.eps = eps

    def matrix(self, weight: Tensor) -> Tensor:
        """Return the weight with `dim` first and all other dimensions made one."""
        return weight.moveaxis(self.dim, 0).reshape(weight.shape[self.dim], -1)

    def compute(self, module: Module) -> Tensor:
        """Return the weight, after a step of power iteration in training."""
        weight = own_parameter(module, f"{self.derived}_orig")
        u, v = (getattr(module, f"{self.derived}_{part}") for part in "uv")
        matrix = self.matrix(weight)
        if module.training:
            with no_grad():
                for _ in range(self.iterations):
                    v.copy_(normalize(matrix.T @ u, dim=0, eps=self.eps))
                    u.copy_(normalize(matrix @ v, dim=0, eps=self.eps))
        # Copies: the next step writes into u and v before this one's backward may have run.
        normed: Tensor = weight / (u.clone() * (matrix @ v.clone())).sum()
        return normed


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
    generator: Generator | None = None,
) -> M:
    """Divide a weight by its largest singular value before every forward; return the module.

    Parameters
    ----------
    module : Module
    name : str
        Of the Parameter, which the Parameter `name_orig` and the buffers `name_u` and `name_v`
        replace.
    n_power_iterations : int
        Steps towards the singular vectors before every forward in training.
    eps : float
        Least length of vectors.
    dim : int, optional
        The dimension of outputs: by default 0, or 1 for transposed convolutions.
    generator : Generator, optional
        Draws the first vectors.

    Notes
    -----
    Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks"
    """
    weight = own_parameter(module, name)
    if dim is None:
        dim = 1 if getattr(module, "transposed", False) else 0
    hook = SpectralNorm(name, n_power_iterations, dim, eps)
    with no_grad():
        rows, columns = hook.matrix(weight).shape
        drawn = [
            random.normal(n, dtype=weight.dtype, device=weight.device, generator=generator)
            for n in (rows, columns)
        ]
    delattr(module, name)
    module.register_parameter(f"{name}_orig", Parameter(weight.detach()))
    for part, vector in zip("uv", drawn, strict=True):
        module.register_buffer(f"{name}_{part}", normalize(vector, dim=0, eps=eps))
    install(module, hook)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the weight a Parameter again, with the value it has; return the module."""
    training, module.training = module.training, False
    try:
        weight = uninstall(module, SpectralNorm, name)
    finally:
        module.training = training
    for part in ("orig", "u", "v"):
        delattr(module, f"{name}_{part}")
    module.register_parameter(name, Parameter(weight))
    return module
