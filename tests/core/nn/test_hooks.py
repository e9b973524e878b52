"""Hooks: what they see, what they may replace, and that they go."""

import numpy as np
import pytest
from torch_side import close

from rekindle.core import nn
from rekindle.core.tensor import Tensor


def draw(*shape):
    return Tensor(np.random.default_rng(0).normal(size=shape))


def test_forward_hooks_in_order():
    module, seen = nn.Identity(), []
    handles = [
        module.register_forward_pre_hook(lambda m, args: seen.append(("pre", args))),
        module.register_forward_pre_hook(lambda m, args: args[0] + 1),
        module.register_forward_hook(lambda m, args, out: seen.append(("post", args, out))),
        module.register_forward_hook(lambda m, args, out: out * 10),
        module.register_forward_pre_hook(lambda m, args: (args[0] * 2,), prepend=True),
    ]
    assert module(3) == 70
    assert seen == [("pre", (6,)), ("post", (7,), 7)]
    for handle in handles:
        handle.remove()
        handle.remove()
    assert module(3) == 3
    with module.register_forward_hook(lambda m, a, out: -out):
        assert module(3) == -3
    assert module(3) == 3


def test_keyword_arguments():
    class Power(nn.Module):
        def forward(self, x, *, p):
            return x**p

    module, seen = Power(), []
    module.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"p": kwargs["p"] + 1}), with_kwargs=True
    )
    module.register_forward_hook(lambda m, a, k, out: seen.append(k), with_kwargs=True)
    assert module(2, p=2) == 8
    assert seen == [{"p": 3}]
    module.register_forward_pre_hook(lambda m, args, kwargs: 5, with_kwargs=True)
    with pytest.raises(RuntimeError, match=r"returns None or \(args, kwargs\); given int"):
        module(2, p=2)


def run(framework, replace):
    """Return what backward hooks saw, and the gradients, in either framework."""
    seen = []
    if framework == "ours":
        module, make = nn.Bilinear(2, 3, 2, bias=False).double(), Tensor
    else:
        torch = pytest.importorskip("torch")
        module, make = torch.nn.Bilinear(2, 3, 2, bias=False).double(), torch.tensor
    rng = np.random.default_rng(2)
    weight = rng.normal(size=(2, 2, 3))
    module.load_state_dict({"weight": make(weight)})
    arrays = [rng.normal(size=(4, 2)), rng.normal(size=(4, 3))]
    a, b = (make(x) for x in arrays)
    a.requires_grad_()

    def before(m, grad_output):
        seen.append(("before", grad_output[0].detach().numpy().copy()))
        return (grad_output[0] * 2,) if replace else None

    def after(m, grad_input, grad_output):
        if framework == "ours":  # PyTorch shows zeros for a tensor without a gradient
            assert grad_input[1] is None
        seen.append(
            ("after", grad_input[0].detach().numpy().copy(), grad_output[0].detach().numpy().copy())
        )
        return (grad_input[0] * 3, None) if replace else None

    module.register_full_backward_pre_hook(before)
    module.register_full_backward_hook(after)
    (module(a, b) ** 2).sum().backward()
    return seen, [a.grad, module.weight.grad]


@pytest.mark.parametrize("replace", [False, True])
def test_backward_hooks_are_pytorchs(replace):
    seen, gradients = run("ours", replace)
    expected, others = run("theirs", replace)
    assert [s[0] for s in seen] == [e[0] for e in expected] == ["before", "after"]
    for s, e in zip(seen, expected, strict=True):
        for x, y in zip(s[1:], e[1:], strict=True):
            close(x, y)
    for x, y in zip(gradients, others, strict=True):
        close(x, y)


def test_backward_hooks_replace_gradients():
    seen, gradients = run("ours", False)
    changed, larger = run("ours", True)
    assert np.allclose(larger[0].numpy(), 6 * gradients[0].numpy())
    assert np.allclose(larger[1].numpy(), 2 * gradients[1].numpy())
    assert np.allclose(changed[1][1], 2 * seen[1][1])


def test_backward_hooks_where_no_input_has_a_gradient():
    module, seen = nn.Linear(2, 2).double(), []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].shape)))
    module(draw(3, 2)).sum().backward()
    assert seen == [((None,), (3, 2))]
    module.register_full_backward_hook(lambda m, gi, go: (None, None))
    module(draw(3, 2).requires_grad_()).sum()
    with pytest.raises(RuntimeError, match="2 gradients in the place of 1"):
        module(draw(3, 2).requires_grad_()).sum().backward()


def test_hooks_of_modules_with_several_outputs():
    module, seen = nn.LSTM(2, 3).double(), []
    module.register_forward_hook(lambda m, a, out: out[0])
    module.register_full_backward_hook(lambda m, gi, go: seen.append(len(go)))
    module(draw(4, 1, 2).requires_grad_()).sum().backward()
    assert seen == [2]
