"""Modules that draw, and learn from a reward: nn.Reinforce and its kinds.

Source: Element-Research/dpnn Reinforce.lua and the file of each class; Williams 1992, "Simple
Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning".
"""

from __future__ import annotations

from typing import Any

from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import empty, zeros
from rekindle.core.errors import ShapeError
from rekindle.core.tensor import Tensor

from ..checks import one_tensor
from ..fields import empty_pair, set_unless_nil
from ..module import ModuleError, torch_class
from ..stated_gradient import Gradients, StatedGradient
from ..torch7 import random
from ..values import replace_contents

TINY = 0.00000001
"""Keeps denominators from being 0."""


@torch_class("nn.Reinforce")
class Reinforce(StatedGradient):
    """The base of modules that draw their output; gradients of the output are not heeded.

    Parameters
    ----------
    stochastic : bool, optional
        Whether it draws in evaluation too.

    Attributes
    ----------
    reward : Tensor, shape (N,)
        What `reinforce` was given for each sample.
    """

    reward: Any = None
    stochastic: bool | None = None
    _drawn: Any = None

    def __init__(self, stochastic: bool | None = None) -> None:
        super().__init__()
        set_unless_nil(self, stochastic=stochastic)

    def reinforce(self, reward: Any) -> None:
        """Keep the reward of each sample, which gradients are made of."""
        self.reward = reward

    def draws(self) -> bool:
        """Whether the output is drawn."""
        return bool(self.stochastic or self.train)

    def compute(self, input: Any) -> Tensor:
        return one_tensor(self, input)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        return self.rewardAs(input), ()

    def rewardAs(self, input: Tensor) -> Tensor:
        """Return the rewards in the shape of an input.

        Raises
        ------
        ModuleError
            If there is none yet.
        ShapeError
            If they are not one for each sample.
        """
        reward = self.reward
        if not isinstance(reward, Tensor):
            raise ModuleError(f"{self.t7_typename} has no reward: call reinforce() before backward")
        if reward.shape == input.shape:
            return reward
        x = input if reward.shape[0] == input.shape[0] else ops.unsqueeze(input, 0)
        if reward.ndim != 1 or reward.shape[0] != x.shape[0]:
            raise ShapeError(
                f"{self.t7_typename} takes a reward for each of {x.shape[0]} samples; given "
                f"shape {reward.shape}"
            )
        each = ops.reshape(reward, (-1,) + (1,) * (x.ndim - 1))
        return ops.reshape(ops.expand(each, x.shape), input.shape)

    def _kept(self, value: Tensor) -> Tensor:
        """Keep what was drawn for the computation."""
        self._drawn = replace_contents(self._drawn, value)
        drawn: Tensor = self._drawn
        return drawn


@torch_class("nn.ReinforceBernoulli")
class ReinforceBernoulli(Reinforce):
    """Draws 1 with the probability that the input says, else 0.

    Parameters
    ----------
    stochastic : bool, optional
    """

    def prepare(self, input: Any) -> None:
        if self.draws():
            x = one_tensor(self, input)
            uniform = random.uniform(empty(x.shape, x.dtype, x.device), 0, 1)
            self._kept(ops.astype(ops.less(uniform, x), x.dtype))

    def compute(self, input: Any) -> Tensor:
        return ops.clone(self._drawn) if self.draws() else one_tensor(self, input)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        slope = (output - input) / ((1 - input) * input)
        return ops.negative(slope * self.rewardAs(input)), ()


@torch_class("nn.ReinforceNormal")
class ReinforceNormal(Reinforce):
    """Draws normally around the input, or around the first of {mean, deviation}.

    Parameters
    ----------
    stdev : float or Tensor, optional
        The deviation; without it inputs are tables.
    stochastic : bool, optional
    """

    stdev: Any = None

    def __init__(self, stdev: Any = None, stochastic: bool | None = None) -> None:
        super().__init__(stochastic)
        set_unless_nil(self, stdev=stdev)
        if stdev is None:
            self.gradInput = empty_pair(self)

    def _both(self, input: Any) -> tuple[Tensor, Any]:
        mean, stdev = (input[1], input[2]) if isinstance(input, Table) else (input, self.stdev)
        if stdev is None:
            raise ModuleError(f"{self.t7_typename} has no deviation: give one, or {{mean, stdev}}")
        return mean, stdev

    def prepare(self, input: Any) -> None:
        if self.draws():
            mean, stdev = self._both(input)
            self._kept(random.normal(empty(mean.shape, mean.dtype, mean.device)) * stdev + mean)

    def compute(self, input: Any) -> Tensor:
        return ops.clone(self._drawn) if self.draws() else self._both(input)[0]

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        mean, stdev = self._both(input)
        away = output - mean
        of_mean = ops.negative(away / (stdev * stdev) * self.rewardAs(mean))
        if not isinstance(input, Table):
            return of_mean, ()
        square = stdev * stdev
        slope = (away * away - square) / (square * stdev + TINY)
        return Table([of_mean, ops.negative(slope * self.rewardAs(stdev))]), ()


@torch_class("nn.ReinforceGamma")
class ReinforceGamma(Reinforce):
    """Draws of gamma distributions whose shapes are the input, or the first of {shape, scale}.

    Parameters
    ----------
    scale : float or Tensor, optional
        Without it inputs are tables.
    stochastic : bool, optional
        Whether it draws in evaluation too, where else it gives shape * scale.
    """

    scale: Any = None

    def __init__(self, scale: Any = None, stochastic: bool | None = None) -> None:
        super().__init__(stochastic)
        set_unless_nil(self, scale=scale)
        if scale is None:
            self.gradInput = empty_pair(self)

    def _both(self, input: Any) -> tuple[Tensor, Tensor]:
        shape, scale = (input[1], input[2]) if isinstance(input, Table) else (input, self.scale)
        if scale is None:
            raise ModuleError(f"{self.t7_typename} has no scale: give one, or {{shape, scale}}")
        if not isinstance(scale, Tensor):
            scale = zeros(shape.shape, shape.dtype, shape.device) + scale
        return shape, ops.expand(scale, shape.shape)

    def prepare(self, input: Any) -> None:
        if self.draws():
            shape, scale = (t.detach().to("cpu").numpy() for t in self._both(input))
            drawn = random.default.gamma(shape.astype("float32"), scale.astype("float32"))
            self._kept(Tensor(drawn.astype("float32").astype(shape.dtype)))

    def compute(self, input: Any) -> Tensor:
        shape, scale = self._both(input)
        return ops.clone(self._drawn) if self.draws() else shape * scale

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        shape, scale = self._both(input)
        slope = ops.log(output) - ops.digamma(shape) - ops.log(scale)
        of_shape = ops.negative(slope * self.rewardAs(shape))
        if not isinstance(input, Table):
            return of_shape, ()
        slope = output / (scale * scale) - shape / scale
        of_scale = ops.negative(slope * self.rewardAs(scale))
        if input[2].shape != of_scale.shape:
            of_scale = ops.sum(of_scale, axis=0)
        return Table([of_shape, of_scale]), ()


@torch_class("nn.ReinforceCategorical")
class ReinforceCategorical(Reinforce):
    """Draws a category for each row of probabilities; the output is one-hot.

    Parameters
    ----------
    stochastic : bool, optional
    """

    def prepare(self, input: Any) -> None:
        if self.draws():
            x = one_tensor(self, input, 2)
            index = random.multinomial(x, 1)
            columns = ops.reshape(index, (-1, 1)) - 1
            ones = zeros(columns.shape, x.dtype, x.device) + 1
            self._kept(ops.scatter(zeros(x.shape, x.dtype, x.device), columns, ones, axis=1))

    def compute(self, input: Any) -> Tensor:
        return ops.clone(self._drawn) if self.draws() else one_tensor(self, input)

    def gradients(self, input: Any, output: Tensor, gradOutput: Tensor) -> Gradients:
        return ops.negative(output / (input + TINY) * self.rewardAs(input)), ()
