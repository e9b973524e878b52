"""What modules hand each other past the containers between them.

These are the states of modules that go on where they ended, which come in from outside and go
out, and the positions of maxima, which an unpooling module takes from its pooling module. Blocks
between have them as further inputs and outputs, behind their own.
"""

from __future__ import annotations

from typing import Any

from ..naming import root_place, walk
from ..rnn.abstract_sequencer import AbstractSequencer
from ..unpooling import MaxUnpooling
from .memory import remembering, states_of
from .plan import Expr, named_input


class Wires:
    """The wires of a model; each is known by the id of the module that fills it."""

    def __init__(self, model: Any) -> None:
        self._memories = remembering(model)
        self._readers: dict[int, set[int]] = {}
        inside = {id(place.value): place.value for place in walk(root_place(model))}
        sequencers = [m for m in inside.values() if isinstance(m, AbstractSequencer)]
        self._held = {id(p.value) for m in sequencers for p in walk(root_place(m))}
        for key, module in inside.items():
            if isinstance(module, MaxUnpooling) and id(module.pooling) in inside:
                self._readers.setdefault(id(module.pooling), set()).add(key)

    def read_in(self, module: Any) -> list[int]:
        """Return the wires that come into a module from outside."""
        inside = self._inside(module)
        memories = [key for key in inside if key in self._memories]
        wanted = [k for k, readers in self._readers.items() if readers & inside.keys()]
        return memories + [key for key in wanted if key not in inside]

    def filled_in(self, module: Any) -> list[int]:
        """Return the wires that leave a module."""
        inside = self._inside(module)
        memories = [key for key in inside if key in self._memories]
        filled = [k for k, readers in self._readers.items() if readers - inside.keys()]
        return memories + [key for key in filled if key in inside]

    def _inside(self, module: Any) -> dict[int, None]:
        if not self._memories and not self._readers:
            return {}
        return dict.fromkeys(id(place.value) for place in walk(root_place(module)))

    def is_read(self, pooling: Any) -> bool:
        """Whether an unpooling module takes the positions of a pooling module's maxima."""
        return id(pooling) in self._readers

    def inputs(self, key: int) -> tuple[Expr, ...]:
        """Return new inputs for what a wire carries."""
        if key in self._memories:
            return states_of(self._memories[key], key not in self._held)
        return named_input("indices", 4), named_input("unpooled", 4)

    def width(self, key: int) -> int:
        """Return how many values a wire carries."""
        return len(self.inputs(key))
