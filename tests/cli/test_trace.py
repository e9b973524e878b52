"""`rekindle trace` and `rekindle inspect --graph`."""

import json
import re
import shutil

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn as nn


def network():
    branches = nn.ConcatTable().add(nn.Linear(4, 4)).add(nn.Identity())
    return nn.Sequential().add(nn.Linear(3, 4)).add(nn.ReLU(True)).add(branches).add(
        nn.CAddTable()
    )  # fmt: skip


def test_arrays_of_every_module(cli, saved, tmp_path):
    model = network()
    file = saved(model)
    x = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 3.0]])
    np.save(tmp_path / "x.npy", x)
    out = tmp_path / "acts.npz"
    result = cli("trace", file, "--input", tmp_path / "x.npy", "--grad", "-o", out, "--json")
    report = json.loads(result.stdout)
    assert [row["name"] for row in report["modules"]] == ["0", "1", "2.0", "2.1", "2", "3", ""]
    assert report["modules"][2]["path"] == "modules[3].modules[1]"
    with np.load(out) as arrays:
        found = {name: arrays[name] for name in arrays.files if name != "__metadata__"}
        assert json.loads(json.loads(str(arrays["__metadata__"]))["modules"]) == report["modules"]
    first = x @ model.get(1).weight.numpy().T + model.get(1).bias.numpy()
    np.testing.assert_allclose(found["output/0"], first)
    np.testing.assert_allclose(found["output/1"], np.maximum(first, 0))
    assert found["output/2[2]"].tolist() == found["output/1"].tolist()
    np.testing.assert_allclose(found["output"], model.evaluate().forward(rekindle.tensor(x)))
    assert found["input"].tolist() == x.tolist()
    inner = model.get(3).get(1)
    through = np.ones((2, 4)) @ inner.weight.numpy() + 1
    np.testing.assert_allclose(found["gradInput/2"], through)
    np.testing.assert_allclose(found["gradient/0.weight"], (through * (first > 0)).T @ x)
    cli("trace", file, "--input", tmp_path / "x.npy", "-o", out, code=2)
    cli("trace", file, "--input", tmp_path / "x.npy", "-o", tmp_path / "acts.txt", code=2)


def test_without_a_file_it_prints(cli, saved):
    shown = cli("trace", saved(network()), "--random", "2x3").stdout
    assert re.search(r"modules\[3\]\.modules\[1\]\s+2\.0\s+nn\.Linear\s+2x4", shown)


def test_a_model_that_stops_says_where(cli, saved):
    model = nn.Sequential().add(nn.Linear(3, 4)).add(nn.Linear(5, 2))
    result = cli("trace", saved(model), "--random", "2x3", code=1)
    assert "modules[2] does not take its input" in result.stderr
    cli("trace", saved(model), code=2)


def nodes_and_edges(path):
    text = path.read_text(encoding="utf-8")
    labels = dict(re.findall(r'(?m)^  "(\w+)" \[label="([^"]*)"', text))
    arrows = re.findall(r'"(\w+)" -> "(\w+)"(?: \[label=" ([\dx]*)"\])?', text)
    return {(labels[a].split("\\n")[0], labels[b].split("\\n")[0], shape) for a, b, shape in arrows}


def test_a_graph_of_branches(cli, saved, tmp_path):
    out = tmp_path / "model.dot"
    cli("inspect", saved(network()), "--graph", out, "--graph-input", "2x3")
    assert nodes_and_edges(out) == {
        ("input", "0", "2x3"),
        ("0", "1", "2x4"),
        ("1", "2.0", "2x4"),
        ("1", "2.1", "2x4"),
        ("2.0", "3", "2x4"),
        ("2.1", "3", "2x4"),
        ("3", "output", "2x4"),
    }
    cli("inspect", saved(network()), "--graph", out, code=2)
    cli("inspect", saved(network()), "--graph", out, "--force")
    cli("inspect", saved(network()), "--graph", tmp_path / "model.png", code=2)


def test_a_container_that_makes_a_tensor_is_a_node(cli, saved, tmp_path):
    model = nn.Sequential().add(nn.Concat(2).add(nn.Linear(3, 1)).add(nn.Linear(3, 2)))
    out = tmp_path / "model.dot"
    cli("inspect", saved(model.add(nn.Tanh())), "--graph", out)
    edges = {(a, b) for a, b, _ in nodes_and_edges(out)}
    assert edges == {
        ("input", "0.0"), ("input", "0.1"), ("0.0", "0"), ("0.1", "0"), ("0", "1"), ("1", "output"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["resnet20_cifar_thin", "googlenet_inception_small"])
def test_every_module_of_recorded_models_is_between_input_and_output(cli, models, tmp_path, name):
    out = tmp_path / "model.dot"
    cli("inspect", models / f"{name}.t7", "--select", "model", "--graph", out)
    edges = {(a, b) for a, b, _ in nodes_and_edges(out)}
    nodes = {n for edge in edges for n in edge}
    assert nodes - {a for a, _ in edges} == {"output"}
    assert nodes - {b for _, b in edges} == {"input"}


def test_a_model_that_does_not_run_is_a_tree(cli, saved, unknown_model, tmp_path):
    out = tmp_path / "model.dot"
    result = cli("inspect", saved(unknown_model), "--graph", out)
    assert "the tree of modules alone" in result.stderr
    assert nodes_and_edges(out) == {("the model", "0", ""), ("the model", "1", "")}


def test_svg_needs_graphviz(cli, saved, tmp_path):
    out = tmp_path / "model.svg"
    if shutil.which("dot") is None:
        assert "Graphviz" in cli("inspect", saved(network()), "--graph", out, code=2).stderr
    else:
        cli("inspect", saved(network()), "--graph", out)
        assert "<svg" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "loose"),
    [
        ("rnn_sequencer_gru", ([], [])),
        # The last cell of an LSTM is of no use, and the first step starts from zeros.
        ("rnn_lm_lookup", ([], ["nn.SelectTable(1)"])),
        ("rnn_recurrence", (["nn.Linear(4 -> 4)"], [])),
    ],
)
def test_pictures_of_recurrent_models_are_connected(cli, models, tmp_path, name, loose):
    out = tmp_path / "m.dot"
    cli("inspect", models / f"{name}.t7", "--select", "model", "--graph", out)
    text = out.read_text()
    labels = dict(re.findall(r'^  "(\w+)" \[label="(?:[^"]*\\n)?([^"]*)"', text, re.M))
    edges = re.findall(r'"(\w+)" -> "(\w+)"', text)
    into, out_of = {b for _, b in edges}, {a for a, _ in edges}
    assert [labels[n] for n in labels if n not in into and n != "input"] == loose[0]
    assert [labels[n] for n in labels if n not in out_of and n != "output"] == loose[1]
