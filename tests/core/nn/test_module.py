"""Module: registration, walks, modes, state, conversion, text, copies."""

import copy
import pickle

import numpy as np
import pytest

from rekindle.core import nn
from rekindle.core.autograd import no_grad
from rekindle.core.errors import RekindleError
from rekindle.core.nn.errors import AssignmentError, ModuleError, StateDictError
from rekindle.core.tensor import Parameter, Tensor


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.scale = Parameter(np.ones(2, np.float32))
        self.register_buffer("seen", Tensor(np.zeros((), np.int64)))
        self.register_buffer("cache", Tensor(np.zeros(2, np.float32)), persistent=False)
        self.note = Tensor(np.zeros(1))

    def forward(self, x):
        return self.linear(x) * self.scale


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Block()
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(2, 2, bias=False))
        self.again = self.first

    def forward(self, x):
        return self.rest(self.first(x))


# -- registration -----------------------------------------------------------------------


def test_assignment_registers_and_plain_tensors_stay_attributes():
    block = Block()
    assert list(block._parameters) == ["scale"]
    assert list(block._modules) == ["linear"]
    assert list(block._buffers) == ["seen", "cache"]
    assert "note" in vars(block)
    block.scale = None
    assert block.scale is None
    assert [n for n, _ in block.named_parameters()] == ["linear.weight", "linear.bias"]
    block.note = Parameter(np.zeros(1, np.float32))
    assert "note" not in vars(block)
    assert "note" in dict(block.named_parameters())
    block.note = nn.ReLU()
    assert "note" not in block._parameters
    assert "note" in dir(block)
    del block.note
    assert not hasattr(block, "note")
    del block.linear, block.scale, block.seen
    assert block.state_dict() == {}


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda b: setattr(b, "scale", Tensor(np.ones(2))), r"scale holds a Parameter or None"),
        (lambda b: setattr(b, "linear", 3), r"Block.linear holds a Module or None; given int"),
        (lambda b: setattr(b, "seen", [1]), r"Block.seen holds a Tensor or None; given list"),
        (lambda b: b.register_buffer("scale", None), r"'scale' is an attribute already"),
        (lambda b: b.register_buffer("a.b", None), r"'a.b' is no name"),
        (lambda b: b.register_parameter("p", b.note), r"p is to be a Parameter or None"),
        (lambda b: b.add_module("m", print), r"a module is expected here"),
        (lambda b: nn.Sequential(len), r"a module is expected here"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(act, message):
    with pytest.raises(AssignmentError, match=message) as caught:
        act(Block())
    assert isinstance(caught.value, (RekindleError, TypeError))


def test_a_forgotten_constructor_is_named():
    class Forgot(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(1, 1)

    with pytest.raises(ModuleError, match=r"Forgot: call super\(\).__init__\(\) before 'linear'"):
        Forgot()
    with pytest.raises(ModuleError, match=r"Module defines no forward\(\)"):
        nn.Module()(1)
    with pytest.raises(AttributeError, match="ReLU has no attribute 'weight'"):
        _ = nn.ReLU().weight


# -- walks ------------------------------------------------------------------------------


def test_walks_name_everything_once():
    net = Net()
    assert [n for n, _ in net.named_modules()] == [
        "", "first", "first.linear", "rest", "rest.0", "rest.1",
    ]  # fmt: skip
    assert "again.linear" in dict(net.named_modules(remove_duplicate=False))
    assert [n for n, _ in net.named_children()] == ["first", "rest"]
    names = ["first.scale", "first.linear.weight", "first.linear.bias", "rest.1.weight"]
    assert [n for n, _ in net.named_parameters()] == names
    assert [n for n, _ in net.named_parameters(prefix="net")] == [f"net.{n}" for n in names]
    assert [n for n, _ in net.named_parameters(recurse=False)] == []
    assert [n for n, _ in net.named_buffers()] == ["first.seen", "first.cache"]
    assert net.get_submodule("rest.1") is net.rest[1]
    assert net.get_submodule("") is net
    assert net.get_parameter("again.scale") is net.first.scale
    assert net.get_buffer("first.seen") is net.first.seen
    with pytest.raises(ModuleError, match=r"no module 'rest.7.x': rest has no '7'"):
        net.get_submodule("rest.7.x")
    with pytest.raises(ModuleError, match=r"there is no 'rest.0.weight' here; there are first"):
        net.get_parameter("rest.0.weight")


def test_modes_apply_and_gradients():
    net = Net()
    assert all(not m.training for m in net.eval().modules())
    assert all(m.training for m in net.train().modules())
    seen = []
    net.apply(seen.append)
    assert seen[-1] is net
    assert seen.index(net.rest[1]) < seen.index(net.rest)
    net(Tensor(np.ones((4, 3), np.float32))).sum().backward()
    kept = net.first.scale.grad
    net.zero_grad(set_to_none=False)
    assert net.first.scale.grad is kept
    assert not kept.numpy().any()
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())


# -- state ------------------------------------------------------------------------------


def test_state_dict_shares_memory_and_loads():
    net, other = Net(), Net()
    state = net.state_dict()
    assert "first.cache" not in state
    assert list(state)[:4] == [
        "first.scale", "first.seen", "first.linear.weight", "first.linear.bias",
    ]  # fmt: skip
    assert "again.linear.weight" in state
    assert state["first.scale"].storage() is net.first.scale.storage()
    assert not state["first.scale"].requires_grad
    assert net.state_dict(keep_vars=True)["first.scale"] is net.first.scale
    assert "m.first.scale" in net.state_dict(prefix="m.")
    identity = other.first.scale
    arrays = {name: t.numpy().astype("float64") for name, t in state.items()}
    assert other.load_state_dict(arrays) == ([], [])
    assert other.first.scale is identity
    assert other.first.scale.dtype == "float32"
    for a, b in zip(net.parameters(), other.parameters(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


def test_one_error_lists_everything_and_nothing_was_loaded():
    net = Net()
    before = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    state = {k: v + 1 for k, v in net.state_dict().items()}
    del state["first.scale"], state["rest.1.weight"]
    state["first.linear.bias"] = Tensor(np.zeros((7, 1)))
    state["extra"] = state["extra.more"] = Tensor(np.zeros(1))
    with pytest.raises(StateDictError) as caught:
        net.load_state_dict(state)
    assert caught.value.missing == ("first.scale", "rest.1.weight")
    assert caught.value.unexpected == ("extra", "extra.more")
    assert caught.value.misshaped == ("first.linear.bias",)
    assert str(caught.value).splitlines() == [
        "this state_dict is not that of Net; nothing was loaded",
        "  missing: first.scale",
        "  missing: rest.1.weight",
        "  unexpected: extra",
        "  unexpected: extra.more",
        "  first.linear.bias: the module has shape (2,), the state (7, 1)",
    ]
    for k, v in net.state_dict().items():
        assert np.array_equal(v.numpy(), before[k])
    with pytest.raises(StateDictError, match="shape") as caught:
        net.load_state_dict(state, strict=False)
    assert "missing" not in str(caught.value)
    del state["first.linear.bias"], state["again.linear.bias"]
    result = net.load_state_dict(state, strict=False)
    assert result.missing_keys[:2] == ["first.scale", "first.linear.bias"]
    assert result.unexpected_keys == ["extra", "extra.more"]
    assert np.array_equal(net.first.linear.weight.numpy(), before["first.linear.weight"] + 1)


def test_counts_that_older_states_lack_may_be_missing():
    norm = nn.BatchNorm1d(2)
    state = norm.state_dict()
    del state["num_batches_tracked"]
    assert nn.BatchNorm1d(2).load_state_dict(state) == ([], [])


# -- conversion -------------------------------------------------------------------------


def test_conversion_keeps_identity_and_sharing():
    net = Net()
    flat = Tensor(np.zeros(8, np.float32))
    with no_grad():
        net.first.linear.weight.set_(flat.storage(), 0, (2, 3))
        net.first.scale.set_(flat.storage(), 6, (2,))
    net(Tensor(np.ones((1, 3), np.float32))).sum().backward()
    parameters = list(net.parameters())
    assert net.double() is net
    assert all(a is b for a, b in zip(net.parameters(), parameters, strict=True))
    assert {p.dtype.name for p in net.parameters()} == {"float64"}
    assert {p.grad.dtype.name for p in net.parameters() if p.grad is not None} == {"float64"}
    assert net.first.seen.dtype == "int64"
    assert net.first.cache.dtype == "float64"
    assert net.first.scale.storage() is net.first.linear.weight.storage()
    assert net.to("cpu").half().first.scale.dtype == "float16"
    assert net.to(np.float32).first.scale.dtype == "float32"
    assert net.to(Tensor(np.zeros(1))).first.scale.dtype == "float64"
    with pytest.raises(ValueError, match="modules are converted to floating dtypes; given int64"):
        net.to(dtype="int64")


# -- text and copies --------------------------------------------------------------------


def test_text_is_a_tree():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.ReLU(), nn.ModuleDict({"a": nn.Tanh()}))
    assert repr(net) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=2, bias=True)\n"
        "  (1-2): 2 x ReLU()\n"
        "  (3): ModuleDict(\n"
        "    (a): Tanh()\n"
        "  )\n"
        ")"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"
    assert repr(nn.ParameterList([Tensor(np.zeros(2))])) == (
        "ParameterList((0): Parameter of float64, shape (2,))"
    )


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent_and_keep_ties(copied):
    net = Net()
    net.rest[1].weight = net.first.linear.bias  # nonsense, but shared
    made = copied(net)
    assert made.again is made.first
    assert made.rest[1].weight is made.first.linear.bias
    assert made.first.scale is not net.first.scale
    before = net.first.scale.numpy().copy()
    made.first.scale.detach().fill_(9)
    assert np.array_equal(net.first.scale.numpy(), before)
    assert [n for n, _ in made.named_parameters()] == [n for n, _ in net.named_parameters()]
    assert "first.cache" not in made.state_dict()


def test_shared_parameters_get_both_gradients_and_are_listed_once():
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    net[1].weight = net[0].weight
    assert len(list(net.parameters())) == 1
    assert set(net.state_dict()) == {"0.weight", "1.weight"}
    x = np.array([[1.0, -2.0]], np.float32)
    w = net[0].weight.numpy()
    net(Tensor(x)).sum().backward()
    ones = np.ones((1, 2), np.float32)
    expected = ones.T @ (x @ w.T) + (ones @ w).T @ x
    assert np.allclose(net[0].weight.grad.numpy(), expected, atol=1e-6)


def test_a_prefix_of_all_keys_is_named():
    layer = nn.Linear(2, 1)
    state = {f"module.{name}": value for name, value in layer.state_dict().items()}
    with pytest.raises(nn.StateDictError, match=r"begin with 'module\.'"):
        layer.load_state_dict(state)
