"""Hooks: functions of the user that see what goes into modules and comes out of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

from ..autograd import Context, Function
from ..tensor import Tensor
from .errors import ModuleError

Kind = Literal["before", "after", "backward before", "backward"]


@dataclass(frozen=True, slots=True)
class Hook:
    """A registered function, when it is called, and whether with keyword arguments."""

    kind: Kind
    function: Callable[..., Any]
    with_kwargs: bool = False


class RemovableHandle:
    """A registered hook: `remove()`, or the end of a `with` block, unregisters it."""

    def __init__(self, hooks: dict[int, Hook], hook: Hook, first: bool) -> None:
        self._hooks = hooks
        self._key = max(hooks, default=-1) + 1
        others = list(hooks.items())
        if first:
            hooks.clear()
        hooks[self._key] = hook
        hooks.update(others)

    def remove(self) -> None:
        """Stop calling the hook; nothing happens if it was removed before."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Hooks:
    """The part of Module that is called, and calls hooks."""

    _hooks: dict[int, Hook]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute what the module is for; each class says what.

        Raises
        ------
        ModuleError
            If the class does not.
        """
        raise ModuleError(f"{type(self).__name__} defines no forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what `forward` does, after and before the hooks that are registered."""
        if not self._hooks:
            return self.forward(*args, **kwargs)
        hooks = list(self._hooks.values())
        for hook in hooks:
            if hook.kind == "before":
                args, kwargs = self._prepared(hook, args, kwargs)
        if not any(hook.kind.startswith("backward") for hook in hooks):
            result = self.forward(*args, **kwargs)
        else:
            seen = _Seen(self, hooks)
            args = seen.entering(args)
            result = seen.leaving(self.forward(*args, **kwargs))
        for hook in hooks:
            if hook.kind == "after":
                given = (args, kwargs, result) if hook.with_kwargs else (args, result)
                replaced = hook.function(self, *given)
                result = result if replaced is None else replaced
        return result

    def _prepared(
        self, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if not hook.with_kwargs:
            replaced = hook.function(self, args)
            if replaced is None:
                return args, kwargs
            return replaced if isinstance(replaced, tuple) else (replaced,), kwargs
        replaced = hook.function(self, args, kwargs)
        if replaced is None:
            return args, kwargs
        if not (isinstance(replaced, tuple) and len(replaced) == 2):
            raise ModuleError(
                "a forward pre-hook with kwargs returns None or (args, kwargs); given "
                f"{type(replaced).__name__}"
            )
        return replaced

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; what it returns replaces `args`.

        Parameters
        ----------
        hook : callable
            Returns None, or one argument, or a tuple of arguments.
        prepend : bool
            Whether it is called before the hooks that are there, instead of after.
        with_kwargs : bool
            Call `hook(module, args, kwargs)`, which returns None or `(args, kwargs)`.
        """
        return RemovableHandle(self._hooks, Hook("before", hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after every forward; it may replace the output.

        Parameters
        ----------
        hook : callable
            Returns None, or the output.
        prepend : bool
            Whether it is called before the hooks that are there, instead of after.
        with_kwargs : bool
            Call `hook(module, args, kwargs, output)`.
        """
        return RemovableHandle(self._hooks, Hook("after", hook, with_kwargs), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the gradients of the outputs are known.

        It returns None, or a tuple in the place of `grad_output`.
        """
        return RemovableHandle(self._hooks, Hook("backward before", hook), prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the module's gradients are known.

        Both are tuples with one entry for each positional argument and each output, None
        where it is no tensor with a gradient. The hook returns None, or a tuple in the place
        of `grad_input`. Where no argument has a gradient it is called with Nones, once the
        gradients of the outputs are known.
        """
        return RemovableHandle(self._hooks, Hook("backward", hook), prepend)


def is_plain(module: Hooks) -> bool:
    """Whether a call of a module is a call of its class's `forward`, and nothing more."""
    return not module._hooks and "forward" not in module.__dict__


class _Seen:
    """One call of a module whose gradients are watched: where they enter, where they leave."""

    def __init__(self, module: Any, hooks: list[Hook]) -> None:
        self.module = module
        self.hooks = hooks
        self.places: list[int] = []
        self.count = 0
        self.gradient: tuple[Tensor | None, ...] = ()

    def entering(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.count = len(args)
        self.places, replaced = _watched(args, self._after)
        return replaced

    def leaving(self, result: Any) -> Any:
        several = isinstance(result, tuple)
        outputs = result if several else (result,)
        places: list[int] = []

        def before(gradients: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
            full: tuple[Tensor | None, ...] = _spread(places, gradients, len(outputs))
            for hook in self.hooks:
                if hook.kind == "backward before":
                    full = _replaced(full, hook.function(self.module, full))
            self.gradient = full
            if not self.places:
                self._after(())
            return tuple(full[i] for i in places)

        found, watched = _watched(outputs, before)
        places += found
        return watched if several else watched[0]

    def _after(self, gradients: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        full = _spread(self.places, gradients, self.count)
        for hook in self.hooks:
            if hook.kind == "backward":
                full = _replaced(full, hook.function(self.module, full, self.gradient))
        return tuple(full[i] for i in self.places)


def _watched(
    values: tuple[Any, ...], see: Callable[[tuple[Tensor | None, ...]], Any]
) -> tuple[list[int], tuple[Any, ...]]:
    """Return the tensors that have gradients behind a step that shows `see` their gradients."""
    places = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if not places:
        return places, values
    through = iter(_Watch.apply(see, *(values[i] for i in places)))
    return places, tuple(next(through) if i in places else v for i, v in enumerate(values))


def _spread(
    places: list[int], gradients: tuple[Tensor | None, ...], count: int
) -> tuple[Tensor | None, ...]:
    found = dict(zip(places, gradients, strict=True))
    return tuple(found.get(i) for i in range(count))


def _replaced(gradients: tuple[Any, ...], returned: Any) -> tuple[Any, ...]:
    if returned is None:
        return gradients
    values = returned if isinstance(returned, tuple) else (returned,)
    if len(values) != len(gradients):
        raise ModuleError(
            f"a backward hook returned {len(values)} gradients in the place of {len(gradients)}"
        )
    return values


class _Watch(Function):
    """Lets tensors pass, and shows their gradients to a function that may replace them."""

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        ctx.see, *tensors = args  # type: ignore[attr-defined]  # contexts take any attribute
        return tuple(t.detach() for t in tensors)

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        return None, *ctx.see(gradients)  # type: ignore[attr-defined]
