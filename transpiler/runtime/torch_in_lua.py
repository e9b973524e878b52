"""Functions of the package torch that Torch7 writes in Lua.

Source: torch7 init.lua.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rekindle.legacy_nn.lualib import Table, length, take
from rekindle.legacy_nn.torch7 import api

from .tensors import tensor_method


def multinomial_alias_setup(probabilities: Any, state: Any = None) -> Table:
    """Return what `torch.multinomialAlias` draws with; a state that is given is used again."""
    kept = (state[1], state[2]) if length(state or ()) else ()
    made = api.FUNCTIONS["multinomialAliasSetup_"](probabilities, *kept)
    return Table([*take(made, 2)])


def multinomial_alias(output: Any, state: Table) -> Any:
    """Fill a LongTensor with numbers drawn by a state."""
    tensor_method(state[2], "multinomialAlias_")(output, state[1], state[2])
    return output


def include(package: str, file: str) -> None:
    """Run a file of a package."""
    from .loading import include_of  # which loads this package

    include_of(package, file)


IN_LUA: dict[str, Callable[..., Any]] = {
    "multinomialAliasSetup": multinomial_alias_setup,
    "multinomialAlias": multinomial_alias,
    "include": include,
}
