"""State_dicts in files: what is written comes back, whoever reads it."""

import numpy as np
import pytest

import rekindle
from rekindle import nn
from rekindle.core.checkpoint import StateError
from rekindle.core.export import UnreadableError


def network():
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))
    net[1].running_mean.copy_(rekindle.tensor([1.0, 2.0, 3.0]))
    return net


@pytest.mark.parametrize("name", ["m.safetensors", "m.npz", "m"])
def test_a_state_comes_back(tmp_path, name):
    net, other = network(), network()
    rekindle.save_state(net.state_dict(), tmp_path / name)
    state = rekindle.load_state(tmp_path / name)
    assert sorted(state) == sorted(net.state_dict())
    other.load_state_dict(state)
    for key, value in other.state_dict().items():
        own = net.state_dict()[key]
        assert value.dtype == own.dtype
        assert value.shape == own.shape
        assert value.numpy().tobytes() == own.numpy().tobytes()


def test_other_libraries_read_it(tmp_path):
    from safetensors.numpy import load_file

    net = network()
    rekindle.save_state(net.state_dict(), tmp_path / "m.safetensors")
    rekindle.save_state(net.state_dict(), tmp_path / "m.npz")
    weight = net[3].weight.detach().numpy()
    assert np.array_equal(load_file(tmp_path / "m.safetensors")["3.weight"], weight)
    with np.load(tmp_path / "m.npz") as archive:
        assert np.array_equal(archive["3.weight"], weight)


def test_other_libraries_wrote_it(tmp_path):
    from safetensors.numpy import save_file

    array = np.arange(6, dtype=np.float16).reshape(2, 3)
    save_file({"a": array}, tmp_path / "m.safetensors")
    np.savez(tmp_path / "m.npz", a=array)
    for name in ("m.safetensors", "m.npz"):
        assert np.array_equal(rekindle.load_state(tmp_path / name)["a"].numpy(), array)


def test_tied_tensors_are_written_once_and_tied_again(tmp_path):
    net = nn.Sequential(nn.Linear(64, 64, bias=False), nn.Linear(64, 64, bias=False))
    net[1].weight = net[0].weight
    path = tmp_path / "m.safetensors"
    rekindle.save_state(net.state_dict(), path)
    assert path.stat().st_size < 1.5 * net[0].weight.nbytes
    state = rekindle.load_state(path)
    assert state["1.weight"] is state["0.weight"]
    nn.Sequential(nn.Linear(64, 64, bias=False), nn.Linear(64, 64, bias=False)).load_state_dict(
        state
    )


def test_views_odd_layouts_and_kinds(tmp_path):
    base = rekindle.tensor(np.arange(12.0).reshape(3, 4))
    state = {
        "all": base,
        "part": base[1:],
        "turned": base.T,
        "nothing": rekindle.zeros((0, 3)),
        "scalar": rekindle.tensor(2.5),
        "mask": rekindle.tensor([True, False]),
        "array": np.arange(3, dtype=np.int8),
    }
    for name in ("m.safetensors", "m.npz"):
        rekindle.save_state(state, tmp_path / name)
        found = rekindle.load_state(tmp_path / name)
        assert set(found) == set(state)
        for key, value in state.items():
            assert np.array_equal(found[key].numpy(), np.asarray(value)), key
            assert found[key].dtype == value.dtype


def test_metadata_is_text_beside_the_tensors(tmp_path):
    from safetensors import safe_open

    path = tmp_path / "m.safetensors"
    rekindle.save_state({"a": rekindle.zeros(2)}, path, metadata={"licence": "BSD"})
    with safe_open(path, framework="np") as file:
        assert file.metadata() == {"licence": "BSD"}


def test_what_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "m.safetensors"
    rekindle.save_state({"a": rekindle.ones(2)}, path)
    with pytest.raises(StateError, match="'b' is a int"):
        rekindle.save_state({"a": rekindle.zeros(2), "b": 3}, path)
    assert rekindle.load_state(path)["a"].tolist() == [1, 1]
    with pytest.raises(StateError, match=r"rekindle\.save writes"):
        rekindle.save_state({}, tmp_path / "m.t7")
    with pytest.raises(StateError, match="names in a state are text"):
        rekindle.save_state({1: rekindle.zeros(2)}, path)
    with pytest.raises(StateError, match=r"given a Sequential: give its state_dict\(\)"):
        rekindle.save_state(network(), path)
    with pytest.raises(rekindle.T7Error, match="save_state writes a state_dict there"):
        rekindle.save({"a": rekindle.zeros(2)}, path)
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


def test_damaged_files_and_the_wrong_reader(tmp_path):
    path = tmp_path / "m.safetensors"
    rekindle.save_state({"a": rekindle.ones(100)}, path)
    with pytest.raises(rekindle.T7Error, match="load_state"):
        rekindle.load(path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UnreadableError, match="not a safetensors file"):
        rekindle.load_state(path)
