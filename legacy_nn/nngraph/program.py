"""How a graph runs quickly: a list of steps, made once and run one after the other.

Steps are functions of values (see steps.py); nodes whose modules have none, and values that a
step does not take, go the way of plan.py.
"""

from __future__ import annotations

from typing import Any

from ..containers import run_fresh, run_torch
from ..errors import tell_place
from ..torch7.types import dtype_of
from .plan import Outputs, Plan, Received, check_split
from .pulls import PULLS, Pull
from .steps import PLAIN, Keep, Step, is_plain, selection, unchanged

Line = tuple[int, tuple[int, ...], Step | None, Keep | None, Any, Any, list[int]]
"""A node, where its inputs come from, its step, how its module keeps the result, the module,
into how many parts the result is split, and the nodes whose results nobody asks for after it."""


class Program:
    """The steps of a graph whose modules are what they were when it was made.

    Parameters
    ----------
    plan : Plan

    Attributes
    ----------
    pulls : list of callable or None
        The rule for the gradients of each node, where it has one.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        entries = [data._map for data in plan.data]
        self._nodes = [(e, e.get("module")) for e in entries]
        steps = [self._step(k, module) for k, (_, module) in enumerate(self._nodes)]
        self._plain = [
            (module, type(module), module._type)
            for (_, module), step in zip(self._nodes, steps, strict=True)
            if module is not None and step is not None
        ]
        self.pulls: list[Pull | None] = [
            None if step is None else PULLS.get(type(module))
            for (_, module), step in zip(self._nodes, steps, strict=True)
        ]
        self._classes = {cls for _, cls, _ in self._plain}
        self._lines: list[Line] = [
            (
                k,
                plan.places[k],
                step,
                None if module is None or step is None else PLAIN[type(module)].keep,
                module,
                None if "selectindex" in entries[k] else entries[k].get("nSplitOutputs"),
                plan.last_used[k],
            )
            for k, (step, (_, module)) in enumerate(zip(steps, self._nodes, strict=True))
        ]

    def __reduce__(self) -> Any:
        return _none, ()  # copies of a graph, and pickles of it, make theirs anew

    def _step(self, k: int, module: Any) -> Step | None:
        sources, entries = self.plan.sources[k], self.plan.data[k]._map
        positions = sorted(position for _, position in sources)
        if positions != [*range(1, len(sources) + 1)]:
            return None
        if module is None:
            alone = len(sources) == 1 and k != self.plan.first and "selectindex" in entries
            return selection(entries["selectindex"]) if alone else None
        if not is_plain(module) or "selectindex" in entries:
            return None
        plain = PLAIN[type(module)]
        return plain.make(module, dtype_of(module._type)) if len(sources) == plain.inputs else None

    def holds(self) -> bool:
        """Whether the modules are still the same, of the same types, with the same methods."""
        if not unchanged(self._classes):
            return False
        for entries, module in self._nodes:
            if entries.get("module") is not module:
                return False
        for module, cls, typename in self._plain:
            if type(module) is not cls or module._type != typename or not is_plain(module):
                return False
        return True

    def fresh(self, inputs: Received, where: Any) -> Outputs:
        """Return the outputs in fresh tensors; those of inner nodes are dropped once used."""
        outputs: Outputs = [None] * len(self._lines)
        k = 0
        try:
            for k, places, step, _, _, parts, free in self._lines:
                value: Any = NotImplemented
                if step is not None:
                    value = step(*[outputs[i] for i in places])
                if value is NotImplemented:
                    value = self.plan.computed(inputs, outputs, k, run_fresh)
                elif parts is not None:
                    check_split(value, parts)
                outputs[k] = value
                value = None
                for i in free:
                    outputs[i] = None
        except Exception as error:
            tell_place(error, where(k))
            raise
        return outputs

    def kept(self, inputs: Received, where: Any) -> Outputs:
        """Return what all modules computed, which is in their fields `output` too."""
        outputs: Outputs = [None] * len(self._lines)
        k = 0
        try:
            for k, places, step, keep, module, parts, _ in self._lines:
                value: Any = NotImplemented
                if step is not None:
                    value = step(*[outputs[i] for i in places])
                if value is NotImplemented:
                    value = self.plan.computed(inputs, outputs, k, run_torch)
                else:
                    if keep is not None:
                        value = keep(module, outputs[places[0]], value)
                    if parts is not None:
                        check_split(value, parts)
                outputs[k] = value
        except Exception as error:
            tell_place(error, where(k))
            raise
        return outputs

    def left(self, inputs: Received, where: Any) -> Outputs:
        """Return what all nodes computed last, from the fields `output` of their modules."""
        outputs: Outputs = [None] * len(self._lines)
        k = 0
        try:
            for k, places, step, _, module, parts, _ in self._lines:
                value: Any = NotImplemented
                if step is not None:
                    value = step(outputs[places[0]]) if module is None else module.output
                if value is NotImplemented:
                    value = self.plan.computed(inputs, outputs, k, _output)
                elif parts is not None:
                    check_split(value, parts)
                outputs[k] = value
        except Exception as error:
            tell_place(error, where(k))
            raise
        return outputs


def _output(module: Any, input: Any) -> Any:
    return module.output


def _none() -> None:
    return None
