import hashlib
import json
import os
import sys
from importlib.metadata import version

import numpy as np
import pytest
import torchfile
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import rekindle
from rekindle import Storage, Table, Tensor


def metadata(path):
    with safe_open(path, "np") as file:
        return file.metadata()


def torch_weights(module, prefix=""):
    """Return named parameters and buffers as torchfile reads them: an independent reader."""
    found = {}
    fields = module._obj if hasattr(module, "_obj") else {}
    fields = {k.decode() if isinstance(k, bytes) else k: v for k, v in fields.items()}
    for name in ("weight", "bias", "running_mean", "running_var"):
        if isinstance(fields.get(name), np.ndarray):
            found[prefix + name] = fields[name]
    for i, child in (fields.get("modules") or {}).items():
        found |= torch_weights(child, f"{prefix}{i - 1}.")
    return found


@pytest.mark.parametrize("name", ["resnet18_thin", "dcgan_G_float", "vgg11_dropout"])
def test_names_and_values_are_those_of_an_independent_reader(cli, models, tmp_path, name):
    out = tmp_path / "m.safetensors"
    cli("convert", models / f"{name}.t7", "-o", out)
    record = torchfile.load(str(models / f"{name}.t7"), use_list_heuristic=False)
    expected = torch_weights(record[b"model"])
    assert len(expected) > 10
    loaded = load_file(out)
    assert set(loaded) == set(expected)
    for key, value in expected.items():
        assert loaded[key].dtype == value.dtype
        np.testing.assert_array_equal(loaded[key], value)


def test_metadata_says_where_from(cli, models, tmp_path):
    source, out = models / "siamese_cosine.t7", tmp_path / "m.safetensors"
    result = cli("convert", source, "-o", out)
    assert "4 tensors, 59 parameters, 472 bytes, from model (nn.Sequential)" in result.stdout
    assert "note: tied, written once: 0.1.0.weight = 0.0.0.weight" in result.stderr
    found = metadata(out)
    assert json.loads(found.pop("aliases")) == {
        f"0.1.{i}.{name}": f"0.0.{i}.{name}" for i in (0, 2) for name in ("weight", "bias")
    }
    assert found == {
        "format": "pt",
        "rekindle": version("rekindle"),
        "source": "siamese_cosine.t7",
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "class": "nn.Sequential",
        "path": "model",
    }


def test_other_formats_hold_the_same(cli, models, tmp_path):
    source = models / "charrnn_checkpoint.t7"
    cli("convert", source, "-o", tmp_path / "m.safetensors")
    cli("convert", source, "-o", tmp_path / "m.npz")
    expected = load_file(tmp_path / "m.safetensors")
    with np.load(tmp_path / "m.npz") as archive:
        assert json.loads(str(archive["__metadata__"]))["path"] == "protos.rnn"
        for name, value in expected.items():
            np.testing.assert_array_equal(archive[name], value)


def test_pytorch_files(cli, models, tmp_path):
    torch = pytest.importorskip("torch")
    cli("convert", models / "siamese_cosine.t7", "-o", tmp_path / "m.pth")
    state = torch.load(tmp_path / "m.pth", weights_only=True)
    assert state["0.1.0.weight"] is not None
    assert state["0.1.0.weight"].data_ptr() == state["0.0.0.weight"].data_ptr()
    record = rekindle.load(models / "siamese_cosine.t7")
    weight = record.model.modules[1].modules[1].modules[1].weight
    np.testing.assert_array_equal(state["0.0.0.weight"].numpy(), weight.numpy())


def test_pytorch_is_named_where_it_is_missing(cli, models, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    result = cli("convert", models / "siamese_cosine.t7", "-o", tmp_path / "m.pt", code=1)
    assert "needs PyTorch" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", ["t7", "t7-ascii"])
def test_t7_keeps_everything(cli, models, tmp_path, to):
    source, out = models / "charrnn_checkpoint.t7", tmp_path / "m.t7"
    cli("convert", source, "-o", out, "--to", to)
    assert rekindle.load(source).opt.equals(rekindle.load(out).opt)
    assert rekindle.load(source).vocab.equals(rekindle.load(out).vocab)
    binary = torchfile.load(str(out), use_list_heuristic=False) if to == "t7" else None
    assert binary is None or binary[b"epoch"] == 0.5
    before = rekindle.load(source).protos.rnn.modules[3].weight.numpy()
    np.testing.assert_array_equal(before, rekindle.load(out).protos.rnn.modules[3].weight.numpy())
    assert (b"\x00" in out.read_bytes()) == (to == "t7")


def test_tables_become_json(cli, models, tmp_path):
    source = models / "charrnn_checkpoint.t7"
    cli("convert", source, "--select", "opt", "-o", tmp_path / "opt.json")
    assert json.loads((tmp_path / "opt.json").read_text()) == {
        "model": "lstm",
        "seq_length": 5,
        "rnn_size": 8,
        "num_layers": 1,
    }
    result = cli("convert", source, "-o", tmp_path / "all.json", code=1)
    assert "JSON takes tables, text, numbers and booleans" in result.stderr
    assert not (tmp_path / "all.json").exists()


def test_types(cli, models, tmp_path):
    source = models / "siamese_cosine.t7"
    original = rekindle.load(source).model.modules[1].modules[1].modules[1].weight.numpy()
    cli("convert", source, "-o", tmp_path / "m.npz", "--dtype", "float16")
    with np.load(tmp_path / "m.npz") as archive:
        np.testing.assert_array_equal(archive["0.0.0.weight"], original.astype(np.float16))
    cli("convert", source, "-o", tmp_path / "m.t7", "--dtype", "float32")
    model = rekindle.load(tmp_path / "m.t7").model
    first, second = model.modules[1].modules[1], model.modules[1].modules[2]
    assert model._type == first.modules[1]._type == "torch.FloatTensor"
    np.testing.assert_array_equal(first.modules[1].weight.numpy(), original.astype(np.float32))
    assert first.modules[1].weight.storage() is second.modules[1].weight.storage()
    assert model(Table([Tensor(np.ones((2, 6), np.float32))] * 2))[1].dtype == np.float32


def test_too_large_for_the_type_is_noted(cli, saved, tmp_path):
    path = saved(Table({"w": Tensor(np.array([1.0, 1e9]))}))
    result = cli("convert", path, "-o", tmp_path / "m.npz", "--dtype", "float16")
    assert "note: w: values too large for float16 became infinite" in result.stderr


def test_gradients_are_written_when_asked_for(cli, models, tmp_path):
    source = models / "charrnn_checkpoint.t7"
    cli("convert", source, "-o", tmp_path / "a.npz")
    cli("convert", source, "-o", tmp_path / "b.npz", "--grads")
    with np.load(tmp_path / "a.npz") as a, np.load(tmp_path / "b.npz") as b:
        assert "2.gradWeight" not in a.files
        assert {"2.gradWeight", "2.gradBias"} <= set(b.files)
        assert b["2.gradWeight"].shape == b["2.weight"].shape


def test_unknown_classes_never_stop_the_conversion(cli, saved, unknown_model, tmp_path):
    result = cli("convert", saved(unknown_model), "-o", tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz") as archive:
        names = set(archive.files) - {"__metadata__"}
        np.testing.assert_array_equal(archive["1.scale"], [1, 2, 3])
    assert names == {"0.weight", "0.bias", "1.weight", "1.scale", "1.offsets"}
    assert (
        "note: unknown class nn.MyScale, fields judged by their names: "
        "1.weight (parameter), 1.scale (parameter), 1.offsets (buffer)" in result.stderr
    )


def test_methods_in_the_file_stop_the_conversion(cli, fixtures, tmp_path):
    source = fixtures / "behaviour" / "instance_override.t7"
    result = cli("convert", source, "-o", tmp_path / "m.npz", code=1)
    assert "results.module.modules[1] (nn.ReLU) has its own updateOutput" in result.stderr
    cli("convert", source, "-o", tmp_path / "m.npz", "--ignore-overrides")
    cli("convert", source, "-o", tmp_path / "m.t7")


def test_one_of_several_modules_is_chosen(cli, saved, tmp_path):
    nets = {"netG": rekindle.legacy_nn.Linear(2, 1), "netD": rekindle.legacy_nn.Linear(1, 2)}
    path = saved(Table(nets))
    result = cli("convert", path, "-o", tmp_path / "m.npz", code=2)
    assert "holds 2 modules; choose one" in result.stderr
    assert "--select 'netG'  (nn.Linear)" in result.stderr
    cli("convert", path, "--select", "netD", "-o", tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz") as archive:
        assert archive["weight"].shape == (2, 1)
    cli("convert", path, "--select", "netG.weight", "-o", tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as archive:
        assert archive["weight"].shape == (1, 2)


def test_nothing_to_write_is_a_problem(cli, saved, tmp_path):
    path = saved(rekindle.legacy_nn.ReLU())
    assert "no parameters" in cli("convert", path, "-o", tmp_path / "m.npz", code=1).stderr


def test_nothing_is_replaced_without_force(cli, models, tmp_path):
    out = tmp_path / "m.npz"
    out.write_text("precious")
    result = cli("convert", models / "bow_mean.t7", "-o", out, code=2)
    assert "is there already; --force replaces it" in result.stderr
    assert out.read_text() == "precious"
    cli("convert", models / "bow_mean.t7", "-o", out, "--force")
    np.load(out).close()


def test_no_half_written_file_is_left(cli, models, tmp_path, monkeypatch):
    import rekindle.cli.conversion as conversion

    out = tmp_path / "m.npz"
    out.write_text("precious")

    def break_off(path, weights, extension):
        with open(path, "wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(conversion, "write_weights", break_off)
    result = cli("convert", models / "bow_mean.t7", "-o", out, "--force", code=2)
    assert result.stderr == "Error: No space left on device\n"
    assert out.read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["m.npz"]


def test_targets_that_cannot_be(cli, models, tmp_path):
    source = models / "bow_mean.t7"
    assert "no folder" in cli("convert", source, "-o", tmp_path / "x" / "m.npz", code=2).stderr
    assert "name a format" in cli("convert", source, "-o", tmp_path / "m.xyz", code=2).stderr
    out = tmp_path / "m.npz"
    assert (
        "exclude"
        in cli("convert", source, "-o", out, "--like", source, "--map", source, code=2).stderr
    )


def test_permissions_and_links(cli, models, tmp_path):
    source, out = models / "bow_mean.t7", tmp_path / "m.npz"
    cli("convert", source, "-o", out)
    mask = os.umask(0)
    os.umask(mask)
    assert out.stat().st_mode & 0o777 == 0o666 & ~mask
    link = tmp_path / "link.npz"
    link.symlink_to(out)
    cli("convert", source, "-o", link, "--force")
    assert link.is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="no /dev/null")
def test_devices_are_written_to_and_not_replaced(cli, models):
    cli("convert", models / "bow_mean.t7", "-o", "/dev/null", "--to", "npz")
    assert not os.path.isfile("/dev/null")


def test_standard_streams(cli, models, tmp_path):
    data = (models / "bow_mean.t7").read_bytes()
    result = cli("convert", "-", "-o", "-", stdin=data)
    (tmp_path / "m.safetensors").write_bytes(result.stdout_bytes)
    loaded = load_file(tmp_path / "m.safetensors")
    assert sum(a.size for a in loaded.values()) == 141
    assert "standard output: 3 tensors" in result.stderr
    assert metadata(tmp_path / "m.safetensors")["sha256"] == hashlib.sha256(data).hexdigest()


def test_several_files_into_a_folder(cli, models, tmp_path):
    good = [models / "bow_mean.t7", models / "siamese_cosine.t7"]
    cli("convert", *good, "-o", tmp_path / "out")
    names = {"bow_mean.safetensors", "siamese_cosine.safetensors"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == names
    cli("convert", *good, "-o", tmp_path / "out", code=2)
    bad = tmp_path / "bad.t7"
    bad.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1\n")
    result = cli("convert", good[0], bad, good[1], "-o", tmp_path / "two", "--to", "npz", code=2)
    assert f"Error: {bad}: " in result.stderr
    assert "1 of 3 files were not converted" in result.stderr
    assert {p.name for p in (tmp_path / "two").iterdir()} == {"bow_mean.npz", "siamese_cosine.npz"}
    again = cli("convert", good[0], good[0], "-o", tmp_path / "three", code=2)
    assert "several FILEs would become" in again.stderr


def test_views_that_repeat_need_max_bytes(cli, saved, tmp_path):
    huge = Tensor.view_of(Storage(np.ones(1)), 0, (10**6, 10**6), (0, 0))
    path = saved(Table({"w": huge, "v": Tensor(np.ones(3))}))
    assert path.stat().st_size < 1000
    result = cli("convert", path, "-o", tmp_path / "m.npz", code=1)
    assert "take 8.0 TB more than the file's storages hold" in result.stderr
    assert "w alone is 1000000x1000000 on a storage of 8 bytes" in result.stderr
    many = Storage(np.ones(1000))
    views = Table([Tensor.view_of(many, i, (900,), (1,)) for i in range(50)])
    path = saved(views, "views.t7")
    cli("convert", path, "-o", tmp_path / "m.npz", "--max-bytes", "1kB", code=1)
    cli("convert", path, "-o", tmp_path / "m.npz", "--max-bytes", "10MiB")
    assert (
        "no number of bytes"
        in cli("convert", path, "-o", tmp_path / "x.npz", "--max-bytes", "lots", code=2).stderr
    )
    cli("convert", saved(Table({"w": huge}), "again.t7"), "-o", tmp_path / "m.t7")
    assert (tmp_path / "m.t7").stat().st_size < 1000


def test_json_report(cli, models, tmp_path):
    out = tmp_path / "m.npz"
    found = json.loads(cli("convert", models / "bow_mean.t7", "-o", out, "--json").stdout)
    assert found["output"] == str(out)
    assert found["parameters"] == 141
    assert found["tensors"][0] == {
        "path": "model.modules[1].weight",
        "name": "0.weight",
        "shape": [20, 6],
        "dtype": "float64",
        "kind": "parameter",
    }


@pytest.fixture
def convnet(saved):
    """Return a file of two convolutions, batch normalisation, and a linear layer."""
    nn = rekindle.legacy_nn
    model = nn.Sequential()
    model.add(nn.SpatialConvolution(3, 4, 3, 3)).add(nn.SpatialBatchNormalization(4)).add(nn.ReLU())
    model.add(nn.SpatialConvolution(4, 5, 3, 3)).add(nn.View(5)).add(nn.Linear(5, 2))
    return saved(model)


NAMES = {
    "0.weight": "conv1.weight",
    "0.bias": "conv1.bias",
    "1.weight": "bn.weight",
    "1.bias": "bn.bias",
    "1.running_mean": "bn.running_mean",
    "1.running_var": "bn.running_var",
    "3.weight": "conv2.weight",
    "3.bias": "conv2.bias",
    "5.weight": "fc.weight",
    "5.bias": "fc.bias",
}


def named_arrays(cli, path, tmp_path, names):
    cli("convert", path, "-o", tmp_path / "plain.safetensors")
    plain = load_file(tmp_path / "plain.safetensors")
    return {new: plain[old] for old, new in names.items()}


def test_like_takes_over_names_by_order_and_shape(cli, convnet, tmp_path):
    expected = named_arrays(cli, convnet, tmp_path, NAMES)
    other = {name: np.zeros_like(a) for name, a in expected.items()}
    np.savez(tmp_path / "other.npz", **other, **{"bn.num_batches_tracked": np.array(0)})
    out = tmp_path / "m.safetensors"
    result = cli("convert", convnet, "-o", out, "--like", tmp_path / "other.npz")
    assert "modules[1].weight        conv1.weight     4x3x3x3\n" in result.stdout
    loaded = load_file(out)
    assert set(loaded) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(loaded[name], value)
    assert json.loads(metadata(out)["renamed"]) == {new: old for old, new in NAMES.items()}
    cli("verify", convnet, out, "--random", "2x3x5x5")


def test_like_a_file_without_an_order(cli, saved, tmp_path):
    nn = rekindle.legacy_nn
    path = saved(nn.Sequential().add(nn.Linear(3, 4)).add(nn.Linear(4, 4)).add(nn.Linear(4, 4)))
    names = {
        f"{i}.{f}": f"layer{n}.{f}"
        for i, n in ((0, 1), (1, 2), (2, 10))
        for f in ("weight", "bias")
    }
    expected = named_arrays(cli, path, tmp_path, names)
    save_file({n: np.zeros_like(a) for n, a in expected.items()}, tmp_path / "other.safetensors")
    cli("convert", path, "-o", tmp_path / "m.safetensors", "--like", tmp_path / "other.safetensors")
    for name, value in load_file(tmp_path / "m.safetensors").items():
        np.testing.assert_array_equal(expected[name], value)


def test_like_refuses_what_is_ambiguous(cli, saved, tmp_path):
    nn = rekindle.legacy_nn
    path = saved(nn.Sequential().add(nn.Linear(4, 4)).add(nn.Linear(4, 4)))
    other = {
        f"{n}.{f}": np.zeros((4, 4) if f == "weight" else 4)
        for n in ("enc", "dec")
        for f in ("weight", "bias")
    }
    save_file(other, tmp_path / "other.safetensors")
    out = tmp_path / "m.safetensors"
    result = cli("convert", path, "-o", out, "--like", tmp_path / "other.safetensors", code=1)
    assert "is not clear from order and shape" in result.stderr
    assert "0.weight, 1.weight with shape 4x4: dec.weight, enc.weight" in result.stderr
    assert not out.exists()


def test_like_refuses_another_architecture(cli, convnet, tmp_path):
    save_file({"a": np.zeros((4, 3, 3, 3)), "b": np.zeros(7)}, tmp_path / "other.safetensors")
    out = tmp_path / "m.safetensors"
    result = cli("convert", convnet, "-o", out, "--like", tmp_path / "other.safetensors", code=1)
    assert "is of another architecture: 2 tensors, here 10" in result.stderr
    assert "more of this shape there: b 7" in result.stderr


def test_like_a_pytorch_file(cli, convnet, tmp_path):
    torch = pytest.importorskip("torch")
    from collections import OrderedDict

    net = torch.nn.Sequential(
        OrderedDict(
            conv1=torch.nn.Conv2d(3, 4, 3),
            bn=torch.nn.BatchNorm2d(4),
            relu=torch.nn.ReLU(),
            conv2=torch.nn.Conv2d(4, 5, 3),
            flat=torch.nn.Flatten(),
            fc=torch.nn.Linear(5, 2),
        )
    ).double()
    torch.save(net.state_dict(), tmp_path / "other.pth")
    cli("convert", convnet, "-o", tmp_path / "m.pt", "--like", tmp_path / "other.pth")
    net.load_state_dict(torch.load(tmp_path / "m.pt", weights_only=True))
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 5))
    model = rekindle.load(convnet).evaluate()
    ours = model(Tensor(x)).numpy()
    theirs = net.eval()(torch.from_numpy(x)).detach().numpy()
    assert np.abs(ours - theirs).max() <= 1e-10 * np.abs(theirs).max()


def test_like_reshapes_the_matrices_of_old_convolutions(cli, saved, tmp_path):
    nn = rekindle.legacy_nn
    convolution = nn.SpatialConvolutionMM(3, 4, 5, 2)
    path = saved(nn.Sequential().add(convolution))
    np.savez(tmp_path / "o.npz", **{"c.weight": np.ones((4, 3, 2, 5)), "c.bias": np.ones(4)})
    cli("convert", path, "-o", tmp_path / "m.npz", "--like", tmp_path / "o.npz")
    with np.load(tmp_path / "m.npz") as archive:
        matrix = convolution.weight.numpy()
        assert matrix.shape == (4, 30)
        np.testing.assert_array_equal(archive["c.weight"], matrix.reshape(4, 3, 2, 5))
    cli("verify", path, tmp_path / "m.npz")


@pytest.mark.parametrize("extension", ["npz", "safetensors"])
def test_like_a_file_that_lists_tied_weights_twice_or_once(cli, models, tmp_path, extension):
    source = models / "siamese_cosine.t7"
    once = {f"enc.{i}.{f}": np.ones(s) for i, f, s in SIAMESE_SHAPES}
    twice = once | {f"twin.{i}.{f}": np.ones(s) for i, f, s in SIAMESE_SHAPES}
    if extension == "safetensors":
        save_file(once, tmp_path / "o.safetensors")
        cli("convert", source, "-o", tmp_path / "m.npz", "--like", tmp_path / "o.safetensors")
    else:
        np.savez(tmp_path / "o.npz", **twice)
        cli("convert", source, "-o", tmp_path / "m.npz", "--like", tmp_path / "o.npz")
        with np.load(tmp_path / "m.npz") as archive:
            aliases = json.loads(json.loads(str(archive["__metadata__"]))["aliases"])
        assert aliases["twin.2.weight"] == "enc.2.weight"
    with np.load(tmp_path / "m.npz") as archive:
        assert set(archive.files) == {*once, "__metadata__"}
    cli("verify", source, tmp_path / "m.npz")


SIAMESE_SHAPES = [(0, "weight", (5, 6)), (0, "bias", 5), (2, "weight", (4, 5)), (2, "bias", 4)]


def test_map_renames(cli, convnet, tmp_path):
    names = tmp_path / "names.json"
    names.write_text(json.dumps(NAMES))
    expected = named_arrays(cli, convnet, tmp_path, NAMES)
    cli("convert", convnet, "-o", tmp_path / "m.safetensors", "--map", names)
    for name, value in load_file(tmp_path / "m.safetensors").items():
        np.testing.assert_array_equal(expected[name], value)
    names.write_text('{"0.weights": "x"}')
    result = cli("convert", convnet, "-o", tmp_path / "x.npz", "--map", names, code=2)
    assert "no tensor is called 0.weights" in result.stderr
    names.write_text('{"0.weight": "0.bias"}')
    result = cli("convert", convnet, "-o", tmp_path / "x.npz", "--map", names, code=1)
    assert "two tensors would be called 0.bias" in result.stderr
    names.write_text("{")
    cli("convert", convnet, "-o", tmp_path / "x.npz", "--map", names, code=2)
