"""Torch7's library as tables of functions by their Lua names.

`METHODS` of tensors, `STORAGE_METHODS`, and `FUNCTIONS` of the package torch; see `functions`.
"""

from __future__ import annotations

from typing import Any

from rekindle.core.checkpoint.torch_types import TENSOR_CLASSES, tensor_class
from rekindle.core.tensor import Tensor

# each module fills the tables when it is imported
from . import alias as alias
from . import blas as blas
from . import comparison as comparison
from . import creation as creation
from . import elementary as elementary
from . import elements as elements
from . import indexing as indexing
from . import lapack as lapack
from . import pointwise as pointwise
from . import printing as printing
from . import random, types
from . import reduction as reduction
from . import resizing as resizing
from . import shape as shape
from . import signal as signal
from . import sizes as sizes
from . import sorting as sorting
from . import views as views
from .creation import construct as construct
from .errors import TorchError
from .functions import FUNCTIONS as FUNCTIONS
from .functions import METHODS as METHODS
from .functions import methods_of as methods_of
from .generator import Generator
from .storage import STORAGE_METHODS as STORAGE_METHODS
from .storage import construct_storage as construct_storage


def set_default_tensor_type(name: str) -> None:
    """Make another type `torch.Tensor`.

    Raises
    ------
    TorchError
        If it is no floating tensor type.
    """
    if name not in TENSOR_CLASSES:
        raise TorchError(f"cannot use {name}: it is no tensor type")
    types.set_default_dtype(TENSOR_CLASSES[name])


def get_default_tensor_type() -> str:
    """Return the name of the type that `torch.Tensor` is."""
    return tensor_class(types.default_dtype())


def _of(args: tuple[Any, ...]) -> tuple[Generator, tuple[Any, ...]]:
    if args and isinstance(args[0], Generator):
        return args[0], args[1:]
    return random.default, args


def manual_seed(*args: Any) -> None:
    """Start the stream that belongs to a seed."""
    generator, rest = _of(args)
    generator.manual_seed(rest[0])


def seed(*args: Any) -> int:
    """Start a stream that nobody can foresee; return its seed."""
    return _of(args)[0].seed()


def initial_seed(*args: Any) -> int:
    """Return the seed of the current stream."""
    return _of(args)[0].initial_seed()


def get_rng_state(*args: Any) -> Tensor:
    """Return the state of the generator as a ByteTensor."""
    return Tensor(_of(args)[0].get_state())


def set_rng_state(*args: Any) -> None:
    """Continue from a state that `get_rng_state` returned."""
    generator, rest = _of(args)
    generator.set_state(rest[0].numpy())


FUNCTIONS.update(
    {
        "setdefaulttensortype": set_default_tensor_type,
        "getdefaulttensortype": get_default_tensor_type,
        "manualSeed": manual_seed,
        "seed": seed,
        "initialSeed": initial_seed,
        "getRNGState": get_rng_state,
        "setRNGState": set_rng_state,
    }
)
