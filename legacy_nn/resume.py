"""resume: an optimiser of core that goes on where one of torch/optim stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rekindle.core.autograd import no_grad
from rekindle.core.backend import strided_view
from rekindle.core.checkpoint import Table
from rekindle.core.creation import full
from rekindle.core.errors import RekindleError
from rekindle.core.nn import Module as CoreModule
from rekindle.core.optim import SGD, Adadelta, Adagrad, Optimizer, RMSprop
from rekindle.core.tensor import Tensor

from .flatten import layout
from .module import Module
from .resumed_optimizers import TorchAdam, TorchSGD

Model = Module | CoreModule | Tensor | Table | Iterable[Any]


class ResumeError(RekindleError, ValueError):
    """A state that no optimiser of core continues, or that is not of these parameters."""


FOREIGN = {
    "u": "adamax",
    "eta_t": "asgd",
    "old_dirs": "lbfgs",
    "df0": "cg",
    "delta": "rprop",
    "stepsize": "rprop",
    "sigma": "cmaes",
}
"""A field of the state -> the optimiser of torch/optim that has it, and core has not."""

METHODS = ("sgd", "nag", "adam", "rmsprop", "adagrad", "adadelta")


def resume(
    model: Model, optim_state: Any, config: Any = None, *, method: str | None = None
) -> Optimizer:
    """Return an optimiser of core that goes on where one of torch/optim stopped.

    Parameters
    ----------
    model : legacy_nn.Module, core.nn.Module, or iterable of these or of Tensors
        What was trained. For an iterable its parameters one after the other, as
        `combine_all_parameters` gathered them. Core's modules are those that `modernise`
        made: they share the Parameters of the legacy model.
    optim_state : Table or dict
        The table that was given to the optimiser as `config`, or as `state`, after its last
        step. Flat tensors are cut as `getParameters` lays the parameters out.
    config : Table or dict, optional
        The options, where they were in a table of their own.
    method : {"sgd", "nag", "adam", "rmsprop", "adagrad", "adadelta"}, optional
        By default the one whose fields the state has; sgd has none of its own without
        momentum. nag has the fields of sgd: it is meant only where it is named.

    Returns
    -------
    Optimizer
        SGD, TorchSGD, TorchAdam, RMSprop, Adagrad or Adadelta, with the state of each
        parameter.

    Raises
    ------
    ResumeError
        If the state is of an optimiser that core lacks (adamax, asgd, rprop, cg, lbfgs,
        cmaes), or has another number of elements than the model's parameters.

    Notes
    -----
    The steps are Torch7's. Its formulas and those of core (and PyTorch) differ so:

    =========  ===============================================  ===============================
    of torch   there                                            core and PyTorch
    =========  ===============================================  ===============================
    sgd        dampening is the momentum unless it is given     0 unless it is given
    sgd        learningRateDecay: lr / (1 + n decay)            a schedule; here TorchSGD
    sgd        learningRates, weightDecays for each element     none; here TorchSGD
    nag        stops behind where its gradients are taken       SGD with nesterov stops there
    adam       divides by sqrt(v) + eps, then corrects bias     corrects first; here TorchAdam
    adam       learningRateDecay: lr / (1 + n decay)            a schedule; here TorchAdam
    rmsprop    lr 1e-2, initialMean fills the mean square       it starts from 0
    adagrad    lr 1e-3                                          lr 1e-2; the formula is equal
    adadelta   no learning rate; eps is called eps              lr 1.0; the formula is equal
    all        weightDecay is added to the gradient             the same; AdamW does not
    =========  ===============================================  ===============================

    nag moves the parameters by momentum times its velocity, takes the gradient there, and stops
    at a step from there. SGD with `nesterov` stops where the next gradient is taken: `resume`
    moves the parameters there, and loss curves are the same.

    To go on by PyTorch's formula, load the state into that class:
    `core.optim.Adam(params).load_state_dict(resumed.state_dict())`.

    Source: torch/optim sgd.lua, nag.lua, adam.lua, rmsprop.lua, adagrad.lua, adadelta.lua.

    Examples
    --------
    >>> import rekindle
    >>> from rekindle import legacy_nn
    >>> model = legacy_nn.Linear(2, 1)
    >>> state = {"learningRate": 0.1, "momentum": 0.9, "evalCounter": 7, "dfdx": rekindle.ones(3)}
    >>> optimizer = rekindle.resume(model, state)
    >>> [s["momentum_buffer"].tolist() for s in optimizer.state.values()]
    [[[1.0, 1.0]], [1.0]]
    """
    state = _Fields(optim_state)
    options = state if config is None else _Fields(config)
    chosen = method or _method_of(state, options)
    if chosen not in METHODS:
        raise ResumeError(f"method is one of {', '.join(METHODS)}; given {chosen!r}")
    cut = _Cut(parameters_of(model))
    optimizer = _MAKERS[chosen](cut, options, state)
    for p, kept in zip(cut.tensors, cut.states, strict=True):
        if kept:
            optimizer.state[p] = kept
    return optimizer


class _Fields:
    """The fields of a table as Lua reads them: false and nil are not there."""

    def __init__(self, table: Table | Mapping[str, Any]) -> None:
        if not isinstance(table, (Table, Mapping)):
            raise ResumeError(f"a table of an optimiser is expected; given {type(table).__name__}")
        self.table = table

    def get(self, name: str, default: Any = None) -> Any:
        value = self.table.get(name)
        return default if value is None or value is False else value

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def names(self) -> list[str]:
        return [name for name in self.table.keys() if isinstance(name, str)]  # noqa: SIM118


def parameters_of(model: Any) -> list[Tensor]:
    """Return the parameters of a model, or of several, in the order in which Torch7 lists them."""
    if isinstance(model, Module):
        return list(model.parameters()[0])
    if isinstance(model, CoreModule):
        return list(model.parameters())
    if isinstance(model, Tensor):
        return [model]
    parts = model.array() if isinstance(model, Table) else model
    return [p for part in parts for p in parameters_of(part)]


class _Cut:
    """Parameters, each memory once, with their parts of flat tensors.

    Attributes
    ----------
    tensors : list of Tensor
    states : list of dict
        What there is to keep for each.
    """

    def __init__(self, parameters: list[Tensor]) -> None:
        if not parameters:
            raise ResumeError("the model has no parameters")
        _, places, used = layout(parameters)
        self.total = int(used.sum())
        seen: dict[Any, tuple[Tensor, int]] = {}
        for p, place in zip(parameters, places, strict=True):
            seen.setdefault((place, p.shape, p.stride()), (p, place))
        self.tensors = [p for p, _ in seen.values()]
        self.places = [place for _, place in seen.values()]
        if sum(p.size for p in self.tensors) != self.total:
            raise ResumeError(
                "parameters overlap without being the same: each element would be changed by "
                "several steps at once"
            )
        self.states: list[dict[str, Any]] = [{} for _ in self.tensors]

    def put(self, name: str, flat: Tensor, field: str) -> None:
        """Keep each parameter's part of a flat tensor under a name."""
        if flat.size != self.total:
            raise ResumeError(
                f"{field} has {flat.size} elements and the model {self.total} parameters: this "
                "state is of another model, or of several that were trained as one"
            )
        array = flat.numpy().reshape(-1)
        for p, place, state in zip(self.tensors, self.places, self.states, strict=True):
            part = strided_view(array, place, p.shape, p.stride())
            state[name] = Tensor(Tensor(part.copy()), p.dtype, p.device)

    def put_all(self, **values: Any) -> None:
        """Keep values that are the same for all parameters."""
        for state in self.states:
            state.update(values)


def _method_of(state: _Fields, options: _Fields) -> str:
    """Return which optimiser of torch/optim a state is of."""
    if "accDelta" in state:
        return "adadelta"
    if "paramVariance" in state:
        return "adagrad"
    if "v" in state and "m" in state:
        return "adam"
    for field, name in FOREIGN.items():
        if field in state:
            raise ResumeError(
                f"this is a state of optim.{name}, which core.optim does not have (it has the "
                f"field {field!r}); legacy_nn.optim.{name} goes on with it"
            )
    if "m" in state and "tmp" in state:
        return "rmsprop"
    known = {"dfdx", "evalCounter", "learningRate", "momentum", "weightDecay"}
    if known.intersection(state.names()) or "learningRate" in options:
        return "sgd"
    raise ResumeError(
        f"no optimiser of torch/optim has a state of {', '.join(state.names()) or 'nothing'}: "
        "name the method, or select the table that has the state"
    )


def _sgd(cut: _Cut, options: _Fields, state: _Fields) -> Optimizer:
    momentum = options.get("momentum", 0)
    settings = {
        "momentum": momentum,
        "dampening": options.get("dampening", momentum),
        "weight_decay": options.get("weightDecay", 0),
        "nesterov": bool(options.get("nesterov", False)),
    }
    rate, decay = options.get("learningRate", 1e-3), options.get("learningRateDecay", 0)
    if momentum and "dfdx" in state:
        cut.put("momentum_buffer", state.get("dfdx"), "dfdx")
    vectors = [name for name in ("learningRates", "weightDecays") if name in options]
    if not decay and not vectors:
        return SGD(cut.tensors, rate, **settings)
    cut.put_all(step=int(state.get("evalCounter", 0)))
    for name in vectors:
        field = {"learningRates": "learning_rates", "weightDecays": "weight_decays"}[name]
        cut.put(field, options.get(name), name)
    return TorchSGD(cut.tensors, rate, lr_decay=decay, **settings)


def _nag(cut: _Cut, options: _Fields, state: _Fields) -> Optimizer:
    changing = [name for name in ("learningRateDecay", "learningRates") if options.get(name)]
    if changing:
        raise ResumeError(
            f"nag with {' and '.join(changing)} is no SGD with nesterov, whose velocity grows "
            "with the rate; legacy_nn.optim.nag goes on with it"
        )
    momentum, rate = options.get("momentum", 0.9), options.get("learningRate", 1e-3)
    if "dfdx" in state:
        velocity = Tensor(state.get("dfdx").numpy().reshape(-1))
        cut.put("momentum_buffer", velocity * (-1 / rate), "dfdx")
        with no_grad():
            for p, kept in zip(cut.tensors, cut.states, strict=True):
                p.add_(kept["momentum_buffer"] * (-rate * momentum))
    decay = options.get("weightDecay", 0)
    return SGD(cut.tensors, rate, momentum=momentum, weight_decay=decay, nesterov=True)


def _adam(cut: _Cut, options: _Fields, state: _Fields) -> Optimizer:
    if "m" in state:
        cut.put_all(step=int(state.get("t", 0)))
        cut.put("exp_avg", state.get("m"), "m")
        cut.put("exp_avg_sq", state.get("v"), "v")
    return TorchAdam(
        cut.tensors,
        options.get("learningRate", 1e-3),
        betas=(options.get("beta1", 0.9), options.get("beta2", 0.999)),
        eps=options.get("epsilon", 1e-8),
        weight_decay=options.get("weightDecay", 0),
        lr_decay=options.get("learningRateDecay", 0),
    )


def _rmsprop(cut: _Cut, options: _Fields, state: _Fields) -> Optimizer:
    mean = state.get("m")
    if mean is None and "initialMean" in options:
        mean = full(cut.total, options.get("initialMean"), cut.tensors[0].dtype)
    if mean is not None:
        cut.put_all(step=0)
        cut.put("square_avg", mean, "m")
    return RMSprop(
        cut.tensors,
        options.get("learningRate", 1e-2),
        alpha=options.get("alpha", 0.99),
        eps=options.get("epsilon", 1e-8),
        weight_decay=options.get("weightDecay", 0),
    )


def _adagrad(cut: _Cut, options: _Fields, state: _Fields) -> Optimizer:
    if "paramVariance" in state:
        cut.put_all(step=int(state.get("evalCounter", 0)))
        cut.put("sum", state.get("paramVariance"), "paramVariance")
    return Adagrad(
        cut.tensors,
        options.get("learningRate", 1e-3),
        lr_decay=options.get("learningRateDecay", 0),
        weight_decay=options.get("weightDecay", 0),
        eps=1e-10,
    )


def _adadelta(cut: _Cut, options: _Fields, state: _Fields) -> Optimizer:
    if "accDelta" in state:
        cut.put_all(step=int(state.get("evalCounter", 0)))
        cut.put("square_avg", state.get("paramVariance"), "paramVariance")
        cut.put("acc_delta", state.get("accDelta"), "accDelta")
    return Adadelta(
        cut.tensors,
        1.0,
        rho=options.get("rho", 0.9),
        eps=options.get("eps", 1e-6),
        weight_decay=options.get("weightDecay", 0),
    )


_MAKERS = {
    "sgd": _sgd,
    "nag": _nag,
    "adam": _adam,
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
}
