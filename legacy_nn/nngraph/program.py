"""How a graph runs quickly: a list of steps, made once and run one after the other.

Steps are functions of values (see steps.py); nodes whose modules have none, and values that a
step does not take, go the way of plan.py.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from operator import attrgetter
from typing import Any

from rekindle.core.autograd.modes import MODE
from rekindle.core.checkpoint.table import as_key, new_table

from ..containers import run_fresh, run_torch, writes
from ..errors import tell_place
from ..going_back import Ask
from ..returning import added
from ..shape import Reshape, View
from ..state import CHANGES
from ..table import SplitTable
from ..torch7.types import dtype_of
from .owed import Owing
from .plan import Outputs, Plan, Received, check_split, summed
from .pulls import PULLS, Pull, has_parameters
from .renewals import RENEWALS, Renewal
from .steps import PLAIN, Step, cuts, is_plain, selection, takes_cuts, unchanged, untouched

Line = tuple[int, Renewal | None, int, int | None, Any, Any]
"""A node, what renews its module's output, where its one or two inputs come from, the module, and
into how many parts the result is split."""

Short = tuple[int, Step | None, int, int | None, Any, list[int]]
"""The same for fresh outputs: a node, its step, its one or two inputs, into how many parts the
result is split, and the nodes whose results nobody asks for after it."""

LineBack = tuple[int, Pull | None, Any, tuple[int, ...], list[tuple[int, int]], Any, bool]
"""The same going back: a node, its rule, the module, its inputs, for each input the node and which
gradient is for it, the key of a node that picks, and whether the module has parameters."""

Asked = tuple[int, Any, Any, Any]
"""The number of a node, its module, what that was given, and the gradient of its output."""

_inplace = attrgetter("inplace")
_type = attrgetter("_type")
_fields = attrgetter("__dict__")


class Program:
    """The steps of a graph whose modules are what they were when it was made.

    Parameters
    ----------
    plan : Plan

    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._seen = CHANGES[0]
        self._entries = [data._map for data in plan.data]
        self._modules = [entries.get("module") for entries in self._entries]
        self._users = Counter(source for sources in plan.sources for source, _ in sources)
        steps = [self._step(k) for k in range(len(self._modules))]
        both = [(m, s) for m, s in zip(self._modules, steps, strict=True) if m is not None]
        self._plain = [module for module, step in both if step is not None]
        self._others = [module for module, step in both if step is None]
        self._types = [type(module) for module in self._plain]
        self._typenames = [module._type for module in self._plain]
        self._classes = {*self._types}
        self._lines = [self._line(k, step) for k, step in enumerate(steps)]
        self._short = [
            self._shortened(k, step)
            for k, step in enumerate(self._with_cuts(steps))
            if k != plan.last or step is not None or self._modules[k] is not None
        ]
        back = [
            self._line_back(k, step) for k, step in reversed([*enumerate(steps)]) if k != plan.first
        ]
        self._back = self._owing(back)

    def __reduce__(self) -> Any:
        return _none, ()  # copies of a graph, and pickles of it, make theirs anew

    def _line(self, k: int, step: Step | None) -> Line:
        module = self._modules[k]
        renew = step
        if step is not None and module is not None:
            renew = RENEWALS[type(module)](module, dtype_of(module._type))
        return k, renew, *self._one_or_two(k, step), module, self._parts(k)

    def _shortened(self, k: int, step: Step | None) -> Short:
        return k, step, *self._one_or_two(k, step), self._parts(k), self.plan.last_used[k]

    def _with_cuts(self, steps: list[Step | None]) -> list[Step | None]:
        """Return the steps with those of pairs in the places of Reshape or View, and SplitTable."""
        found, users = [*steps], self._users
        for k, (step, module) in enumerate(zip(steps, self._modules, strict=True)):
            if step is None or type(module) is not SplitTable:
                continue
            (source,) = self.plan.places[k]
            before, reshape = steps[source], self._modules[source]
            if before is not None and type(reshape) in (Reshape, View) and users[source] == 1:
                found[source], found[k] = cuts(reshape, before), takes_cuts(module, step)
        return found

    def _one_or_two(self, k: int, step: Step | None) -> tuple[int, int | None]:
        """Return where the inputs of a step come from."""
        first, second = (*self.plan.places[k], None, None)[:2] if step is not None else (k, None)
        assert first is not None  # a step has an input
        return first, second

    def _parts(self, k: int) -> Any:
        entries = self._entries[k]
        return None if "selectindex" in entries else entries.get("nSplitOutputs")

    def _line_back(self, k: int, step: Step | None) -> LineBack:
        module, sources = self._modules[k], self.plan.sources[k]
        rule = None if step is None else PULLS.get(type(module))
        key = None
        if step is not None and module is None:
            key = as_key(self._entries[k]["selectindex"])
        adds = rule is not None and has_parameters(module)
        return k, rule, module, self.plan.places[k], [(s, p - 1) for s, p in sources], key, adds

    def _owing(self, lines: list[LineBack]) -> list[LineBack]:
        """Return the lines with the rules of owed.py for those that these are for."""
        users = self._users
        for end in range(2, len(lines) + 1):
            for start in (end - 2, end - 3):
                part = lines[max(start, 0) : end]
                if any(line[1] is None for line in part) or any(
                    [source for source, _ in line[4]] != [after[0]] or users[after[0]] != 1
                    for line, after in pairwise(part)
                ):
                    continue
                modules = [line[2] for line in part]
                rules = Owing.of(modules, [self._modules[k] for k in part[-1][3]])
                if rules is not None:
                    for place, rule in ((start, rules.pull_split), (end - 1, rules.pull_sum)):
                        lines[place] = (lines[place][0], rule, *lines[place][2:])
        return lines

    def _step(self, k: int) -> Step | None:
        sources, entries, module = self.plan.sources[k], self._entries[k], self._modules[k]
        positions = sorted(position for _, position in sources)
        if positions != [*range(1, len(sources) + 1)]:
            return None
        if module is None:
            alone = len(sources) == 1 and k != self.plan.first and "selectindex" in entries
            return selection(entries["selectindex"]) if alone else None
        if not is_plain(module) or not unchanged({type(module)}) or "selectindex" in entries:
            return None
        plain = PLAIN[type(module)]
        return plain.make(module, dtype_of(module._type)) if len(sources) == plain.inputs else None

    def holds(self) -> bool:
        """Whether the modules are still the same, of the same types, with the same methods."""
        if [entries.get("module") for entries in self._entries] != self._modules:
            return False
        if self._seen != CHANGES[0]:
            if not (
                [*map(type, self._plain)] == self._types
                and [*map(_type, self._plain)] == self._typenames
                and all(map(untouched, map(_fields, self._plain)))
            ):
                return False
            self._seen = CHANGES[0]
        return unchanged(self._classes)

    def writes(self) -> bool:
        """Whether a module writes, or may write, into its input."""
        return any(map(_inplace, self._plain)) or any(map(writes, self._others))

    def fresh(self, inputs: Received, where: Any) -> Outputs:
        """Return the outputs in fresh tensors; those of inner nodes are dropped once used."""
        outputs: Outputs = [None] * len(self._modules)
        k = 0
        try:
            for k, step, first, second, parts, free in self._short:
                value: Any = NotImplemented
                if step is not None:
                    x = outputs[first]
                    value = step(x) if second is None else step(x, outputs[second])
                if value is NotImplemented:
                    value = self.plan.computed(inputs, outputs, k, run_fresh)
                elif parts is not None:
                    check_split(value, parts)
                outputs[k] = value
                value = x = None
                for i in free:
                    outputs[i] = None
        except Exception as error:
            tell_place(error, where(k))
            raise
        return outputs

    def kept(self, inputs: Received, where: Any) -> Outputs:
        """Return what all modules computed, which is in their fields `output` too."""
        outputs: Outputs = [None] * len(self._modules)
        plain = not MODE.get().watched
        k = 0
        try:
            for k, renew, first, second, _, parts in self._lines:
                value: Any = NotImplemented
                if renew is not None and plain:
                    x = outputs[first]
                    value = renew(x) if second is None else renew(x, outputs[second])
                if value is NotImplemented:
                    value = self.plan.computed(inputs, outputs, k, run_torch)
                elif parts is not None:
                    check_split(value, parts)
                outputs[k] = value
        except Exception as error:
            tell_place(error, where(k))
            raise
        return outputs

    def pull(
        self, outputs: Outputs, gradOutput: Any, ask: Ask, where: Any, later: list[Asked]
    ) -> Any:
        """Do what the plan's `pull` does, with rules where nodes have them.

        Parameters
        ----------
        outputs, gradOutput, ask, where
            As there.
        later : list
            Takes the number, module, input and gradOutput of modules with parameters for which
            `ask` was not called.
        """
        arrived: list[Any] = [None] * len(self._modules)
        arrived[self.plan.last] = gradOutput
        plain = not MODE.get().watched
        own: set[int] = set()  # where what arrived is a table made here
        for k, rule, module, places, sources, key, adds in self._back:
            g = arrived[k]
            if g is None:
                continue
            if key is not None:
                source = places[0]
                before = arrived[source]
                if source in own and key not in before._map:
                    before._map[key] = g
                else:
                    if before is None:
                        own.add(source)
                    else:
                        own.discard(source)
                    arrived[source] = added(before, new_table({key: g}))
                continue
            if rule is not None and plain:
                found = rule(module, g, *[outputs[i] for i in places])
                if found is not NotImplemented:
                    if adds:
                        later.append((k, module, outputs[places[0]], g))
                    for source, i in sources:
                        part, before = found[i], arrived[source]
                        if before is not None:
                            part = summed(self._entries[source], before, part)
                        arrived[source] = part
                    continue
            self.plan.pull_node(k, g, outputs, arrived, ask, where, summed)
        return arrived[self.plan.first]

    def left(self, inputs: Received, where: Any) -> Outputs:
        """Return what all nodes computed last, from the fields `output` of their modules."""
        outputs: Outputs = [None] * len(self._modules)
        k = 0
        try:
            for k, renew, first, _, module, parts in self._lines:
                value: Any = NotImplemented
                if renew is not None:
                    value = renew(outputs[first]) if module is None else module.output
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
