import numpy as np
import pytest
from recorded import FIXTURES

import rekindle
from rekindle import Table, Tensor
from rekindle.core.checkpoint import TorchObject
from rekindle.legacy_nn.naming import modules_in, root_place, state_entries, walk
from rekindle.legacy_nn.unknown_classes import guessed_kinds


def names(root, kind=None):
    return [e.name for e in state_entries(root_place(root)) if kind in (None, e.kind)]


def load_model(name):
    return rekindle.load(FIXTURES / "models" / f"{name}.t7").model


def test_names_count_from_zero_and_paths_from_one():
    entries = list(state_entries(root_place(load_model("siamese_cosine"), ("model",))))
    assert [(e.name, e.lua_path) for e in entries if e.kind == "parameter"][:2] == [
        ("0.0.0.weight", "model.modules[1].modules[1].modules[1].weight"),
        ("0.0.0.bias", "model.modules[1].modules[1].modules[1].bias"),
    ]


def test_a_modules_parameters_come_before_its_buffers():
    model = load_model("resnet18_thin")
    assert [n for n in names(model) if "grad" not in n][:5] == [
        "0.weight",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
    ]


@pytest.mark.parametrize(
    "name", ["resnet18_thin", "dcgan_G", "openface_nn4_small2_thin", "unet_pix2pix_128_float"]
)
def test_all_parameters_that_torch_counted_have_names(name):
    record = rekindle.load(FIXTURES / "models" / f"{name}.t7")
    entries = [e for e in state_entries(root_place(record.model)) if e.kind == "parameter"]
    assert sum(e.tensor.size for e in entries) == record.nParams
    assert len({e.name for e in entries}) == len(entries)


def test_the_replicas_of_a_data_parallel_table_have_one_name():
    replicas = rekindle.load(FIXTURES / "gpu" / "dpt_v1_replicas.t7")
    single = rekindle.load(FIXTURES / "gpu" / "resnet_blocks.t7")
    [table], [plain] = modules_in(root_place(replicas)), modules_in(root_place(single))
    assert names(table.value, "parameter") == names(plain.value, "parameter")


def test_fields_of_unknown_classes_are_judged_by_their_names():
    kinds = guessed_kinds(
        [
            "weight",
            "gradWeight",
            "alpha",
            "gradAlpha",
            "output",
            "gradInput",
            "_x",
            "stats",
            "input",
        ]
    )
    assert kinds == {
        "weight": "parameter",
        "gradWeight": "gradient",
        "alpha": "parameter",
        "gradAlpha": "gradient",
        "output": None,
        "gradInput": None,
        "_x": None,
        "stats": "buffer",
        "input": "buffer",
    }


def test_tensors_in_tables_of_unknown_objects_are_what_their_table_is():
    one = Tensor(np.ones(2))
    thing = TorchObject(
        "my.Net",
        1,
        Table(
            {
                "weights": Table([one, Tensor(np.ones(3))]),
                "gradWeights": Table([Tensor(np.ones(2))]),
            }
        ),
    )
    found = {e.name: e.kind for e in state_entries(root_place(thing))}
    assert found == {
        "weights.0": "parameter",
        "weights.1": "parameter",
        "gradWeights.0": "gradient",
    }


def test_every_tensor_of_a_plain_table_has_a_name():
    t = [Tensor(np.full(2, i)) for i in range(5)]
    table = Table({"output": t[0], "a": Table([t[1], Table({"x": t[2]})]), 1: t[4]})
    table[True] = t[3]
    found = {e.name: e.tensor for e in state_entries(root_place(table))}
    assert found == {"output": t[0], "a.0": t[1], "a.1.x": t[2], "True": t[3], "0": t[4]}


def test_a_module_in_two_places_is_named_once():
    linear = rekindle.legacy_nn.Linear(2, 2)
    model = rekindle.legacy_nn.Sequential().add(linear).add(linear)
    assert names(model, "parameter") == ["0.weight", "0.bias"]


def test_modules_are_found_in_tables_and_criterions_are_not():
    checkpoint = rekindle.load(FIXTURES / "models" / "charrnn_checkpoint.t7")
    assert [p.lua_path for p in modules_in(root_place(checkpoint))] == ["protos.rnn"]
    a, b = rekindle.legacy_nn.Identity(), rekindle.legacy_nn.Identity()
    table = Table({"nets": Table([a, b, a]), "again": b, "opt": Table({"lr": 0.1})})
    assert [p.value for p in modules_in(root_place(table))] == [b, a]


def test_a_walk_ends_in_cycles_and_great_depth():
    table = Table({"x": 1})
    table["self"] = table
    assert len(list(walk(root_place(table)))) == 1
    deep = rekindle.legacy_nn.Linear(1, 1)
    for _ in range(20_000):
        deep = rekindle.legacy_nn.Sequential().add(deep)
    last = list(walk(root_place(deep)))[-1]
    assert last.name == ".".join(["0"] * 20_000)
