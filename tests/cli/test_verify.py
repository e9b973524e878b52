import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import rekindle
from rekindle import Table
from rekindle.legacy_nn import torch_rnn


@pytest.fixture
def converted(cli, fixtures, tmp_path):
    """Return a checkpoint with batch normalisation, its weights in a file, and their metadata."""
    source, out = fixtures / "gpu" / "convnet_native.t7", tmp_path / "m.safetensors"
    cli("convert", source, "-o", out)
    return source, out


INPUT = ("--random", "2x3x8x8")
"""What the model of `converted` takes."""


def change(out, edit):
    """Edit the arrays in a safetensors file, without its metadata."""
    arrays = {name: array.copy() for name, array in load_file(out).items()}
    edit(arrays)
    save_file(arrays, out)


def test_what_was_converted_is_the_same(cli, converted):
    source, out = converted
    result = cli("verify", source, out)
    assert "0.weight        4x3x3x3                   0\n" in result.stdout
    assert "output  2x" in result.stdout
    assert result.stdout.endswith("All 10 tensors agree, and so does the output.\n")


@pytest.mark.parametrize(
    "name",
    ["siamese_cosine", "charrnn_checkpoint", "autoencoder_tied", "bow_mean", "dcgan_G_float"],
)
@pytest.mark.parametrize("extension", ["safetensors", "npz", "t7"])
def test_models_and_formats(cli, models, tmp_path, name, extension):
    out = tmp_path / f"m.{extension}"
    cli("convert", models / f"{name}.t7", "-o", out)
    report = json.loads(cli("verify", models / f"{name}.t7", out, "--json").stdout)
    assert report["ok"]
    assert all(t["difference"] == 0 for t in report["tensors"])
    assert all(o["difference"] == 0 for o in report["outputs"])
    assert "the first shape tried" in report["input"]


def test_models_that_remember_states(cli, tmp_path):
    """Trying inputs runs the model; torch-rnn's sequences would go on from there."""
    tokens = Table({str(i): i for i in range(1, 8)})
    options = {"idx_to_token": tokens, "model_type": "lstm", "wordvec_size": 4, "rnn_size": 3}
    options |= {"num_layers": 2, "dropout": 0, "batchnorm": 0}
    model = torch_rnn.LanguageModel(Table(options))
    rekindle.save(Table({"model": model}), tmp_path / "m.t7")
    cli("convert", tmp_path / "m.t7", "-o", tmp_path / "m.npz")
    report = json.loads(cli("verify", tmp_path / "m.t7", tmp_path / "m.npz", "--json").stdout)
    assert "the first shape tried" in report["input"]
    assert report["ok"]
    assert report["outputs"][0]["difference"] == 0


@pytest.mark.parametrize(
    "name", ["0.weight", "0.bias", "1.running_mean", "1.running_var", "1.weight"]
)
def test_a_missing_tensor_is_found(cli, converted, name):
    source, out = converted
    change(out, lambda arrays: arrays.pop(name))
    result = cli("verify", source, out, *INPUT, code=1)
    assert f"{name}: missing in OUT" in result.stderr
    report = json.loads(cli("verify", source, out, *INPUT, "--json", code=1).stdout)
    assert not report["ok"]
    # the copy computes with nan where OUT has nothing
    assert report["outputs"][0]["difference"] == "inf"


@pytest.mark.parametrize("name", ["0.weight", "1.running_var", "0.bias"])
@pytest.mark.parametrize("bit", [0, 3, 30, 31])
def test_a_flipped_bit_is_found(cli, converted, name, bit):
    source, out = converted

    def flip(arrays):
        arrays[name].reshape(-1)[-1:].view(np.uint32)[...] ^= np.uint32(1 << bit)

    change(out, flip)
    result = cli("verify", source, out, *INPUT, code=1)
    assert f"{name}: differs" in result.stderr


def test_nan_and_shapes_are_found(cli, converted):
    source, out = converted

    def spoil(arrays):
        arrays["0.bias"][0] = np.nan
        arrays["0.weight"] = arrays["0.weight"][:2]

    change(out, spoil)
    result = cli("verify", source, out, *INPUT, code=1)
    assert "0.bias: differs" in result.stderr
    assert "0.weight: OUT has shape 2x3x3x3" in result.stderr


def test_a_tied_weight_that_differs_is_found(cli, models, tmp_path):
    source, out = models / "siamese_cosine.t7", tmp_path / "m.npz"
    cli("convert", source, "-o", out)
    with np.load(out) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "__metadata__"}
    cli("verify", source, out)
    np.savez(out, **arrays, **{"0.1.0.weight": arrays["0.0.0.weight"] + 1})
    assert "0.1.0.weight: differs" in cli("verify", source, out, code=1).stderr


def test_what_is_in_out_only_is_found(cli, converted):
    source, out = converted
    counter = "0.num_batches_tracked"
    change(out, lambda arrays: arrays.update({counter: np.ones((), np.int64)}))
    assert f"note: {counter} is in {out} only" in cli("verify", source, out, *INPUT).stderr
    change(out, lambda arrays: arrays.update(extra=np.ones(2)))
    assert "extra: in OUT only" in cli("verify", source, out, *INPUT, code=1).stderr


@pytest.mark.parametrize(
    "wrong", [lambda a: a.astype("f4"), lambda a: a.astype("i8"), lambda a: a.ravel()]
)
def test_one_tensor_of_another_type_or_shape_is_found(cli, saved, tmp_path, wrong):
    model = rekindle.legacy_nn.Sequential().add(rekindle.legacy_nn.Linear(3, 2))
    model.modules[1].weight.numpy()[...] = 1
    source, out = saved(model), tmp_path / "m.npz"
    cli("convert", source, "-o", out)
    cli("verify", source, out)
    with np.load(out) as archive:
        arrays = dict(archive)
    np.savez(out, **{**arrays, "0.weight": wrong(arrays["0.weight"])})
    assert "0.weight: OUT has" in cli("verify", source, out, code=1).stderr


def test_rounding_to_another_type_is_allowed_and_nothing_else(cli, models, tmp_path):
    source = models / "siamese_cosine.t7"
    for dtype, tolerance in (("float32", 1e-4), ("float16", 2e-2)):
        out = tmp_path / f"{dtype}.safetensors"
        cli("convert", source, "-o", out, "--dtype", dtype)
        report = json.loads(cli("verify", source, out, "--json").stdout)
        assert report["tolerance"] == tolerance
        assert 0 < report["outputs"][0]["difference"] < tolerance
        assert all(0 < t["difference"] < tolerance for t in report["tensors"])
        cli("verify", source, out, "--tol", "1e-12", code=1)
    change(out, lambda arrays: arrays["0.0.0.bias"].view(np.uint16).__setitem__(0, 0))
    cli("verify", source, out, code=1)


def test_gradients_in_out_are_compared_too(cli, models, tmp_path):
    source, out = models / "charrnn_checkpoint.t7", tmp_path / "m.safetensors"
    cli("convert", source, "-o", out, "--grads")
    report = json.loads(cli("verify", source, out, "--json").stdout)
    assert "2.gradWeight" in {t["name"] for t in report["tensors"]}
    change(out, lambda arrays: arrays["2.gradWeight"].__setitem__((0, 0), 7))
    cli("verify", source, out, code=1)


def test_a_t7_with_other_weights(cli, models, tmp_path):
    source, out = models / "siamese_cosine.t7", tmp_path / "m.t7"
    record = rekindle.load(source)
    record.model.modules[1].modules[1].modules[1].weight.numpy()[0, 0] += 1e-9
    rekindle.save(record.model, out)  # the model alone, not the table around it
    result = cli("verify", source, out, "--select", "model", code=1)
    assert "0.0.0.weight: differs" in result.stderr


def test_names_from_a_map(cli, models, tmp_path):
    torch = pytest.importorskip("torch")
    source, out, names = models / "bow_mean.t7", tmp_path / "m.pt", tmp_path / "names.json"
    names.write_text('{"0.weight": "embedding.weight"}')
    cli("convert", source, "-o", out, "--map", names)
    assert "embedding.weight" in torch.load(out, weights_only=True)
    assert "0.weight: missing in OUT" in cli("verify", source, out, code=1).stderr
    cli("verify", source, out, "--map", names)


def test_given_inputs(cli, models, tmp_path):
    source, out = models / "lenet_tutorial.t7", tmp_path / "m.npz"
    cli("convert", source, "-o", out)
    given = cli("verify", source, out, "--input", source, "--input-select", "input").stdout
    assert f"input: {source}, float64 " in given
    assert (
        "input: random float64 3x1x32x32"
        in cli("verify", source, out, "--random", "3x1x32x32").stdout
    )
    result = cli("verify", source, out, "--random", "3x1x9x9", code=1)
    assert "the outputs were not compared: the model does not take the input" in result.stderr
    cli("verify", source, out, "--random", "2", "--input", source, code=2)


def test_an_input_that_cannot_be_told_is_asked_for(cli, saved, tmp_path):
    nn = rekindle.legacy_nn
    path, out = saved(nn.Sequential().add(nn.CMul(3)).add(nn.Tanh())), tmp_path / "m.npz"
    cli("convert", path, "-o", out)
    result = cli("verify", path, out, code=2)
    assert "agrees" not in result.stdout
    assert "cannot be told from its first layers: give --input or --random SHAPE" in result.stderr
    cli("verify", path, out, "--random", "2x3")
    only = cli("verify", path, out, "--tensors-only").stdout
    assert only.endswith("The one tensor agrees. Nothing was run: --tensors-only.\n")


def test_what_cannot_run_is_a_problem_unless_only_tensors_are_asked_for(
    cli, saved, unknown_model, tmp_path
):
    path, out = saved(Table({"net": unknown_model})), tmp_path / "m.npz"
    cli("convert", path, "-o", out)
    result = cli("verify", path, out, code=1)
    assert "All 5 tensors agree, but the outputs were not compared" in result.stderr
    assert "nn.MyScale at net.modules[2]" in result.stderr
    cli("verify", path, out, "--tensors-only")


def test_tables_without_a_model(cli, saved, tmp_path):
    from rekindle import Tensor

    path, out = saved(Table({"w": Tensor(np.ones(3))})), tmp_path / "m.npz"
    cli("convert", path, "-o", out)
    assert "Nothing was run: there is no module." in cli("verify", path, out).stdout


def test_unreadable_files(cli, models, tmp_path):
    source, out = models / "bow_mean.t7", tmp_path / "m.safetensors"
    cli("convert", source, "-o", out)
    out.write_bytes(out.read_bytes()[:-3])
    assert "not a safetensors file" in cli("verify", source, out, code=2).stderr
    out.write_text("hello")
    cli("verify", source, out, code=2)
    cli("verify", source, tmp_path / "none.npz", code=2)
    cli("verify", "-", source, stdin=b"", code=2)
