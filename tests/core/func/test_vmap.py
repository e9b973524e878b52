"""vmap: axes, containers, draws, writes in place, and what it refuses."""

import numpy as np
import pytest

import rekindle
from rekindle import ops, random
from rekindle.core.errors import BoundsError, ShapeError, UseError
from rekindle.core.func import BatchingError, TransformError, TreeError, grad, vmap

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))


def tensor(x):
    return rekindle.tensor(x)


def test_a_sample_has_the_shape_of_one():
    seen = []

    def f(x):
        seen.append((x.shape, x.ndim, x.size, x.dtype, len(x), x.nbytes))
        return x

    vmap(f)(tensor(X))
    assert seen == [((3,), 1, 3, np.float64, 3, 24)]


def test_out_axes():
    def f(x):
        return {"row": ops.outer(x, x), "one": x.sum()}

    found = vmap(f, out_axes={"row": 1, "one": 0})(tensor(X))
    np.testing.assert_allclose(found["row"].numpy(), np.einsum("bi,bj->ibj", X, X))
    assert vmap(lambda x: x, out_axes=-1)(tensor(X)).shape == (3, 4)
    assert vmap(lambda x, y: (x, y), (0, None), (0, None))(tensor(X), tensor(X[0]))[1].shape == (3,)


def test_a_result_that_is_the_same_for_all_is_repeated():
    found = vmap(lambda x: rekindle.ones(2))(tensor(X))
    assert found.tolist() == [[1, 1]] * 4


def test_in_axes_of_containers():
    args = {"a": tensor(X), "b": [tensor(X.T), tensor(X[0])]}
    found = vmap(lambda d: d["a"] * d["b"][0] + d["b"][1], ({"a": 0, "b": [1, None]},))(args)
    np.testing.assert_allclose(found.numpy(), X * X + X[0])


def test_chunks():
    def f(x, y):
        return (ops.sin(x) * y, x.sum())

    whole = vmap(f, (0, None))(tensor(X), tensor(X[0]))
    parts = vmap(f, (0, None), chunk_size=3)(tensor(X), tensor(X[0]))
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: vmap(lambda a: a)(3.0), TransformError, "float"),
        (lambda x: vmap(lambda a: a, None)(x), TransformError, "no argument has samples"),
        (lambda x: vmap(lambda a: a, 2)(x), BoundsError, "in_axes 2"),
        (lambda x: vmap(lambda a: a, "0")(x), TransformError, "an int or None"),
        (lambda x: vmap(lambda a, b: a)(x, x[0]), ShapeError, "different numbers"),
        (lambda x: vmap(lambda a: a, (0, 0))(x), TreeError, "in_axes"),
        (lambda x: vmap(lambda a: a, ({"a": 0},))([x]), TreeError, "in_axes"),
        (lambda x: vmap(lambda a: a, out_axes=(0, 0))(x), TreeError, "out_axes"),
        (lambda x: vmap(lambda a: a, out_axes=5)(x), BoundsError, "out_axes 5"),
        (lambda x: vmap(lambda a: a, out_axes="0")(x), TransformError, "an int or None"),
        (lambda x: vmap(lambda a: a, out_axes=None)(x), TransformError, "differs"),
        (lambda x: vmap(lambda a: 1)(x), TransformError, "int"),
        (lambda x: vmap(lambda a: a, randomness="some"), TransformError, "randomness"),
        (lambda x: vmap(lambda a: a, chunk_size=0), TransformError, "chunk_size"),
    ],
)
def test_what_is_wrong_is_said(call, error, text):
    with pytest.raises(error, match=text):
        call(tensor(X))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.sum().item(),
        lambda x: x.numpy(),
        lambda x: np.asarray(x),
        lambda x: x.tolist(),
        lambda x: float(x.sum()),
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x.storage(),
        lambda x: x[x > 0],
        lambda x: ops.masked_select(x, x > 0),
        lambda x: x.nonzero(),
    ],
)
def test_what_needs_the_values_is_refused(f):
    with pytest.raises(BatchingError):
        vmap(f)(tensor(X))


def test_a_tensor_that_was_not_returned_says_so():
    kept = []
    vmap(lambda x: kept.append(x) or x)(tensor(X))
    with pytest.raises(BatchingError, match="that is over"):
        kept[0].numpy()


def test_a_tensor_prints_inside():
    texts = []
    vmap(lambda x: texts.append(repr(x)) or x)(tensor(X))
    assert texts == ["Tensor(inside vmap: one of 4, shape=(3,), dtype=float64)"]


def test_samples_iterate_and_unpack():
    found = vmap(lambda x: sum(v * k for k, v in enumerate(x)))(tensor(X))
    np.testing.assert_allclose(found.numpy(), X @ [0, 1, 2])


def test_an_index_may_have_samples():
    table, rows = RNG.normal(size=(5, 2)), np.array([4, 0, -1, 2])
    found = vmap(lambda i: tensor(table)[i])(tensor(rows))
    np.testing.assert_array_equal(found.numpy(), table[rows])
    pairs = np.array([[0, 1], [1, 0], [2, 2], [0, 0]])
    found = vmap(lambda x, i: x[i])(tensor(X), tensor(pairs))
    np.testing.assert_array_equal(found.numpy(), np.take_along_axis(X, pairs, 1))
    found = vmap(lambda i: tensor(table)[i, 1])(tensor(rows))
    np.testing.assert_array_equal(found.numpy(), table[rows, 1])
    found = vmap(lambda i: tensor(table.T)[:, i])(tensor(rows))
    np.testing.assert_array_equal(found.numpy(), table[rows])


def test_an_index_with_samples_is_assigned_to():
    rows = np.array([2, 0, -1, 1])

    def f(x, i, v):
        y = x * 1
        y[i] = v
        return y

    found = vmap(f)(tensor(X), tensor(rows), tensor(X[:, 0] + 1)).numpy()
    wanted = X.copy()
    wanted[np.arange(4), rows] = X[:, 0] + 1
    np.testing.assert_array_equal(found, wanted)

    def g(x, i):
        y = x * x
        y[i, 1:] = 0.0
        return y

    with pytest.raises(BatchingError, match=r"slice|object"):
        vmap(g)(tensor(RNG.normal(size=(4, 3, 3))), tensor(rows))

    def h(x, i):
        y = x * x
        y[i] = 3 * y[0]
        return y.sum()

    x, pairs = RNG.normal(size=(2, 3, 2)), np.array([[1, 2], [2, 1]])
    slopes = vmap(grad(h))(tensor(x), tensor(pairs)).numpy()
    wanted = np.zeros_like(x)
    wanted[:, 0] = 2 * x[:, 0] * 7
    np.testing.assert_allclose(slopes, wanted)


# -- draws ------------------------------------------------------------------------------------

DRAWS = [
    lambda x: random.normal((2,)),
    lambda x: random.uniform(2),
    lambda x: random.randint(0, 10**9, (2,)),
    lambda x: random.randperm(50),
    lambda x: random.bernoulli(0.5, (60,)),
    lambda x: random.bernoulli(ops.sigmoid(x).sum() * rekindle.ones(60) * 0.1),
    lambda x: ops.dropout(rekindle.ones(60), p=0.5),
    lambda x: ops.dropout(x.sum() * 0 + rekindle.ones(60), p=0.5),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_samples_draw_as_they_are_told(draw):
    rekindle.manual_seed(0)
    x = tensor(np.abs(X[[0, 0, 0]]))
    with pytest.raises(BatchingError, match="randomness"):
        vmap(draw)(x)
    same = vmap(draw, randomness="same")(x).numpy()
    assert (same == same[0]).all()
    different = vmap(draw, randomness="different")(x).numpy()
    assert not (different[0] == different[1]).all()
    assert not (different[1] == different[2]).all()


def test_draws_in_nested_levels():
    def inner(x):
        return random.normal(())

    f = vmap(vmap(inner, randomness="different"), randomness="same")
    found = f(tensor(X)).numpy()
    assert (found == found[0]).all()
    assert len({*found[0]}) == 3
    f = vmap(vmap(inner, randomness="different"), randomness="different")
    assert len({*f(tensor(X)).numpy().reshape(-1)}) == 12


def test_weights_of_a_draw_may_not_have_samples():
    with pytest.raises(BatchingError, match="multinomial"):
        vmap(lambda x: random.multinomial(abs(x), 1), randomness="same")(tensor(X))


# -- writes in place --------------------------------------------------------------------------


def test_writes_into_what_has_samples():
    def f(x, y):
        z = rekindle.zeros_like(x)
        z += x
        z[0] = y
        z[1:].mul_(2)
        z[np.array([1, 2])] -= 1
        return z

    found = vmap(f)(tensor(X), tensor(X[:, 0]))
    wanted = np.concatenate([X[:, :1], X[:, 1:] * 2 - 1], axis=1)
    np.testing.assert_allclose(found.numpy(), wanted)


def test_writes_into_an_argument_reach_the_caller():
    x = tensor(X.copy())
    vmap(lambda v: v.mul_(2))(x)
    np.testing.assert_array_equal(x.numpy(), X * 2)
    assert x.version == 1


def test_writes_in_nested_levels():
    def f(x, y):
        z = x.clone()
        z.add_(y)
        return z

    x, y = RNG.normal(size=(3, 4, 2)), RNG.normal(size=(4, 2))
    found = vmap(vmap(f), (0, None))(tensor(x), tensor(y))
    np.testing.assert_allclose(found.numpy(), x + y)


def test_a_write_into_what_all_samples_share_is_refused():
    for f in (
        lambda x: rekindle.zeros(3, "float64").add_(x),
        lambda x: rekindle.zeros(3, "float64").copy_(x),
        lambda x: ops.index_put(rekindle.zeros(3), x, index=...).add_(x).fill_(x.sum()),
    ):
        if f is not None and "fill_" in f.__code__.co_names:
            vmap(f)(tensor(X))  # what index_put returns has samples
            continue
        with pytest.raises(BatchingError, match="share"):
            vmap(f)(tensor(X))

    def assigned(x):
        z = rekindle.zeros(3, "float64")
        z[0] = x[0]

    with pytest.raises(BatchingError, match="share"):
        vmap(assigned)(tensor(X))


def test_a_write_into_repeated_memory_is_refused():
    with pytest.raises(UseError, match="expanded"):
        vmap(lambda x: x.expand((2, 3)).add_(1))(tensor(X))
    with pytest.raises(BatchingError, match="share in memory"):
        vmap(lambda x: x.add_(1))(tensor(X[0]).expand((4, 3)))
