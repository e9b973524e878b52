"""Files that are damaged or made to hurt: one clear line and a documented exit code."""

import random
import re

import numpy as np
import pytest
from click.testing import CliRunner

import rekindle
from rekindle import Storage, Table, Tensor
from rekindle.cli import main
from rekindle.core.checkpoint import TorchObject

SOURCES = [
    "models/siamese_cosine",
    "gpu/convnet_native",
    "gpu/dpt_v3_flat",
    "gpu/cudadouble_mlp_ascii",
]


def mutated(data, generator):
    """Return a copy with a few bytes changed, sizes set, or parts cut out."""
    data = bytearray(data)
    for _ in range(generator.choice([1, 1, 2, 4])):
        place = generator.randrange(len(data))
        kind = generator.randrange(4)
        if kind == 0:
            data[place] = generator.randrange(256)
        elif kind == 1:
            data[place] ^= 1 << generator.randrange(8)
        elif kind == 2:
            size = generator.choice([0, 1, 2, 4, 100, 2**31 - 1, 2**32 - 1])
            data[place : place + 4] = size.to_bytes(4, "little")
        else:
            del data[place : place + generator.randrange(1, 20)]
    return bytes(data)


@pytest.mark.parametrize("source", SOURCES)
def test_mutations_end_in_an_exit_code(fixtures, tmp_path, source):
    original = (fixtures / f"{source}.t7").read_bytes()
    generator = random.Random(source)
    path, out = str(tmp_path / "m.t7"), str(tmp_path / "o.npz")
    for _ in range(40):
        (tmp_path / "m.t7").write_bytes(mutated(original, generator))
        for command in (
            ["inspect", path],
            ["inspect", path, "--json"],
            ["convert", path, "-o", out, "--force"],
            ["run", path, "--random", "1x3x8x8"],
        ):
            result = CliRunner().invoke(main, command)
            assert result.exit_code in (0, 1, 2), command
            assert "defect" not in result.output, (command, result.output)
            assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git-lfs"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch"),
        (b"<!DOCTYPE html><html>404</html>", "HTML"),
        (b"", "empty"),
    ],
)
def test_other_formats_are_named(cli, tmp_path, content, named):
    path = tmp_path / "m.t7"
    path.write_bytes(content)
    for command in (["inspect", path], ["convert", path, "-o", tmp_path / "o.npz"]):
        result = cli(*command, code=2)
        assert named.lower() in result.stderr.lower()
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith(f"Error: {path}: ")


def test_a_huge_view_stops_nothing_but_what_would_write_it_out(cli, saved, tmp_path):
    linear = rekindle.legacy_nn.Linear(2, 2)
    linear.weight.set_(Storage(np.ones(1)), 0, (10**7, 10**7), (0, 0))
    path = saved(rekindle.legacy_nn.Sequential().add(linear))
    assert "weight 10000000x10000000" in cli("inspect", path).stdout
    assert "[1., 1., 1.," in cli("inspect", path, "--select", "modules[1].weight").stdout
    cli("convert", path, "-o", tmp_path / "m.t7")
    for command in (
        ["convert", path, "-o", tmp_path / "m.npz"],
        ["verify", path, tmp_path / "m.t7"],
        ["run", path, "--random", "1x3"],
    ):
        assert "--max-bytes allows it" in cli(*command, code=1).stderr


def test_names_that_would_command_a_terminal(cli, saved, tmp_path):
    thing = TorchObject("nn.Foo", 1, Table({"weight": Tensor(np.ones(2))}))
    path = saved(Table({"\x1b[31mred\udcff": 1, "net": thing}))
    for command in (["inspect", path], ["convert", path, "-o", tmp_path / "m.npz"]):
        result = cli(*command)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", result.output)
    keyed = saved(Table({"a\x00b\udcff/../c": Tensor(np.ones(2))}), "k.t7")
    for name in ("m.npz", "m.safetensors"):
        cli("convert", keyed, "-o", tmp_path / name, "--force")
        cli("verify", keyed, tmp_path / name)


def test_great_depth_converts(cli, saved, tmp_path):
    model = rekindle.legacy_nn.Linear(1, 1)
    for _ in range(3_000):
        model = rekindle.legacy_nn.Sequential().add(model)
    path = saved(model)
    cli("convert", path, "-o", tmp_path / "m.safetensors")
    cli("verify", path, tmp_path / "m.safetensors", "--tensors-only")
    assert "output  float64 1x1" in cli("run", path, "--random", "1x1").stdout


def test_models_that_share_or_contain_themselves_do_not_hang(cli, saved):
    nn = rekindle.legacy_nn
    shared = nn.Tanh()
    for _ in range(60):
        shared = nn.ConcatTable().add(shared).add(shared)
    out = cli("inspect", saved(shared)).stdout
    assert "= modules[1]" in out
    endless = nn.Sequential().add(nn.Tanh())
    endless.add(endless).add(nn.Linear(2, 2))
    path = saved(endless)
    assert "= the file's object" in cli("inspect", path).stdout
    cli("verify", path, path, code=2)
    cli("run", path, "--random", "2x2", code=1)


def test_all_of_a_very_deep_model(cli, saved):
    model = rekindle.legacy_nn.Tanh()
    for _ in range(2_500):
        model = rekindle.legacy_nn.Sequential().add(model)
    out = cli("inspect", saved(model), "--all").stdout
    assert "1,500 more modules" in out
