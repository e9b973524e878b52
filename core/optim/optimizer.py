"""Optimizer: parameter groups, the state of each parameter, and the loop over both.

An algorithm is one method, `update`, on the arrays of one parameter; it writes in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..autograd import enable_grad
from ..autograd.versions import count_write
from ..errors import RekindleError
from ..tensor import Tensor

Closure = Callable[[], Any]
State = dict[str, Any]
Group = dict[str, Any]


class OptimizerError(RekindleError, ValueError):
    """Parameters, options or a state that an optimiser does not take."""


class Optimizer:
    """The base of all optimisers.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What is trained; dicts are groups `{"params": ..., option: value}` with options of
        their own.
    defaults : dict
        The options of groups that do not name them.

    Attributes
    ----------
    param_groups : list of dict
    state : dict
        For each parameter a dict of numbers, and of tensors of its shape.

    Raises
    ------
    OptimizerError
        Without parameters, for one that is no leaf, or that stands in two groups.

    Source: PyTorch's torch.optim.Optimizer; Torch7's optim before it.
    """

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.state: dict[Tensor, State] = {}
        self.param_groups: list[Group] = []
        if isinstance(params, Tensor):
            raise OptimizerError("an optimiser takes a list of parameters; given one tensor")
        given = list(params)
        if not given:
            raise OptimizerError("an optimiser needs parameters; given none")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Train more parameters, with the options that the group gives.

        Raises
        ------
        OptimizerError
            As for the constructor.
        """
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for p in params:
            if not isinstance(p, Tensor):
                raise OptimizerError(f"only tensors are trained; given {type(p).__name__}")
            if not p.is_leaf:
                raise OptimizerError("a tensor that an operation made cannot be trained: detach it")
            if id(p) in known:
                raise OptimizerError("a parameter stands in the groups more than once")
            known.add(id(p))
        made = {**self.defaults, **group, "params": params}
        for name in made.keys() - self.defaults.keys() - {"params"}:
            raise OptimizerError(
                f"{type(self).__name__} has no option {name!r}; it has {', '.join(self.defaults)}"
            )
        self.check_options(made)
        made["initial_lr"] = made["lr"]
        self.param_groups.append(made)

    def check_options(self, group: Group) -> None:
        """Check a group's options.

        Raises
        ------
        OptimizerError
            For a value out of its range.
        """
        for name, value in group.items():
            if name in ("lr", "eps", "weight_decay", "momentum", "lr_decay") and not value >= 0:
                raise OptimizerError(f"{name} is 0 or more; given {value}")
            if name in ("alpha", "rho") and not 0 <= value <= 1:
                raise OptimizerError(f"{name} is between 0 and 1; given {value}")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients: drop them, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if set_to_none:
                    p.grad = None
                else:
                    p.grad.array[...] = 0
                    count_write(p.grad._version, "zero_grad")

    def step(self, closure: Closure | None = None) -> Any:
        """Change every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients, and returns the loss.

        Returns
        -------
        Any
            What the closure returned; None without one.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state.setdefault(p, {})
                gradient = p.grad.array
                if group.get("maximize"):
                    gradient = -gradient
                self.update(group, p.array, gradient, state)
                count_write(p._version, f"{type(self).__name__}.step")
        return loss

    def update(self, group: Group, p: Any, g: Any, state: State) -> None:
        """Change the array `p` of a parameter with the gradient `g`, in place.

        `g` must not be written to.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it updates")

    # -- saving ---------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return the state and the options; parameters are numbered through the groups.

        Returns
        -------
        dict
            `{"state": {number: {...}}, "param_groups": [{..., "params": [numbers]}]}`, as in
            PyTorch; the tensors are not copied.
        """
        numbers = {p: i for i, p in enumerate(self._all_params())}
        groups = [
            {**group, "params": [numbers[p] for p in group["params"]]}
            for group in self.param_groups
        ]
        state = {numbers[p]: dict(s) for p, s in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take a state that `state_dict` returned.

        Raises
        ------
        OptimizerError
            If the groups have other sizes, or a tensor has another shape than its parameter.
        """
        groups = saved["param_groups"]
        sizes = [len(g["params"]) for g in groups]
        own = [len(g["params"]) for g in self.param_groups]
        if sizes != own:
            raise OptimizerError(
                f"the saved state has groups of {sizes} parameters, this optimiser of {own}"
            )
        params = self._all_params()
        order = [number for g in groups for number in g["params"]]
        state: dict[Tensor, State] = {}
        for p, number in zip(params, order, strict=True):
            entries = saved["state"].get(number)
            if entries is not None:
                state[p] = {name: _own(name, value, p, number) for name, value in entries.items()}
        self.state = state
        for group, given in zip(self.param_groups, groups, strict=True):
            group.update({name: v for name, v in given.items() if name != "params"})

    def _all_params(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}("]
        for i, group in enumerate(self.param_groups):
            options = ", ".join(f"{n}={v}" for n, v in group.items() if n != "params")
            lines.append(f"  group {i}: {len(group['params'])} parameters, {options}")
        return "\n".join([*lines, ")"])


def _own(name: str, value: Any, p: Tensor, number: int) -> Any:
    """Return a copy of a saved value, tensors in the parameter's type and place."""
    if not isinstance(value, Tensor):
        return value
    if value.size != 1 and value.shape != p.shape:
        raise OptimizerError(
            f"{name} of parameter {number} has shape {value.shape}; the parameter has {p.shape}"
        )
    return Tensor(value.detach().clone(), p.dtype, p.device)


def zeros_for(p: Any) -> Tensor:
    """Return a tensor of zeros for the state of a parameter's array."""
    return Tensor._wrap(p.__array_namespace__().zeros_like(p))
