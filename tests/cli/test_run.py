import io
import json

import numpy as np
import pytest
from PIL import Image

import rekindle
from rekindle import Table, Tensor
from rekindle.core.checkpoint import TorchObject


def close(ours, theirs, tol=1e-10):
    if isinstance(theirs, Table):
        return all(close(ours[k], v, tol) for k, v in theirs.items())
    a, b = ours.numpy(), theirs.numpy()
    return a.shape == b.shape and np.abs(a - b).max() <= tol * np.abs(b).max()


@pytest.mark.parametrize(
    "name",
    ["siamese_cosine", "charrnn_lstm_dropout", "dcgan_G_float", "lenet_tutorial", "bow_mean"],
)
def test_recorded_outputs_in_both_modes(cli, models, tmp_path, name):
    source = models / f"{name}.t7"
    record = rekindle.load(source)
    tol = 1e-5 if record.dtype == "float" else 1e-10
    given = ["--input", source, "--input-select", "input", "-o", tmp_path / "y.t7", "--force"]
    cli("run", source, *given)
    assert close(rekindle.load(tmp_path / "y.t7"), record.output, tol)
    cli("run", source, *given, "--train")
    assert close(rekindle.load(tmp_path / "y.t7"), record.output_train, tol)


def test_arrays_in_and_out(cli, models, tmp_path):
    source = models / "dcgan_G_float.t7"
    record = rekindle.load(source)
    np.save(tmp_path / "x.npy", record.input.numpy().astype(np.float64))  # another type
    cli("run", source, "--input", tmp_path / "x.npy", "-o", tmp_path / "y.npy")
    y = np.load(tmp_path / "y.npy")
    assert y.dtype == np.float32
    assert close(Tensor(y), record.output, 1e-5)


def test_tables_in_and_out(cli, models, tmp_path):
    source = models / "siamese_cosine.t7"
    record = rekindle.load(source)
    x = [record.input[1].numpy(), record.input[2].numpy()]
    np.savez(tmp_path / "a.npz", **{"1": x[0], "2": x[1]})
    np.savez(tmp_path / "b.npz", *x)  # arr_0, arr_1
    for name in ("a", "b"):
        cli("run", source, "--input", tmp_path / f"{name}.npz", "-o", tmp_path / f"y{name}.npz")
        with np.load(tmp_path / f"y{name}.npz") as y:
            assert y.files == ["1", "2"]
            assert close(Tensor(y["2"]), record.output[2])
    result = cli("run", source, "--input", tmp_path / "a.npz", "-o", tmp_path / "y.npy", code=1)
    assert "the output is a table" in result.stderr
    assert not (tmp_path / "y.npy").exists()


def test_an_archive_of_one_array_is_that_array(cli, saved, tmp_path):
    path = saved(rekindle.legacy_nn.Identity())
    np.savez(tmp_path / "x.npz", np.arange(3.0))
    cli("run", path, "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    with np.load(tmp_path / "y.npz") as y:
        assert y["output"].tolist() == [0, 1, 2]
    cli("run", path, "--input", tmp_path / "y.npz", "-o", tmp_path / "z.npy")
    np.savez(tmp_path / "t.npz", **{"1": np.arange(3.0)})
    cli("run", path, "--input", tmp_path / "t.npz", "-o", tmp_path / "u.npz")
    with np.load(tmp_path / "u.npz") as y:
        assert y.files == ["1"]


def test_tables_inside_tables(cli, saved, tmp_path):
    nn = rekindle.legacy_nn
    inner = nn.ParallelTable().add(nn.Identity()).add(nn.Identity())
    path = saved(nn.ParallelTable().add(nn.MulConstant(2)).add(inner))
    np.savez(tmp_path / "x.npz", **{"1": np.ones(2), "2.1": np.zeros(1), "2.2": np.full(3, 5.0)})
    cli("run", path, "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    with np.load(tmp_path / "y.npz") as y:
        assert {n: y[n].tolist() for n in y.files} == {
            "1": [2, 2],
            "2.1": [0],
            "2.2": [5, 5, 5],
        }


def test_masks_and_numbers_become_what_torch_takes(cli, saved, tmp_path):
    path = saved(rekindle.legacy_nn.MaskedSelect())
    mask = np.array([True, False, True])
    np.savez(tmp_path / "x.npz", **{"1": np.array([1, 2, 3]), "2": mask})
    cli("run", path, "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), [1.0, 3.0])


def test_random_inputs_repeat_with_their_seed(cli, models, tmp_path):
    source = models / "siamese_cosine.t7"
    outputs = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / f"{name}.npz"
        cli("run", source, "--random", "2x6", "--random", "2,6", "--seed", seed, "-o", out)
        with np.load(out) as y:
            outputs.append(y["1"])
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert not np.array_equal(outputs[0], outputs[2])
    result = cli("run", source, "--random", "2xtwo", code=2)
    assert "no shape" in result.stderr


def test_random_indices_are_in_range(cli, models):
    cli("run", models / "bow_mean.t7", "--random", "40x7")


def test_classes_count_from_one(cli, saved, tmp_path):
    path = saved(rekindle.legacy_nn.Identity())
    np.save(tmp_path / "x.npy", np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]]))
    result = cli("run", path, "--input", tmp_path / "x.npy", "--topk", "2")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["2", "0.7"] in rows
    assert ["3", "0.2"] in rows
    report = json.loads(
        cli("run", path, "--input", tmp_path / "x.npy", "--topk", "2", "--json").stdout
    )
    assert [[t["class"] for t in sample] for sample in report["top"]] == [[2, 3], [1, 2]]
    assert report["numbers"][""]["max"] == 0.7
    result = cli("run", path, "--random", "2x3x4", "--topk", "1", code=1)
    assert "one number per class" in result.stderr


@pytest.fixture
def image(tmp_path):
    """Return an image file of 2 by 3 pixels, and its planes from 0 to 1."""
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 14
    Image.fromarray(pixels).save(tmp_path / "x.png")
    return tmp_path / "x.png", pixels.transpose(2, 0, 1) / 255


def identity_of(cli, saved, image, tmp_path, *options):
    path = saved(rekindle.legacy_nn.Identity())
    cli("run", path, "--input", image, "-o", tmp_path / "y.npy", "--force", *options)
    return np.load(tmp_path / "y.npy")


def test_preprocessing_of_images(cli, saved, image, tmp_path):
    name, planes = image

    def run(*options):
        return identity_of(cli, saved, name, tmp_path, *options)

    np.testing.assert_allclose(run(), planes[None])
    np.testing.assert_allclose(run("--preprocess", "0to1"), planes[None])
    np.testing.assert_allclose(run("--preprocess", "minus1to1"), planes[None] * 2 - 1)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = (planes - mean[:, None, None]) / std[:, None, None]
    np.testing.assert_allclose(run("--preprocess", "imagenet"), expected[None])
    caffe = planes[::-1] * 255 - np.array([103.939, 116.779, 123.68])[:, None, None]
    np.testing.assert_allclose(run("--preprocess", "caffe"), caffe[None])
    (tmp_path / "p.json").write_text('{"mean": [1, 2, 3], "std": 2, "scale": 255, "bgr": true}')
    own = (planes[::-1] * 255 - np.array([1, 2, 3])[:, None, None]) / 2
    np.testing.assert_allclose(run("--preprocess", tmp_path / "p.json"), own[None])
    rekindle.save(
        Table({"mean": Table([0.1, 0.2, 0.3]), "std": Tensor(np.ones(3))}), tmp_path / "p.t7"
    )
    own = planes - np.array([0.1, 0.2, 0.3])[:, None, None]
    np.testing.assert_allclose(run("--preprocess", tmp_path / "p.t7"), own[None])
    rekindle.save(Tensor(planes), tmp_path / "mean.t7")
    np.testing.assert_allclose(run("--preprocess", tmp_path / "mean.t7"), np.zeros((1, 3, 2, 3)))


def test_preprocessing_that_cannot_be(cli, saved, image, tmp_path):
    path = saved(rekindle.legacy_nn.Identity())
    name, _ = image
    result = cli("run", path, "--input", name, "--preprocess", "vgg", code=2)
    assert "neither a file nor one of imagenet, caffe, minus1to1, 0to1" in result.stderr
    (tmp_path / "p.json").write_text('{"std": 1}')
    cli("run", path, "--input", name, "--preprocess", tmp_path / "p.json", code=2)
    (tmp_path / "p.json").write_text('{"mean": [1, 2]}')
    result = cli("run", path, "--input", name, "--preprocess", tmp_path / "p.json", code=2)
    assert "does not fit" in result.stderr
    np.save(tmp_path / "x.npy", np.ones(3))
    result = cli("run", path, "--input", tmp_path / "x.npy", "--preprocess", "caffe", code=2)
    assert "--preprocess is for images" in result.stderr


def test_grey_images_and_broken_ones(cli, saved, tmp_path):
    Image.fromarray(np.array([[0, 51], [102, 255]], np.uint8)).save(tmp_path / "g.png")
    y = identity_of(cli, saved, tmp_path / "g.png", tmp_path)
    np.testing.assert_allclose(y, [[[[0, 0.2], [0.4, 1]]]])
    (tmp_path / "b.png").write_bytes((tmp_path / "g.png").read_bytes()[:40])
    path = saved(rekindle.legacy_nn.Identity())
    result = cli("run", path, "--input", tmp_path / "b.png", code=2)
    assert "an image that Pillow cannot read" in result.stderr


@pytest.mark.parametrize("preset", ["imagenet", "caffe", "minus1to1", "0to1"])
def test_an_image_comes_out_as_it_went_in(cli, saved, image, tmp_path, preset):
    name, planes = image
    path = saved(rekindle.legacy_nn.Identity())
    out = tmp_path / "y.png"
    cli("run", path, "--input", name, "--preprocess", preset, "-o", out)
    with Image.open(out) as result:
        np.testing.assert_array_equal(np.asarray(result).transpose(2, 0, 1), np.rint(planes * 255))


def test_batches_become_tiles_and_ranges_are_named(cli, saved, tmp_path):
    path = saved(rekindle.legacy_nn.Identity())
    batch = np.stack([np.full((1, 2, 2), v) for v in (-1.0, 0.0, 1.0)])
    np.save(tmp_path / "x.npy", batch)
    result = cli("run", path, "--input", tmp_path / "x.npy", "-o", tmp_path / "y.png")
    assert "black is -1, white 1" in result.stdout
    with Image.open(tmp_path / "y.png") as tiles:
        pixels = np.asarray(tiles)
    assert pixels.shape == (4, 4)
    assert pixels[0, 0] == 0
    assert pixels[0, 2] == 128
    assert pixels[2, 0] == 255
    np.save(tmp_path / "x.npy", batch * 7)
    result = cli("run", path, "--input", tmp_path / "x.npy", "-o", tmp_path / "z.png", code=1)
    assert "which numbers are black and white?" in result.stderr
    np.save(tmp_path / "x.npy", np.ones((2, 5, 3, 3)))
    result = cli("run", path, "--input", tmp_path / "x.npy", "-o", tmp_path / "z.png", code=1)
    assert "is no image" in result.stderr
    assert not (tmp_path / "z.png").exists()


def test_standard_streams(cli, models, tmp_path):
    source = models / "dcgan_G_float.t7"
    record = rekindle.load(source)
    buffer = io.BytesIO()
    np.save(buffer, record.input.numpy())
    result = cli("run", source, "--input", "-", "-o", "-", stdin=buffer.getvalue())
    assert close(Tensor(np.load(io.BytesIO(result.stdout_bytes))), record.output, 1e-5)
    assert "output  float32" in result.stderr
    np.save(tmp_path / "x.npy", record.input.numpy())
    cli("run", "-", "--input", tmp_path / "x.npy", stdin=source.read_bytes())
    cli("run", "-", "--input", "-", stdin=b"", code=2)
    tables = models / "siamese_cosine.t7"
    result = cli("run", tables, "--random", "2x6", "--random", "2x6", "-o", "-")
    assert np.load(io.BytesIO(result.stdout_bytes)).files == ["1", "2"]


def test_what_cannot_run_is_named_with_its_place(cli, saved, models, fixtures, unknown_model):
    result = cli("run", saved(Table({"net": unknown_model})), "--random", "1x3", code=1)
    assert "nn.MyScale at net.modules[2]" in result.stderr
    override = fixtures / "behaviour" / "instance_override.t7"
    result = cli("run", override, "--random", "2", code=1)
    assert "nn.ReLU at results.module.modules[1]" in result.stderr
    assert "updateOutput" in result.stderr
    result = cli("run", models / "siamese_cosine.t7", "--random", "2x7", "--random", "2x7", code=1)
    assert "the model does not take the input, {float64 2x7, float64 2x7}" in result.stderr
    assert "In 1 module of nn.Sequential" in result.stderr


def test_usage(cli, models, saved, tmp_path):
    source = models / "siamese_cosine.t7"
    assert "either --input or --random" in cli("run", source, code=2).stderr
    np.save(tmp_path / "x.npy", np.ones(3))
    cli("run", source, "--input", tmp_path / "x.npy", "--random", "3", code=2)
    cli("run", source, "--random", "3", "-o", tmp_path / "y.xyz", code=2)
    (tmp_path / "y.npy").write_text("precious")
    result = cli("run", source, "--random", "3", "-o", tmp_path / "y.npy", code=2)
    assert "--force" in result.stderr
    assert (tmp_path / "y.npy").read_text() == "precious"
    result = cli("run", saved(Table({"a": 1})), "--random", "3", code=2)
    assert "holds no module" in result.stderr
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    cli("run", source, "--input", tmp_path / "o.npy", code=2)
    np.save(tmp_path / "c.npy", np.ones(3, complex))
    assert "no array that" in cli("run", source, "--input", tmp_path / "c.npy", code=2).stderr
    (tmp_path / "t.txt").write_text("hello")
    cli("run", source, "--input", tmp_path / "t.txt", code=2)


def test_old_batch_norms_of_cudnn_are_read_as_told(cli, tmp_path):
    module = rekindle.legacy_nn.cudnn.SpatialBatchNormalization(2)
    module.running_var.fill_(0.5)
    fields = Table(vars(module))
    rekindle.save(TorchObject("cudnn.SpatialBatchNormalization", 1, fields), tmp_path / "old.t7")
    x = np.arange(8.0).reshape(1, 2, 2, 2)
    np.save(tmp_path / "x.npy", x)

    def outputs(*options):
        given = ["--input", tmp_path / "x.npy", "-o", tmp_path / "y.npy", "--force"]
        result = cli("run", tmp_path / "old.t7", *given, *options)
        weight = module.weight.numpy().reshape(2, 1, 1)
        return np.load(tmp_path / "y.npy") / weight, result.stderr

    y, told = outputs("--bn-var", "inverse-std")
    np.testing.assert_allclose(y, x * 0.5)
    assert "running_var held" not in told
    y, told = outputs()
    np.testing.assert_allclose(y, x / np.sqrt(0.5 + 1e-5))
    assert "--bn-var inverse-std" in " ".join(told.split())
    cli("convert", tmp_path / "old.t7", "-o", tmp_path / "new.npz", "--bn-var", "inverse-std")
    with np.load(tmp_path / "new.npz") as weights:
        np.testing.assert_allclose(weights["running_var"], [4 - 1e-5] * 2)
