"""Attention and transformers against PyTorch's, with masks of all kinds."""

import numpy as np
import pytest
from torch_side import both, close, compare, draws

from rekindle.core import nn
from rekindle.core.nn import functional as F
from rekindle.core.tensor import Tensor


def masks(length, size, heads=0):
    """Return masks of both kinds that leave each query something to see."""
    rng = np.random.default_rng(3)
    shape = (length, size) if not heads else (heads, length, size)
    hidden = rng.random(shape) < 0.4
    hidden[..., 0] = False
    return [hidden, rng.normal(size=shape)]


@pytest.mark.parametrize("which", range(5))
def test_scaled_dot_product_attention(which):
    torch = pytest.importorskip("torch")
    options = [
        {},
        {"attn_mask": ~masks(4, 5)[0]},
        {"attn_mask": masks(4, 5)[1], "scale": 0.3},
        {"is_causal": True},
        {"enable_gqa": True},
    ][which]
    heads = 2 if which == 4 else 4
    arrays = draws((2, 4, 4, 6), (2, heads, 5, 6), (2, heads, 5, 3))

    def ours(*tensors):
        given = {k: Tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        return F.scaled_dot_product_attention(*tensors, **given)

    def theirs(*tensors):
        given = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        return torch.nn.functional.scaled_dot_product_attention(*tensors, **given)

    compare(ours, theirs, arrays)


def test_a_query_that_may_look_nowhere_finds_nothing():
    q, k, v = (Tensor(a, requires_grad=True) for a in draws((3, 4), (2, 4), (2, 4)))
    mask = Tensor(np.array([[True, True], [False, False], [True, False]]))
    y = F.scaled_dot_product_attention(q, k, v, mask)
    assert not y.detach()[1].numpy().any()
    y.sum().backward()
    assert all(np.isfinite(t.grad.numpy()).all() for t in (q, k, v))
    with pytest.raises(ValueError, match="is_causal is a mask already"):
        F.scaled_dot_product_attention(q, k, v, mask, is_causal=True)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bias": False, "batch_first": True},
        {"add_bias_kv": True, "add_zero_attn": True},
        {"kdim": 6, "vdim": 10},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", range(3), ids=["none", "bool", "float"])
def test_multihead_attention(options, kind):
    torch = pytest.importorskip("torch")
    ours, theirs = both("MultiheadAttention", 8, 2, **options)
    features = (8, options.get("kdim", 8), options.get("vdim", 8))
    arrays = draws((4, 3, features[0]), (5, 3, features[1]), (5, 3, features[2]))
    if options.get("batch_first"):
        arrays = [a.swapaxes(0, 1) for a in arrays]
    for heads in (0, 6):
        padding = np.zeros((3, 5), bool)
        padding[1, 3:] = True
        given = {}
        if kind:
            mask = masks(4, 5, heads)[kind - 1]
            pad = padding if kind == 1 else np.where(padding, -2.0, 0.0)
            given = {"attn_mask": mask, "key_padding_mask": pad}
        for average in (True, False):
            more = {"average_attn_weights": average}
            mine = {k: Tensor(v) for k, v in given.items()} | more
            yours = {k: torch.tensor(v) for k, v in given.items()} | more
            compare(lambda *x: ours(*x, **mine), lambda *x: theirs(*x, **yours), arrays)  # noqa: B023
        without = {"need_weights": False}
        compare(
            lambda *x: ours(*x, **mine | without),  # noqa: B023
            lambda *x: theirs(*x, **yours | without),  # noqa: B023
            arrays,
        )


def test_multihead_attention_of_one_sequence():
    ours, theirs = both("MultiheadAttention", 8, 2)
    compare(ours, theirs, draws((4, 8), (5, 8), (5, 8)))


@pytest.mark.parametrize(
    "options",
    [{}, {"batch_first": True, "norm_first": True}, {"activation": "gelu", "bias": False}],
    ids=str,
)
def test_layers_and_stacks(options):
    torch = pytest.importorskip("torch")
    args = (8, 2, 16)
    ours, theirs = both("TransformerEncoderLayer", *args, dropout=0.0, **options)
    compare(ours, theirs, draws((4, 3, 8)))
    decoder, other = both("TransformerDecoderLayer", *args, dropout=0.0, **options)
    compare(decoder, other, draws((4, 3, 8), (4, 3, 8)))

    norm = nn.LayerNorm(8).double()
    mine = nn.TransformerEncoder(ours, 2, norm)
    yours = torch.nn.TransformerEncoder(
        theirs, 2, torch.nn.LayerNorm(8).double(), enable_nested_tensor=False
    )
    yours.load_state_dict({k: torch.tensor(v.numpy()) for k, v in mine.state_dict().items()})
    mask = nn.square_subsequent_mask(4, "float64")
    expected = torch.nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
    close(mask, expected)
    length = 3 if options.get("batch_first") else 4
    small, large = nn.square_subsequent_mask(length, "float64"), expected[:length, :length]
    compare(lambda x: mine(x, small), lambda x: yours(x, large), draws((4, 3, 8)))
    compare(mine, yours, draws((4, 3, 8)))
    stack = nn.TransformerDecoder(decoder, 2)
    other = torch.nn.TransformerDecoder(other, 2)
    other.load_state_dict({k: torch.tensor(v.numpy()) for k, v in stack.state_dict().items()})
    compare(
        lambda x, m: stack(x, m, small), lambda x, m: other(x, m, large),
        draws((4, 3, 8), (4, 3, 8)),
    )  # fmt: skip
    assert stack.layers[0] is not stack.layers[1]


def test_dropout_is_applied_where_pytorch_does():
    """With everything dropped nothing but the norms of the input is left, in both."""
    for name in ("TransformerEncoderLayer", "TransformerDecoderLayer"):
        ours, theirs = both(name, 8, 2, 16, dropout=1.0)
        arrays = draws((4, 3, 8), *([(4, 3, 8)] if "Decoder" in name else []))
        compare(ours, theirs, arrays, grads=False)
        compare(ours.eval(), theirs.eval(), arrays)
