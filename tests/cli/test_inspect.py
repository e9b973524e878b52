import json
import sys

import numpy as np
import pytest

import rekindle
from rekindle import Storage, Table, Tensor

SIAMESE = """\
model: nn.Sequential, 9 modules, 59 parameters, 472 bytes, float64
in Lua          name   module             tensors                                             parameters      bytes
modules[1]      0      nn.ParallelTable                                                               59  472 bytes
  modules[1]    0.0    nn.Sequential                                                                  59  472 bytes
    modules[1]  0.0.0  nn.Linear(6 -> 5)  weight 5x6, bias 5                                          35  280 bytes
    modules[2]  0.0.1  nn.Tanh
    modules[3]  0.0.2  nn.Linear(5 -> 4)  weight 4x5, bias 4                                          24  192 bytes
  modules[2]    0.1    nn.Sequential
    modules[1]  0.1.0  nn.Linear(6 -> 5)  weight 5x6 (= 0.0.0.weight), bias 5 (= 0.0.0.bias)
    modules[2]  0.1.1  nn.Tanh
    modules[3]  0.1.2  nn.Linear(5 -> 4)  weight 4x5 (= 0.0.2.weight), bias 4 (= 0.0.2.bias)
"""  # noqa: E501


def report(cli, *args):
    return json.loads(cli("inspect", *args, "--json").stdout)


def test_the_tree_of_a_model(cli, models):
    out = cli("inspect", models / "siamese_cosine.t7").stdout
    assert SIAMESE in out
    assert "- tied parameters: 0.1.0.weight = 0.0.0.weight, 0.1.0.bias = 0.0.0.bias, " in out
    assert out.startswith(f"{models}/siamese_cosine.t7: Torch7 binary, 13.7 KB, table, 17 entries")
    assert "tensors: parameters 472 bytes, gradients 472 bytes, other tensors 3.8 KB" in out


def test_json_says_the_same_completely(cli, models):
    found = report(cli, models / "resnet18_thin.t7")
    record = rekindle.load(models / "resnet18_thin.t7")
    [model] = found["models"]
    assert model["path"] == "model"
    assert model["class"] == "nn.Sequential"
    assert model["parameters"] == record.nParams == 25657
    tensors = {t["path"]: t for m in model["modules"] for t in m["tensors"]}
    assert tensors["model.modules[2].running_var"] == {
        "path": "model.modules[2].running_var",
        "name": "1.running_var",
        "kind": "buffer",
        "shape": [3],
        "dtype": "float64",
        "bytes": 24,
        "tied_to": None,
        "same_view": None,
    }
    assert sum(t["bytes"] for t in tensors.values()) == model["bytes"]
    counted = sum(np.prod(t["shape"]) for t in tensors.values() if t["kind"] == "parameter")
    assert counted == record.nParams
    entries = {e["path"]: e for e in found["entries"]}
    assert entries["seed"]["value"] == 123
    assert entries["input"]["shape"] == list(record.input.shape)
    assert found["tensor_bytes"]["parameters"] == 25657 * 8


def test_options_and_vocabularies(cli, models):
    out = cli("inspect", models / "charrnn_checkpoint.t7").stdout
    assert "protos.rnn: nn.gModule, 20 modules, 730 parameters" in out
    assert 'opt.model         "lstm"\n' in out
    assert "vocab             10 entries: h=8, g=7, i=9," in out
    assert "train_losses      2 values: 2.3, 2.2\n" in out
    assert "modules[3]   2     nn.Linear(10 -> 32)  weight 32x10, bias 32" in out


def test_a_view_of_another_weight_is_marked(cli, models):
    out = cli("inspect", models / "autoencoder_tied.t7").stdout
    assert "weight 6x3 (view of 0.0.weight), bias 6" in out
    assert "- tied parameters, as different views: 1.weight = 0.0.weight" in out


def test_shared_buffers_are_not_tied_parameters(cli, saved):
    storage = Storage(np.zeros(8))
    model = rekindle.legacy_nn.Sequential()
    for _ in range(2):
        module = rekindle.legacy_nn.SpatialBatchNormalization(2)
        module.gradInput = Tensor.view_of(storage, 0, (8,), (1,))
        model.add(module)
    first, second = model.modules[1], model.modules[2]
    second.running_mean = first.running_mean
    out = cli("inspect", saved(model)).stdout
    assert "tied parameters" not in out
    assert "- shared buffers: 1.running_mean = 0.running_mean\n" in out
    # a Sequential's own gradInput is that of its first module
    assert "shared buffer of 64 bytes, not tied weights: gradInput, modules[2].gradInput" in out


def test_unknown_classes_functions_and_overrides_are_marked(cli, saved, fixtures, unknown_model):
    out = cli("inspect", saved(unknown_model)).stdout
    assert "nn.MyScale(factor=0.5)  (unknown class)" in out
    assert (
        "- unknown class nn.MyScale, 1x: modules[2]; its weights convert, but it cannot run" in out
    )
    override = cli("inspect", fixtures / "behaviour" / "instance_override.t7").stdout
    assert "nn.ReLU  (own updateOutput)" in override
    assert (
        "- results.module.modules[1].updateOutput is a Lua function of this nn.ReLU alone, which "
        "replaces its class's method: run and convert stop there" in override
    )
    function = cli("inspect", fixtures / "serialization" / "func_upvalues.bin.t7").stdout
    assert "Lua function" in function


def test_both_spellings_of_select(cli, models):
    path = models / "siamese_cosine.t7"
    out = cli("inspect", path, "--select", "model.modules[1].modules[1].modules[3].weight").stdout
    assert "float64 tensor 4x5" in out
    assert "Tensor" in out
    same = cli("inspect", path, "--select", "['model'].modules[1]").stdout
    assert "model.modules[1]: nn.ParallelTable, 8 modules, 59 parameters" in same
    result = cli("inspect", path, "--select", "modle", code=2)
    assert "there is no modle in the file's object" in result.stderr
    assert "did you mean model?" in result.stderr
    assert "is not a path" in cli("inspect", path, "--select", "a..b", code=2).stderr


def test_files_of_several_objects(cli, tmp_path):
    from rekindle.core.checkpoint import dump_all

    path = tmp_path / "two.t7"
    path.write_bytes(dump_all([Table({"a": 1}), rekindle.legacy_nn.Linear(2, 1)]))
    out = cli("inspect", path).stdout
    assert "2 objects, [1] to [2]" in out
    assert "[2]: nn.Linear, 3 parameters" in out
    assert "nn.Linear(2 -> 1)" in cli("inspect", path, "--select", "[2]").stdout
    path.write_bytes(path.read_bytes() + b"rubbish")
    found = cli("inspect", path)
    assert found.stderr.startswith("warning: ")
    assert "a       1" in found.stdout


def test_standard_input_and_several_files(cli, models):
    data = (models / "bow_mean.t7").read_bytes()
    found = json.loads(cli("inspect", "-", "--json", stdin=data).stdout)
    assert found["file"] == "standard input"
    assert found["bytes"] == len(data)
    both = cli("inspect", models / "bow_mean.t7", models / "siamese_cosine.t7").stdout
    assert both.count(": Torch7 binary") == 2
    assert len(report(cli, models / "bow_mean.t7", models / "siamese_cosine.t7")) == 2


def test_ascii_files_are_told_by_content(cli, fixtures):
    out = cli("inspect", fixtures / "gpu" / "convnet_native_ascii.t7").stdout
    assert ": Torch7 ascii, " in out
    assert "cudnn.SpatialConvolution(3 -> " in out


def test_huge_trees_are_cut_short_unless_all_is_asked_for(cli, saved):
    model = rekindle.legacy_nn.Sequential()
    for _ in range(300):
        model.add(rekindle.legacy_nn.Identity())
    numbers = Table([Table({"x": i}) for i in range(50)])
    path = saved(Table({"model": model, "log": numbers}))
    short = cli("inspect", path).stdout
    assert "... 100 more modules: --all, --depth N or --select PATH shows them" in short
    assert "log[10].x    9\n" in short
    assert "log[11]" not in short
    assert "... 40 more" in short
    everything = cli("inspect", path, "--all").stdout
    assert "modules[300]  299   nn.Identity" in everything
    assert "log[50].x  49" in everything
    assert "modules[1]" not in cli("inspect", path, "--depth", "0").stdout


def test_great_depth(cli, saved):
    table = Table({"x": 1})
    for _ in range(3_000):
        table = Table([table])
    model = rekindle.legacy_nn.Linear(1, 1)
    for _ in range(3_000):
        model = rekindle.legacy_nn.Sequential().add(model)
    found = report(cli, saved(Table({"table": table, "model": model})))
    assert found["models"][0]["parameters"] == 2
    assert found["models"][0]["modules_left_out"] == 3_000 - 40
    cli("inspect", saved(Table({"table": table, "model": model})))


def test_cycles(cli, saved):
    table = Table({"name": "x"})
    table["self"] = Table({"back": table})
    out = cli("inspect", saved(table)).stdout
    assert "self.back  the same table as above" in out
    report(cli, saved(table))


def test_no_value_is_read(cli, saved, monkeypatch):
    path = saved(rekindle.legacy_nn.Sequential().add(rekindle.legacy_nn.Linear(3, 3)))

    def refuse(self):
        raise AssertionError("inspect read a tensor's values")

    monkeypatch.setattr(Storage, "array", property(refuse))
    assert "weight 3x3" in cli("inspect", path).stdout


def test_a_module_whose_fields_are_damaged_is_shown_all_the_same(cli, saved):
    linear = rekindle.legacy_nn.Linear(2, 2)
    linear.weight = "oops"
    out = cli("inspect", saved(rekindle.legacy_nn.Sequential().add(linear))).stdout
    assert "modules[1]  0     nn.Linear" in out
    assert "its fields do not fit its class" in out


def test_text_that_is_none_prints(cli, saved):
    out = cli("inspect", saved(Table({"a": "x\x1b[31m\udcff\n", "b": "y" * 100}))).stdout
    assert 'a       "x\\x1b[31m\\udcff\\n"' in out
    assert '"... (100 characters)' in out


@pytest.mark.skipif(sys.platform == "win32", reason="no /dev/null")
def test_devices_and_folders_are_no_checkpoints(cli, tmp_path):
    cli("inspect", tmp_path, code=2)
    assert "device" in cli("inspect", "/dev/null", code=2).stderr
