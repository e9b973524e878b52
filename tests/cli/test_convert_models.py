import importlib.util
import json
import sys

import numpy as np
import pytest

import rekindle
from rekindle import legacy_nn
from rekindle.cli.model_files import class_name


def imported(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_source_with_its_weights(cli, models, tmp_path):
    out = tmp_path / "net.py"
    result = cli("convert", models / "dcgan_G_float.t7", "-o", out)
    assert "class Net for Rekindle, from model (nn.Sequential)" in result.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.py", "net.safetensors"]
    record = rekindle.load(models / "dcgan_G_float.t7")
    y = imported(out).load()(record.input)
    expected = record.output.numpy()
    assert np.abs(y.numpy() - expected).max() <= 1e-5 * np.abs(expected).max()


def test_source_for_pytorch_imports_no_rekindle(cli, models, tmp_path):
    out = tmp_path / "net.py"
    cli("convert", models / "resnet18_thin.t7", "-o", out, "--target", "torch")
    text = out.read_text(encoding="utf-8")
    assert "from torch import Tensor, nn" in text
    assert "rekindle" not in text


def test_dtype(cli, models, tmp_path):
    out = tmp_path / "net.py"
    cli("convert", models / "resnet18_thin.t7", "-o", out, "--dtype", "float32")
    assert "double" not in out.read_text(encoding="utf-8")
    assert imported(out).load().fc.weight.dtype == np.float32


def test_nothing_is_replaced_and_nothing_half_written(cli, models, tmp_path):
    (tmp_path / "net.safetensors").write_bytes(b"mine")
    source = models / "dcgan_G_float.t7"
    result = cli("convert", source, "-o", tmp_path / "net.py", code=2)
    assert "net.safetensors is there already" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]
    cli("convert", source, "-o", tmp_path / "net.py", "--force")
    assert (tmp_path / "net.safetensors").stat().st_size > 4


def test_what_has_no_translation_is_listed(cli, models, tmp_path):
    model = tmp_path / "noise.t7"
    rekindle.save(
        legacy_nn.Sequential().add(legacy_nn.SpatialFractionalMaxPooling(2, 2, 2, 2)), model
    )
    result = cli("convert", model, "-o", tmp_path / "net.py", code=1)
    assert "modules[1] (nn.SpatialFractionalMaxPooling): it draws the sizes" in result.stderr
    assert list(tmp_path.iterdir()) == [model]


def test_what_draws_in_training_is_written_for_evaluation(cli, tmp_path):
    model = tmp_path / "noise.t7"
    inner = legacy_nn.Sequential().add(legacy_nn.WhiteNoise(2)).add(legacy_nn.Tanh())
    rekindle.save(inner, model)
    cli("convert", model, "-o", tmp_path / "net.py")
    assert "(x + 2).tanh()" in (tmp_path / "net.py").read_text(encoding="utf-8")


def test_standard_output_has_no_place_for_weights(cli, models):
    result = cli("convert", models / "dcgan_G_float.t7", "-o", "-", "--to", "py", code=2)
    assert "weights are written beside it" in result.stderr


def test_json(cli, models, tmp_path):
    source = models / "charrnn_checkpoint.t7"
    out = tmp_path / "rnn.py"
    result = cli("convert", source, "--select", "protos.rnn", "-o", out, "--json")
    report = json.loads(result.stdout)
    assert report["format"] == "py"
    assert report["model"] == "protos.rnn"
    assert report["weights"] == str(tmp_path / "rnn.safetensors")


def test_zero_based(cli, models, tmp_path):
    cli("convert", models / "bow_mean.t7", "-o", tmp_path / "one.py")
    cli("convert", models / "bow_mean.t7", "-o", tmp_path / "zero.py", "--zero-based")
    rows = rekindle.tensor([[1, 2, 3]])
    one, zero = (imported(tmp_path / f"{n}.py").load() for n in ("one", "zero"))
    np.testing.assert_array_equal(one(rows + 1).numpy(), zero(rows).numpy())


def test_onnx(cli, models, tmp_path):
    pytest.importorskip("onnx")
    result = cli("convert", models / "resnet18_thin.t7", "-o", tmp_path / "m.onnx")
    assert "ONNX, " in result.stdout


def test_onnx_without_the_package(cli, models, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = cli("convert", models / "resnet18_thin.t7", "-o", tmp_path / "m.onnx", code=2)
    assert "pip install 'rekindle[onnx]'" in result.stderr


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("resnet18_thin", "Resnet18Thin"),
        ("model", "Model"),
        ("3d-net", "Model3dNet"),
        ("", "Model"),
    ],
)
def test_class_names(stem, name):
    assert class_name(stem) == name
