"""Fields of modules that no class expects: kept as they are, and written back."""

from rekindle.core import checkpoint
from rekindle.core.checkpoint import Table, TorchObject
from rekindle.legacy_nn.naming import root_place, state_entries, walk


def test_a_field_may_be_called_by_a_number():
    fields = Table({"train": False, 1: "one", "1": "text", 2.5: Table()})
    data = checkpoint.dumps(TorchObject("nn.Tanh", 1, fields))
    module = checkpoint.loads(data)
    assert vars(module)[1] == "one"
    assert checkpoint.dumps(module) == data


def test_nodes_of_graphs_with_numbered_fields_are_walked():
    fields = Table({1: Table(), "data": Table()})
    node = checkpoint.loads(checkpoint.dumps(TorchObject("nngraph.Node", 1, fields)))
    assert len(list(walk(root_place(node)))) == 3
    assert list(state_entries(root_place(node))) == []
