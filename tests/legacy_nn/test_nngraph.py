"""Graphs of modules: as files have them, old and new, and as they run. See also test_models."""

import copy
import pickle

import numpy as np
import pytest
from recorded import FIXTURES, assert_close

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table, TorchObject
from rekindle.core.creation import tensor
from rekindle.legacy_nn import Identity, ReLU, SplitTable, Tanh, gModule
from rekindle.legacy_nn.module import InputTypeError, ModuleError
from rekindle.legacy_nn.nngraph import Edge, Graph, JustElement, JustTable, NnNode

MODELS = FIXTURES / "models"


def load(name):
    record = checkpoint.load(MODELS / f"{name}.t7")
    return record.model.evaluate(), record


def doubles(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape))


# -- graphs from files --------------------------------------------------------------------


def test_nodes_of_the_graphs_share_their_data():
    model, _ = load("nngraph_split_minus")
    assert isinstance(model.fg, Graph)
    nodes, edges = model.fg.nodes.array(), model.fg.edges.array()
    assert all(type(node) is NnNode for node in nodes)
    assert all(type(edge) is Edge for edge in edges)
    assert [node.id for node in nodes] == list(range(1, len(nodes) + 1))
    assert all(model.fg.nodes[node] == node.id for node in nodes)
    forward = {id(node.data) for node in model.forwardnodes.array()}
    assert forward == {id(node.data) for node in model.backwardnodes.array()}
    assert id(model.outnode.data) in forward


@pytest.mark.parametrize("name", ["nngraph_nested", "nngraph_split_minus", "charrnn_gru_2layer"])
def test_files_before_2015_list_neither_modules_nor_the_number_of_inputs(name):
    model, record = load(name)
    modules = model.modules.array()
    for _, module in list(model.named_modules()):
        if isinstance(module, gModule):
            del module.modules, module.nInputs
    old = checkpoint.loads(checkpoint.dumps(model))
    assert [repr(m) for m in old.modules.array()] == [repr(m) for m in modules]
    assert_close(old(record.input), record.output, name)


def test_a_graph_round_trips():
    model, record = load("nngraph_nested")
    model.updateOutput(record.input)
    again = checkpoint.loads(checkpoint.dumps(model))
    assert vars(again).keys() == vars(model).keys()
    assert_close(again(record.input), record.output, "after a round trip")
    kept = again.outnode.data["input"]
    assert_close(kept[1], record.output, "the inputs of nodes are kept in the file")


def test_a_graph_is_called_by_its_name():
    model, _ = load("nngraph_nested")
    assert repr(model) == "nn.gModule"
    model.name = "encoder"
    assert repr(model) == "encoder"


# -- what a run leaves behind -------------------------------------------------------------


def test_torchs_protocol_keeps_the_inputs_of_nodes_and_the_output_table():
    model, record = load("charrnn_lstm_2layer")
    output = model.updateOutput(record.input)
    assert output is model.outnode.data["input"]
    assert model.updateOutput(record.input) is output
    assert model.innode.data["input"][1] is record.input[1]


def test_the_frameworks_protocol_leaves_the_nodes_alone():
    model, record = load("charrnn_lstm_2layer")
    before = model.updateOutput(record.input)[1].numpy().copy()
    other = Table([record.input[1], *(x * 2 for x in record.input.array()[1:])])
    fresh = model(other)
    assert not np.allclose(fresh[1].numpy(), before)
    np.testing.assert_array_equal(model.output[1].numpy(), before)
    assert model.innode.data["input"][2] is record.input[2]


def test_modes_reach_modules_in_nested_graphs():
    model, _ = load("charrnn_lstm_dropout")
    dropouts = [m for _, m in model.named_modules() if m.t7_typename == "nn.Dropout"]
    assert len(dropouts) == 2
    assert [m.train for m in dropouts] == [False, False]
    model.training()
    assert [m.train for m in dropouts] == [True, True]


# -- graphs made by hand ------------------------------------------------------------------


def node(module=None, **data):
    made = NnNode()
    made.children = Table()
    made.data = Table({"mapindex": Table(), "annotations": Table(), "module": module, **data})
    return made


def connect(source, target):
    source.children[len(source.children) + 1] = target
    mapindex = target.data.mapindex
    position = len(mapindex) + 1
    mapindex[position] = source.data
    mapindex[source.data] = position


def graph(nodes, edges, n_inputs=1):
    """Return a gModule of nodes that are in order; the last one is the output node."""
    model = gModule.__new__(gModule)
    model.nInputs, model.innode, model.outnode = n_inputs, nodes[0], nodes[-1]
    model.forwardnodes = Table(nodes)
    for source, target in edges:
        connect(nodes[source], nodes[target])
    outputs = [nodes[source] for source, target in edges if target == len(nodes) - 1]
    backward = node()
    backward.data, backward.children = nodes[-1].data, Table(outputs)
    model.outnode = backward
    model.modules = Table([n.data.module for n in nodes if n.data.get("module") is not None])
    return model


def test_in_place_modules_change_what_their_siblings_read():
    edges = [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)]
    model = graph([node(), node(Tanh()), node(ReLU(True)), node(Identity()), node()], edges)
    x = doubles(2, 3)
    rectified = np.maximum(np.tanh(x.numpy()), 0)
    for output in (model(x), model.updateOutput(x)):
        np.testing.assert_array_equal(output[1].numpy(), rectified)
        np.testing.assert_array_equal(output[2].numpy(), rectified)


def test_a_long_chain_of_nodes_runs():
    count = 20_000
    model = graph([node() for _ in range(count)], [(i, i + 1) for i in range(count - 1)])
    x = doubles(2)
    np.testing.assert_array_equal(model(x).numpy(), x.numpy())


def test_a_node_without_inputs_runs_its_module_on_an_empty_table():
    class Given(Identity):
        def compute(self, input):
            assert isinstance(input, Table)
            assert len(input) == 0
            return tensor([1.0, 2.0], "float64")

    model = graph([node(), node(Given()), node()], [(0, 2), (1, 2)])
    assert model(doubles(2))[2].tolist() == [1.0, 2.0]


def test_the_number_of_inputs_is_checked():
    model, record = load("charrnn_lstm_2layer")
    with pytest.raises(InputTypeError, match="expecting table of 5 inputs"):
        model(record.input[1])
    with pytest.raises(InputTypeError, match="Got 2 inputs instead of 5"):
        model(record.input.array()[:2])


@pytest.mark.parametrize("method", ["updateGradInput", "accGradParameters", "backward"])
def test_the_number_of_gradients_is_checked(method):
    model, record = load("charrnn_lstm_2layer")
    outputs = model.updateOutput(record.input).array()
    with pytest.raises(InputTypeError, match=f"Got 2 gradOutputs instead of {len(outputs)}"):
        getattr(model, method)(record.input, outputs[:2])


COPIED = {
    "clone": lambda model: model.clone(),
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "file": lambda model: checkpoint.loads(checkpoint.dumps(model)),
}


@pytest.mark.parametrize("way", COPIED)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_copy_runs_by_itself_after_clearing(way, when):
    """A copy keeps nothing of how its original ran, and leaves nothing at the original's nodes."""
    model, record = load("charrnn_lstm_2layer")
    expected = [y.numpy().copy() for y in model.evaluate().forward(record.input).array()]
    if when == "before":
        model.clearState()
    other = COPIED[way](model).clearState()
    for _ in range(2):
        outputs = other.forward(record.input)
        for y, z in zip(outputs.array(), expected, strict=True):
            np.testing.assert_array_equal(y.numpy(), z)
        assert other.outnode.data["input"] is outputs
        other.clearState()
    kept = model.outnode.data.get("input")
    assert (kept is None) == (when == "before")
    model.forward(record.input)


def split_graph(count, module):
    nodes = [node(), node(module), node(nSplitOutputs=count), node(selectindex=2), node()]
    nodes[2].data.annotations["_debugLabel"] = "[model.lua]:7_split"
    return graph(nodes, [(0, 1), (1, 2), (2, 3), (3, 4)])


def test_a_split_selects_its_element():
    x = doubles(3, 2)
    np.testing.assert_array_equal(split_graph(3, SplitTable(1))(x).numpy(), x.numpy()[1])


def test_a_split_into_another_number_names_the_node():
    with pytest.raises(ModuleError, match="split into 2 outputs; given 3") as caught:
        split_graph(2, SplitTable(1))(doubles(3, 2))
    assert caught.value.__notes__ == ["in forwardnodes[3] of nn.gModule ([model.lua]:7_split)"]
    with pytest.raises(ModuleError, match="split into 2 outputs; given Tensor"):
        split_graph(2, Tanh())(doubles(3, 2))


def test_a_node_selects_from_tables_only():
    model = graph([node(), node(selectindex=1), node()], [(0, 1), (1, 2)])
    with pytest.raises(ModuleError, match="selects element 1 takes one table"):
        model(doubles(2))


def test_each_input_has_one_source():
    model = graph([node(), node(), node(), node()], [(0, 1), (0, 2), (1, 3), (2, 3)])
    mapindex = model.forwardnodes[4].data.mapindex
    mapindex[model.forwardnodes[3].data] = 1
    with pytest.raises(ModuleError, match="input 1 of a node comes from two nodes"):
        model(doubles(2))


def test_an_unknown_class_names_its_node():
    model = graph([node(), node(TorchObject("my.Layer")), node()], [(0, 1), (1, 2)])
    with pytest.raises(ModuleError, match=r"my\.Layer") as caught:
        model(doubles(2))
    assert caught.value.__notes__ == ["in forwardnodes[2] of nn.gModule"]


def test_just_table_and_just_element_undo_each_other():
    x = doubles(2, 3)
    wrapped = JustTable()(x)
    assert wrapped.array() == [x]
    assert JustElement().updateOutput(wrapped) is x
    with pytest.raises(InputTypeError, match="takes one element; given 2"):
        JustElement()([x, x])
