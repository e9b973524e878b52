"""Engines: loops of training and testing that call hooks.

Source: torchnet/torchnet engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from .meter import TorchnetError, check

Hook = Callable[[SimpleNamespace], Any]

HOOKS = (
    "onStart",
    "onStartEpoch",
    "onSample",
    "onForward",
    "onForwardCriterion",
    "onBackward",
    "onBackwardCriterion",
    "onEndEpoch",
    "onUpdate",
    "onEnd",
)
"""What the engines call; each hook gets the state."""


class Hooks:
    """Functions by name: `hooks.onForward = f`; `hooks("onForward", state)` calls it.

    Parameters
    ----------
    names : iterable of str
        The only ones there are.
    """

    def __init__(self, names: Iterable[str]) -> None:
        for name in names:
            vars(self)[name] = _nothing

    def __setattr__(self, name: str, hook: Hook) -> None:
        self._check(name)
        vars(self)[name] = hook

    def __call__(self, name: str, *args: Any) -> Any:
        self._check(name)
        return vars(self)[name](*args)

    def _check(self, name: str) -> None:
        if name not in vars(self):
            raise TorchnetError(f"unknown hook {name!r}: one of {[*vars(self)]} expected")


def _nothing(*_: Any) -> None:
    """Do nothing: the hook where none is set."""


class Engine(ABC):
    """A loop of training and one of testing.

    Parameters
    ----------
    hooks : iterable of str
        Names of the hooks that it calls.

    Source: torchnet/torchnet engine/engine.lua.
    """

    def __init__(self, hooks: Iterable[str]) -> None:
        self.hooks = Hooks(hooks)

    @abstractmethod
    def train(self, *args: Any, **options: Any) -> None:
        """Train a network."""

    @abstractmethod
    def test(self, *args: Any, **options: Any) -> None:
        """Run a network over samples, and its criterion."""


class SGDEngine(Engine):
    """Stochastic gradient descent.

    Hooks get the state, an object with the arguments as attributes, and `sample`, `epoch` and
    `t` (epochs and samples done) and `training`; they may change it. `HOOKS` are their names.

    Source: torchnet/torchnet engine/sgdengine.lua.
    """

    def __init__(self) -> None:
        super().__init__(HOOKS)

    def train(
        self,
        network: Any,
        criterion: Any,
        iterator: Callable[[], Iterable[Any]],
        lr: float,
        lrcriterion: float | None = None,
        maxepoch: int = 1000,
    ) -> None:
        """Train a network.

        Parameters
        ----------
        network : Module
        criterion : Criterion
        iterator : DatasetIterator
            Of dicts with "input" and "target".
        lr : float
            The learning rate; 0 leaves the network as it is.
        lrcriterion : float, optional
            That of the criterion's parameters; by default `lr`.
        maxepoch : int

        Raises
        ------
        TorchnetError
            For a negative rate.
        """
        state = SimpleNamespace(
            network=network,
            criterion=criterion,
            iterator=iterator,
            lr=lr,
            lrcriterion=lr if lrcriterion is None else lrcriterion,
            maxepoch=maxepoch,
        )
        self._train(state, _descend)

    def _train(self, state: SimpleNamespace, update: Callable[[SimpleNamespace], None]) -> None:
        """Run the loop; `update` changes the parameters after each sample."""
        hooks = self.hooks
        state.sample, state.epoch, state.t, state.training = {}, 0, 0, True
        hooks("onStart", state)
        while state.epoch < state.maxepoch:
            state.network.training()
            hooks("onStartEpoch", state)
            for sample in state.iterator():
                state.sample = sample
                hooks("onSample", state)
                sample, network, criterion = state.sample, state.network, state.criterion
                network.forward(sample["input"])
                hooks("onForward", state)
                criterion.forward(network.output, sample["target"])
                hooks("onForwardCriterion", state)
                network.zeroGradParameters()
                if hasattr(criterion, "zeroGradParameters"):
                    criterion.zeroGradParameters()
                criterion.backward(network.output, sample["target"])
                hooks("onBackwardCriterion", state)
                network.backward(sample["input"], criterion.gradInput)
                hooks("onBackward", state)
                update(state)
                state.t += 1
                hooks("onUpdate", state)
            state.epoch += 1
            hooks("onEndEpoch", state)
        hooks("onEnd", state)

    def test(
        self, network: Any, iterator: Callable[[], Iterable[Any]], criterion: Any = None
    ) -> None:
        """Run a network over samples, and its criterion if there is one.

        Parameters
        ----------
        network : Module
        iterator : DatasetIterator
            Of dicts with "input" and, for a criterion, "target".
        criterion : Criterion, optional
        """
        state = SimpleNamespace(
            network=network, iterator=iterator, criterion=criterion, sample={}, t=0, training=False
        )
        self.hooks("onStart", state)
        state.network.evaluate()
        for sample in state.iterator():
            state.sample = sample
            self.hooks("onSample", state)
            state.network.forward(state.sample["input"])
            state.t += 1
            self.hooks("onForward", state)
            if state.criterion is not None:
                state.criterion.forward(state.network.output, state.sample["target"])
                self.hooks("onForwardCriterion", state)
        self.hooks("onEnd", state)


class OptimEngine(SGDEngine):
    """Training by a function of `optim`.

    Source: torchnet/torchnet engine/optimengine.lua.
    """

    def train(  # type: ignore[override]  # torchnet's arguments
        self,
        network: Any,
        criterion: Any,
        iterator: Callable[[], Iterable[Any]],
        maxepoch: int = 1000,
        *,
        optimMethod: Callable[..., Any],
        config: Any = None,
        optimState: Any = None,
        paramFun: Callable[[], tuple[Any, Any]] | None = None,
    ) -> None:
        """Train a network.

        Parameters
        ----------
        network : Module
        criterion : Criterion
        iterator : DatasetIterator
            Of dicts with "input" and "target".
        maxepoch : int
        optimMethod : callable
            Such as `optim.sgd`: called as `optimMethod(feval, params, config, optimState)`.
        config, optimState : dict or Table, optional
        paramFun : callable, optional
            Returns the parameters and their gradients; by default `network.getParameters`.
        """
        params, grads = (network.getParameters if paramFun is None else paramFun)()
        state = SimpleNamespace(
            network=network,
            criterion=criterion,
            iterator=iterator,
            maxepoch=maxepoch,
            optimMethod=optimMethod,
            config={} if config is None else config,
            optim={} if optimState is None else optimState,
            params=params,
            gradParams=grads,
        )

        def update(state: SimpleNamespace) -> None:
            def feval(_: Any) -> tuple[Any, Any]:
                return state.criterion.output, state.gradParams

            state.optimMethod(feval, state.params, state.config, state.optim)

        self._train(state, update)


def _descend(state: SimpleNamespace) -> None:
    for name, module, rate in (
        ("lrcriterion", state.criterion, state.lrcriterion),
        ("lr", state.network, state.lr),
    ):
        check(rate >= 0, f"{name} should not be negative, got {rate}")
        if rate > 0 and hasattr(module, "updateParameters"):
            module.updateParameters(rate)
