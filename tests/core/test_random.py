"""Draws: reproducible, of the distribution promised, inside their bounds; and generators."""

import math
import threading

import numpy as np
import pytest
from scipy import stats

from rekindle.core import random
from rekindle.core.autograd import InplaceError
from rekindle.core.creation import tensor
from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import ShapeError
from rekindle.core.random import Generator, RandomError
from rekindle.core.tensor import Tensor

DRAWS = {
    "uniform": lambda **kw: random.uniform((3, 2), **kw),
    "normal": lambda **kw: random.normal((3, 2), **kw),
    "randint": lambda **kw: random.randint(-5, 99, (3, 2), **kw),
    "randperm": lambda **kw: random.randperm(40, **kw),
    "bernoulli": lambda **kw: random.bernoulli(0.5, 60, **kw),
    "multinomial": lambda **kw: random.multinomial(tensor(np.ones(40)), 9, **kw),
}


@pytest.fixture(params=DRAWS)
def draw(request):
    return DRAWS[request.param]


def test_a_seed_gives_the_same_numbers(draw):
    first = draw(generator=Generator(7)).tolist()
    assert draw(generator=Generator(7)).tolist() == first
    assert draw(generator=Generator(8)).tolist() != first
    random.manual_seed(7)
    assert draw().tolist() == first
    assert draw().tolist() != first
    assert draw(generator=Generator().manual_seed(7)).tolist() == first


def test_a_state_goes_on_where_it_was(draw):
    generator = Generator(3)
    draw(generator=generator)
    state = generator.get_state()
    following = [draw(generator=generator).tolist() for _ in range(3)]
    generator.set_state(state)
    assert [draw(generator=generator).tolist() for _ in range(3)] == following
    other = Generator()
    other.set_state(state)
    assert draw(generator=other).tolist() == following[0]


def test_a_context_has_its_own_default(draw):
    random.manual_seed(1)
    draw()
    expected = draw().tolist()
    random.manual_seed(1)
    draw()
    with random.using(Generator(5)) as generator:
        assert random.default_generator() is generator
        inside = draw().tolist()
        random.manual_seed(5)
        assert draw().tolist() == inside
    assert draw().tolist() == expected
    decorated = random.using(Generator(5))(draw)
    assert decorated().tolist() == inside
    assert decorated().tolist() != inside


def test_threads_share_the_default_and_not_a_context():
    seen = []
    with random.using(Generator(5)) as generator:
        thread = threading.Thread(target=lambda: seen.append(random.default_generator()))
        thread.start()
        thread.join()
        assert seen[0] is not generator
    assert seen[0] is random.default_generator()


@pytest.mark.parametrize("state", [{}, {"bit_generator": "MT19937"}, 3])
def test_a_state_that_is_none(state):
    with pytest.raises(RandomError, match="set_state: not the state of a generator"):
        Generator(0).set_state(state)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (1.0, 2.0), (-3.0, 2.0), (5.0, 5.01)])
def test_uniform(dtype, low, high):
    x = random.uniform((200, 100), low, high, dtype=dtype, generator=Generator(2))
    values = x.numpy().astype(float)
    assert (x.shape, x.dtype) == ((200, 100), dtype)
    assert values.min() >= np.dtype(dtype).type(low)
    assert values.max() < np.dtype(dtype).type(high)
    step = 0 if dtype != "float16" else 0.004 * max(abs(low), abs(high))
    expected = stats.uniform(low, high - low)
    assert abs(values.mean() - expected.mean()) < 5 * expected.std() / math.sqrt(20000) + step
    if dtype != "float16":
        assert stats.kstest(values.ravel(), expected.cdf).pvalue > 1e-4


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_normal(dtype):
    x = random.normal(20000, -1.0, 2.5, dtype=dtype, generator=Generator(2))
    assert x.dtype == dtype
    distance = stats.kstest(x.numpy().astype(float), stats.norm(-1, 2.5).cdf)
    assert distance.pvalue > (1e-4 if dtype != "float16" else 1e-12)
    assert random.normal((), std=0.0, mean=3.0).item() == 3


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_randint(dtype):
    x = random.randint(0 if dtype == "uint8" else -2, 5, 6000, dtype=dtype, generator=Generator(1))
    values, counts = np.unique(x.numpy(), return_counts=True)
    assert x.dtype == dtype
    assert values.tolist() == list(range(0 if dtype == "uint8" else -2, 5))
    assert stats.chisquare(counts).pvalue > 1e-4


def test_randperm():
    g = Generator(4)
    orders = [tuple(random.randperm(3, generator=g).tolist()) for _ in range(1200)]
    found, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(found) == 6
    assert stats.chisquare(counts).pvalue > 1e-4
    assert random.randperm(0).shape == (0,)


def test_bernoulli():
    p = tensor([0.0, 0.25, 1.0], "float64")
    x = random.bernoulli(p, (4000, 3), generator=Generator(6))
    assert x.dtype == "float64"
    assert set(np.unique(x.numpy())) == {0, 1}
    means = x.numpy().mean(0)
    assert (means[0], means[2]) == (0, 1)
    assert abs(means[1] - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 4000)
    assert random.bernoulli(p).shape == (3,)
    assert random.bernoulli(1.0, 2, dtype=bool).tolist() == [True, True]
    assert random.bernoulli(0.0).shape == ()


def test_multinomial_with_replacement():
    weights = np.array([[1.0, 0, 3, 0], [0, 5, 5, 10]])
    x = random.multinomial(tensor(weights), 5000, replacement=True, generator=Generator(6))
    assert (x.shape, x.dtype) == ((2, 5000), "int64")
    for row, w in zip(x.numpy(), weights, strict=True):
        counts = np.bincount(row, minlength=4)
        assert (counts[w == 0] == 0).all()
        assert stats.chisquare(counts[w > 0], 5000 * w[w > 0] / w.sum()).pvalue > 1e-4


def test_multinomial_without_replacement():
    weights = np.array([1.0, 2.0, 0.0, 5.0])
    x = random.multinomial(tensor(np.tile(weights, (8000, 1))), 2, generator=Generator(6)).numpy()
    pairs = [(i, j) for i in (0, 1, 3) for j in (0, 1, 3) if i != j]
    counts = [((x[:, 0] == i) & (x[:, 1] == j)).sum() for i, j in pairs]
    chances = [weights[i] / 8 * weights[j] / (8 - weights[i]) for i, j in pairs]
    assert sum(counts) == 8000
    assert stats.chisquare(counts, 8000 * np.array(chances)).pvalue > 1e-4


def test_rows_of_nothing():
    assert random.multinomial(tensor(np.ones((0, 3))), 2).shape == (0, 2)
    assert random.multinomial(tensor(np.ones((0, 3))), 2, replacement=True).shape == (0, 2)
    assert random.uniform((0, 3)).shape == (0, 3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: random.uniform(3, 2.0, 1.0), "high is above low; given 2.0 and 1.0"),
        (lambda: random.uniform(3, 0.0, math.nan), "high is above low"),
        (lambda: random.normal(3, 0.0, -1.0), "std is not below 0; given -1.0"),
        (lambda: random.randint(3, 3, 2), "int64 numbers from 3 to 3 - 1 are none"),
        (lambda: random.randint(0, 129, 2, dtype="int8"), "int8 numbers from 0 to 129 - 1"),
        (lambda: random.randperm(-1), "n is not below 0; given -1"),
        (lambda: random.bernoulli(1.5), "outside of"),
        (lambda: random.bernoulli(tensor([0.5, math.nan])), "outside of"),
        (lambda: random.multinomial(tensor([1.0, -1.0]), 1), "finite numbers not below 0"),
        (lambda: random.multinomial(tensor([0.0, 0.0]), 1, replacement=True), "no 1 weights"),
        (lambda: random.multinomial(tensor([0.0, 1.0]), 2), "no 2 weights above 0"),
        (lambda: random.multinomial(tensor(1.0), 1), "rows"),
        (lambda: random.uniform(3, device="cuda", generator=Generator(0)), "a draw on cuda"),
    ],
)
def test_what_no_distribution_has(wrong, message):
    with pytest.raises(RandomError, match=message):
        wrong()


def test_dtypes_are_checked():
    with pytest.raises(DtypeError, match="uniform draws floats; given dtype int64"):
        random.uniform(3, dtype=int)
    with pytest.raises(DtypeError, match="normal draws floats; given dtype uint8"):
        random.normal(3, dtype="uint8")
    with pytest.raises(DtypeError, match="randint draws integers; given dtype float32"):
        random.randint(0, 3, 3, dtype="float32")


def test_draws_have_no_history():
    p = tensor([0.5], requires_grad=True)
    assert not random.bernoulli(p).requires_grad
    assert not random.multinomial(p, 1).requires_grad


def test_sizes_are_checked():
    for draw in (random.uniform, random.normal):
        with pytest.raises(ShapeError, match="sizes are not below 0"):
            draw((2, -1))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_draws_into_a_tensor_are_those_of_new_ones(dtype):
    x = Tensor(np.zeros((4, 6), dtype))[:, ::2]
    before = x.version
    assert x.uniform_(-1, 2, generator=Generator(5)) is x
    expected = random.uniform((4, 3), -1, 2, dtype=dtype, generator=Generator(5))
    np.testing.assert_array_equal(x.numpy(), expected.numpy())
    x.normal_(3, 0.5, generator=Generator(6))
    expected = random.normal((4, 3), 3, 0.5, dtype=dtype, generator=Generator(6))
    np.testing.assert_array_equal(x.numpy(), expected.numpy())
    assert x.version == before + 2
    with random.using(Generator(7)):
        x.uniform_()
    expected = random.uniform((4, 3), dtype=dtype, generator=Generator(7))
    np.testing.assert_array_equal(x.numpy(), expected.numpy())


def test_draws_into_a_tensor_end_its_history():
    x = Tensor(np.ones(3), requires_grad=True)
    with pytest.raises(InplaceError, match="uniform_ writes into a leaf"):
        x.uniform_()
    y = x * 2
    y.normal_()
    (y * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())
    with pytest.raises(DtypeError, match="draws floats"):
        Tensor(np.ones(3, int)).uniform_()
