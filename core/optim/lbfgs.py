"""L-BFGS: Newton's method with an estimate of curvature from the last steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import backend
from ..autograd import enable_grad
from ..autograd.versions import count_write
from ..tensor import Tensor
from .line_search import Point, strong_wolfe
from .optimizer import Closure, Optimizer, OptimizerError


class LBFGS(Optimizer):
    """Limited-memory BFGS.

    Parameters
    ----------
    params : iterable of Tensor
        One group.
    lr : float
        Length of the step, or of the first one that the line search tries.
    max_iter : int
        Iterations in one `step`.
    max_eval : int, optional
        Computations of the loss in one `step`; by default 1.25 `max_iter`.
    tolerance_grad, tolerance_change : float
        Stop where no element of the gradient, or of a step, is larger.
    history_size : int
        How many steps the estimate keeps.
    line_search_fn : {None, "strong_wolfe"}

    Source: Nocedal and Wright, Numerical optimization, 2006, algorithm 7.4; torch/optim lbfgs.lua.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) != 1:
            raise OptimizerError("LBFGS takes one group of parameters")
        if line_search_fn not in (None, "strong_wolfe"):
            raise OptimizerError(
                f"line_search_fn is None or 'strong_wolfe'; given {line_search_fn!r}"
            )

    # -- all parameters as one vector -----------------------------------------------------

    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def _gradient(self) -> Any:
        parts = [(p.array * 0 if p.grad is None else p.grad.array) for p in self._params()]
        return backend.namespace(parts[0]).concatenate([part.reshape(-1) for part in parts])

    def _place(self) -> list[Any]:
        return [p.array.copy() for p in self._params()]

    def _move(self, origin: list[Any], t: float, direction: Any) -> None:
        start = 0
        for p, value in zip(self._params(), origin, strict=True):
            part = direction[start : start + p.size].reshape(p.shape)
            p.array[...] = value + t * part
            count_write(p._version, "LBFGS.step")
            start += p.size

    # -- the algorithm ------------------------------------------------------------------------

    def step(self, closure: Closure | None = None) -> Any:
        """Run up to `max_iter` iterations.

        Parameters
        ----------
        closure : callable
            Computes the loss and its gradients anew, and returns the loss.

        Returns
        -------
        Any
            The loss before the step.

        Raises
        ------
        OptimizerError
            Without a closure.
        """
        if closure is None:
            raise OptimizerError("LBFGS computes the loss several times: it needs a closure")
        group = self.param_groups[0]
        state = self.state.setdefault(self._params()[0], {})

        def loss_and_gradient() -> tuple[float, Any]:
            with enable_grad():
                value = float(closure())
            return value, self._gradient()

        with enable_grad():
            first = closure()
        loss, g = float(first), self._gradient()
        evaluations = 1
        state["func_evals"] = state.get("func_evals", 0) + 1
        if float(abs(g).max()) <= group["tolerance_grad"]:
            return first
        iterations = 0
        while iterations < group["max_iter"]:
            iterations += 1
            state["n_iter"] = state.get("n_iter", 0) + 1
            direction = self._direction(state, g, group["history_size"])
            state["prev_flat_grad"], previous_loss = g.copy(), loss
            scale = min(1.0, 1.0 / float(abs(g).sum())) if state["n_iter"] == 1 else 1.0
            t = scale * group["lr"]
            slope = float(g @ direction)
            if slope > -group["tolerance_change"]:
                break
            count = 0
            origin = self._place()
            if group["line_search_fn"] == "strong_wolfe":

                def evaluate(t: float, d: Any = direction, o: list[Any] = origin) -> Point:
                    self._move(o, t, d)
                    value, gradient = loss_and_gradient()
                    return Point(t, value, gradient, float(gradient @ d))

                largest = float(abs(direction).max())
                start = Point(0.0, loss, g, slope)
                found, count = strong_wolfe(evaluate, start, t, largest)
                t, loss, g = found.t, found.f, found.g
                self._move(origin, t, direction)
            else:
                self._move(origin, t, direction)
                if iterations != group["max_iter"]:
                    loss, g = loss_and_gradient()
                    count = 1
            state["d"], state["t"] = direction, t
            evaluations += count
            state["func_evals"] += count
            if (
                evaluations >= group["max_eval"]
                or float(abs(g).max()) <= group["tolerance_grad"]
                or float(abs(direction * t).max()) <= group["tolerance_change"]
                or abs(loss - previous_loss) < group["tolerance_change"]
            ):
                break
        return first

    def _direction(self, state: dict[str, Any], g: Any, history: int) -> Any:
        """Return the step that the estimate of curvature suggests, and update the estimate."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g
        y = g - state["prev_flat_grad"]
        s = state["d"] * state["t"]
        curvature = float(y @ s)
        steps, changes, inverse = state["old_stps"], state["old_dirs"], state["ro"]
        if curvature > 1e-10:
            if len(changes) == history:
                for kept in (steps, changes, inverse):
                    kept.pop(0)
            changes.append(y)
            steps.append(s)
            inverse.append(1.0 / curvature)
            state["H_diag"] = curvature / float(y @ y)
        q = -g
        weights = []
        for s, y, r in zip(reversed(steps), reversed(changes), reversed(inverse), strict=True):
            weights.append(r * float(s @ q))
            q = q - weights[-1] * y
        d = q * state["H_diag"]
        for s, y, r, a in zip(steps, changes, inverse, reversed(weights), strict=True):
            d = d + s * (a - r * float(y @ d))
        return d
