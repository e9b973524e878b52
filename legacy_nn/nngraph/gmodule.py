"""nn.gModule: a network that is a graph of modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any, Self

from rekindle.core.checkpoint import Table
from rekindle.core.checkpoint.registry import names_to_text

from ..branches import refill
from ..containers import Container, known
from ..conversion import Cache, recursive_type
from ..errors import tell_place
from ..going_back import Ask, Method, ask_gradient, ask_parameters
from ..module import (
    ArgumentError,
    InputTypeError,
    as_input,
    as_torch,
    both_protocols,
    torch_class,
)
from ..nesting import nested
from ..returning import of_input, shaped
from ..through_torch import call_through_torch, torch_only
from .build import check_used, nodes, split_inputs
from .graph import Graph, NnNode
from .plan import Outputs, Plan, Received, summed_before
from .program import Asked, Program

KEPT = ("input", "gradOutput", "gradOutputBuffer")
"""What a run leaves in the `data` of a node."""


@torch_class("nn.gModule")
class gModule(Container):
    """A graph of modules, each run when its inputs are there.

    Parameters
    ----------
    inputs, outputs : NnNode or sequence of NnNode
        Nodes made by calls such as `nn.Identity()()` and `nn.Linear(3, 4)(node)`.

    Attributes
    ----------
    forwardnodes : Table of NnNode
        The nodes in an order in which they can run.
    innode, outnode : NnNode
        The nodes whose inputs are those of the graph, and its outputs.
    nInputs : int
        Number of inputs; a single one is not in a table.
    modules : Table
        The modules of `forwardnodes`, in order.

    Source: torch/nngraph gmodule.lua.
    """

    __slots__ = ("_plan", "_steps")  # beside the fields, which are those of files

    fg: Graph
    bg: Graph
    forwardnodes: Table
    backwardnodes: Table
    innode: NnNode
    outnode: NnNode
    nInputs: int | None = None
    name: str | None = None

    def __init__(self, inputs: Any, outputs: Any) -> None:
        super().__init__()
        sources, results = nodes(inputs, "inputs"), nodes(outputs, "outputs")
        innode, outnode = NnNode({"input": Table()}), NnNode({"input": Table()})
        for node in results:
            outnode.connect(node)
        split_inputs(innode, sources)
        self.bg = outnode.graph()
        self.fg = self.bg.reverse()[0]
        roots = self.fg.roots()
        first = next((node for node in roots if node.data is innode.data), None)
        if first is None or len(roots) != 1:
            raise ArgumentError(
                f"a graph starts at its inputs; {len(roots)} nodes here have none, or the "
                "outputs do not depend on the inputs"
            )
        assert isinstance(first, NnNode)
        self.innode, self.outnode = first, outnode
        self.verbose = False
        self.nInputs = len(sources)
        self.forwardnodes = Table(self.fg.topsort())
        self.backwardnodes = Table(self.bg.topsort())
        check_used(self.forwardnodes.array())
        for node in self.forwardnodes.array():
            node.data["forwardNodeId"] = node.id
            if node.data.get("module") is not None:
                self.add(node.data.module)
        for name in ("output", "gradInput"):
            vars(self).pop(name, None)
        if len(outnode.children) > 1:
            self.output = outnode.data.input

    def upgrade(self, version: int) -> None:
        """List the modules, which files from before October 2015 do not."""
        nodes = vars(self).get("forwardnodes", Table()).array()
        for data in (vars(node).get("data") for node in nodes):
            if isinstance(data, Table):
                names_to_text(data)
        if "modules" not in vars(self):
            self.modules = Table([n.data.module for n in nodes if n.data.get("module") is not None])

    # -- forward ------------------------------------------------------------------------

    @both_protocols
    @nested
    def updateOutput(self, input: Any) -> Any:
        with as_torch():
            plan = self.plan()
            inputs = self._listed(as_input(input))
            outputs = self._program(plan).kept(inputs, self._where)
            plan.keep_inputs(outputs, inputs)
            results = self.outnode.data["input"]
            self.output = results[1] if plan.single else results
        return self.output

    def _outermost(self, input: Any) -> Any:
        program = self._program(self.plan())
        if program.writes() or torch_only(self):
            return super()._outermost(input)
        return self._run_fresh(program, input)

    def _fresh(self, input: Any) -> Any:
        if torch_only(self):
            return call_through_torch(self, input)
        return self._run_fresh(self._program(self.plan()), input)

    @nested
    def _run_fresh(self, program: Program, input: Any) -> Any:
        return program.plan.result(program.fresh(self._listed(input), self._where))

    def plan(self) -> Plan:
        """Return how the graph runs, looked up again where nodes have changed."""
        nodes = self.forwardnodes
        known = getattr(self, "_plan", None)
        if known is None or known[0] is not nodes or not known[1].holds():
            known = self._plan = nodes, Plan(nodes.array(), self.innode, self.outnode)
        plan: Plan = known[1]
        return plan

    def _program(self, plan: Plan) -> Program:
        """Return the steps of a plan, made again where modules have changed."""
        known: Program | None = getattr(self, "_steps", None)
        if known is None or known.plan is not plan or not known.holds():
            known = self._steps = Program(plan)
        return known

    # -- backward -----------------------------------------------------------------------

    def back(self, input: Any, gradOutput: Any, ask: Ask) -> Any:
        outputs, given = self._arrived(self._program(self.plan()), input, gradOutput)
        return of_input(self.plan().pull(outputs, given, ask, self._where), input)

    def visit(self, input: Any, gradOutput: Any, ask: Ask) -> None:
        outputs, given = self._arrived(self._program(self.plan()), input, gradOutput)
        self.plan().pull(outputs, given, ask, self._where, summed_before)

    def keep_gradient(self, input: Any, gradOutput: Any, result: Any) -> Any:
        """Return what arrived itself: tensors of the modules, or of the nodes that sum up."""
        return refill(self.gradInput, result) if isinstance(result, Table) else result

    def _arrived(self, program: Program, input: Any, gradOutput: Any) -> tuple[Outputs, Any]:
        """Return what the nodes computed last, and `gradOutput` in the shape of the result.

        Raises
        ------
        InputTypeError
            If there are not as many gradients as outputs.
        """
        count = len(self.outnode.children)
        if count > 1 and isinstance(gradOutput, Table) and len(gradOutput) != count:
            raise InputTypeError(
                f"Got {len(gradOutput)} gradOutputs instead of {count}: {self!r} takes one for "
                "each of its outputs"
            )
        outputs = program.left(self._listed(input), self._where)
        return outputs, shaped(self, program.plan.result(outputs), gradOutput)

    @nested
    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        """Ask all modules for the gradients of their inputs, then for those of parameters."""
        asked: list[Asked] = []
        program = self._program(self.plan())
        data = program.plan.data

        def ask(k: int, x: Any, g: Any) -> Any:
            module = data[k]["module"]
            asked.append((k, module, x, g))
            return ask_gradient(module, x, g)

        with as_torch():
            input, gradOutput = as_input(input), as_input(gradOutput)
            outputs, given = self._arrived(program, input, gradOutput)
            found = program.pull(outputs, given, ask, self._where, asked)
            result = of_input(found, input)
            self.gradInput = self.keep_gradient(input, gradOutput, result)
            for k, module, x, g in asked:
                try:
                    ask_parameters(module, x, g, scale)
                except Exception as error:
                    tell_place(error, self._where(k))
                    raise
        return self.gradInput

    def _asking(self, method: Method) -> Ask:
        """Return `method` for the module of node k, from 0."""
        data = self.plan().data
        return lambda k, x, g: method(known(data[k]["module"]), x, g)

    # -- what the nodes keep ------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone: a copy has other nodes, and finds out itself how they run."""
        return vars(self)

    def _data(self) -> Iterator[Table]:
        """Yield the `data` of all nodes, of the graph and of its way back."""
        for listed in (self.forwardnodes, vars(self).get("backwardnodes", Table())):
            for node in listed.array():
                yield node.data

    @nested
    def convert_fields(self, typename: str, cache: Cache) -> None:
        super().convert_fields(typename, cache)
        for data in self._data():
            for name in KEPT:
                if (kept := data.get(name)) is not None:
                    data[name] = recursive_type(kept, typename, cache)

    @nested
    def clearState(self) -> Self:
        """Empty what the last calls left, in the modules and at the nodes; return the graph."""
        for data in self._data():
            for name in KEPT:
                data[name] = None
        return super().clearState()

    @nested
    def replace(self, callback: Callable[[Any], Any]) -> Any:
        """Return what `callback` makes of the graph; put the same in place of its modules."""
        result = callback(self)
        places = {id(module): i for i, module in enumerate(self.modules.array(), 1)}
        for node in self.forwardnodes.array():
            if (module := node.data.get("module")) is not None:
                node.data["module"] = known(module).replace(callback)
                self.modules[places[id(module)]] = node.data.module
        return result

    def map(self, gm: Any, func: Callable[[Any, Any], Any]) -> None:
        """Call `func` on each module and the one at its place in a graph like this one.

        Raises
        ------
        ArgumentError
            If the graphs differ.
        """
        pairs = zip_longest(self.forwardnodes.array(), gm.forwardnodes.array())
        modules = [tuple(node and node.data.get("module") for node in pair) for pair in pairs]
        if any((a is None) != (b is None) for a, b in modules):
            raise ArgumentError("trying to map another gModule with a different structure")
        for a, b in modules:
            if a is not None:
                func(a, b)

    def _listed(self, input: Any) -> Received:
        """Return the inputs of the graph by position.

        Raises
        ------
        InputTypeError
            If they are not as many as the graph has.
        """
        count = len(self.innode.children) if self.nInputs is None else self.nInputs
        if count <= 1:
            return {1: input}
        if not isinstance(input, Table):
            raise InputTypeError(
                f"expecting table of {count} inputs: {self!r} is given {type(input).__name__}"
            )
        if len(input) != count:
            raise InputTypeError(
                f"Got {len(input)} inputs instead of {count}: {self!r} takes a table of them"
            )
        return dict(enumerate(input.array(), 1))

    def __repr__(self) -> str:
        return self.name or self.t7_typename

    def _where(self, k: int) -> str:
        """Return which node it is, in the words that its makers gave it."""
        annotations = self.forwardnodes[k + 1].data.get("annotations")
        label = None
        if isinstance(annotations, Table):
            label = annotations.get("name") or annotations.get("_debugLabel")
        return f"in forwardnodes[{k + 1}] of {self!r}" + (f" ({label})" if label else "")
