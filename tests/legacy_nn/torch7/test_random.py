"""Random numbers against what Torch7 drew from the same seeds."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rekindle.core.creation import empty, tensor
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.torch7 import random
from rekindle.legacy_nn.torch7.generator import Generator, RandomError
from rekindle.legacy_nn.torch7.types import dtype_of

FILE = Path(__file__).parents[2] / "fixtures" / "tensor_api" / "random.json"
RECORDS = {r["name"]: r for r in json.loads(FILE.read_text())}

OF_TENSOR = re.compile(r"torch\.(\w+)Tensor\((\d+)\):(\w+)\(([-\d.,]*)\)")
OF_NUMBER = re.compile(r"torch\.(\w+)\(([-\d.,]*)\)")

FILLS = {
    "uniform": random.uniform,
    "normal": random.normal,
    "exponential": random.exponential,
    "cauchy": random.cauchy,
    "logNormal": random.log_normal,
    "geometric": random.geometric,
    "bernoulli": random.bernoulli,
    "random": random.random,
}
NUMBERS = {
    "uniform": Generator.uniform,
    "normal": Generator.normal,
    "exponential": Generator.exponential,
    "cauchy": Generator.cauchy,
    "logNormal": Generator.log_normal,
    "geometric": Generator.geometric,
    "bernoulli": Generator.bernoulli,
}


def arguments(text):
    return [float(a) if "." in a else int(a) for a in text.split(",") if a]


def number(name, args):
    """Draw one number as `torch.name(args)` without a tensor."""
    if name == "random":
        if not args:
            return int(random.default.words(1)[0])
        low, high = (1, *args) if len(args) == 1 else args
        return int(random.default.integers(1, low, high).view(np.int64)[0])
    return NUMBERS[name](random.default, 1, *args)[0]


def double(*shape):
    return empty(shape, "float64")


def interleaved():
    return [number(name, []) for _ in range(10) for name in ("normal", "uniform")]


def reseeded():
    number("normal", [])
    random.manual_seed(123)
    return [number("normal", []), number("normal", [])]


def spread(typename):
    p = np.linspace(0, 1, 20).astype(dtype_of(f"torch.{typename}Tensor"))
    return random.bernoulli(tensor(p), tensor(p))


def transposed(typename):
    x = empty((6, 6), dtype_of(f"torch.{typename}Tensor"))
    return random.normal(x.T)


def linear(part):
    weight, bias = random.uniform(double(3, 4), -0.5, 0.5), random.uniform(double(3), -0.5, 0.5)
    return weight if part == "weight" else bias


SPECIAL = {
    "rand50": lambda: random.uniform(double(50)),
    "rand_2_3": lambda: random.uniform(double(2, 3)),
    "randn_4_8": lambda: random.normal(double(4, 8)),
    "randperm50": lambda: random.default.permutation(50),
    "randperm10": lambda: random.default.permutation(10),
    "randperm1": lambda: random.default.permutation(1),
    "Int_randperm": lambda: random.default.permutation(10),
    "multinomial": lambda: random.multinomial(tensor([0.1, 0.2, 0.3, 0.4], "float64"), 10, True),
    "multinomial_norepl": lambda: random.multinomial(tensor([0.1, 0.2, 0.3, 0.4], "float64"), 3),
    "multinomial_2d": lambda: random.multinomial(tensor([[1.0, 2, 3], [3, 1, 0]]), 5, True),
    "mixed_normal_uniform": interleaved,
    "normal_then_manualSeed": reseeded,
    "normal_odd_then_randn": lambda: [
        number("normal", []),
        *random.normal(double(20)).tolist(),
    ],
    "dropout_mask": lambda: random.bernoulli(double(3, 4), 0.5),
    "Float_bernoulli_p": lambda: spread("Float"),
    "Double_bernoulli_p": lambda: spread("Double"),
    "Float_normal_noncontig": lambda: transposed("Float"),
    "Double_normal_noncontig": lambda: transposed("Double"),
    "linear_weight": lambda: linear("weight"),
    "linear_bias": lambda: linear("bias"),
    "lookup_weight": lambda: random.normal(double(5, 4)),
    "bn_weight": lambda: random.uniform(double(4)),
} | {f"randn{n}": lambda n=n: random.normal(double(n)) for n in (10, 15, 16, 17, 50)}

ELSEWHERE = {"conv_weight"}
"""Of a module with a file of its own."""


def replay(record):
    if record["name"] in SPECIAL:
        return SPECIAL[record["name"]]()
    if match := OF_TENSOR.fullmatch(record["expr"]):
        typename, size, name, args = match.groups()
        x = empty(int(size), dtype_of(f"torch.{typename}Tensor"))
        return FILLS[name](x, *arguments(args))
    name, args = OF_NUMBER.fullmatch(record["expr"]).groups()
    return [number(name, arguments(args)) for _ in range(record["calls"])]


DRAWN = [n for n, r in RECORDS.items() if "next_random" in r and n not in ELSEWHERE]


@pytest.mark.parametrize("name", DRAWN)
def test_values_and_number_of_draws_are_torch7s(name):
    record = RECORDS[name]
    random.manual_seed(record["seed"])
    drawn = replay(record)
    expected = np.array(record["result"]["data"]).reshape(record["result"]["size"])
    if isinstance(drawn, Tensor) and name not in ("linear_bias", "linear_weight"):
        assert drawn.dtype == dtype_of(record["result"]["tensor"])
    tolerance = 1e-6 if isinstance(drawn, Tensor) and drawn.dtype == np.float32 else 1e-14
    np.testing.assert_allclose(np.asarray(drawn), expected, rtol=tolerance, atol=0)
    assert number("random", []) == record["next_random"]


@pytest.mark.parametrize("name", [n for n in RECORDS if n.startswith("seed_")])
def test_seeds(name):
    record = RECORDS[name]
    generator = Generator(record["seed"])
    assert generator.words(5).tolist() == record["result"]["data"]
    assert generator.initial_seed() == record["initialSeed"]


def test_stream_goes_on_beyond_the_first_block_of_words():
    generator = Generator(123)
    for count in (1, 623, 1, 75):
        generator.words(count)
    assert generator.words(10).tolist() == RECORDS["after_700"]["result"]["data"]


def test_state_has_torch7s_bytes_and_replays():
    record = RECORDS["rngstate"]
    generator = Generator(123)
    generator.normal(1)
    state = generator.get_state()
    assert state.tolist() == record["state"]["data"]
    other = Generator(1)
    other.set_state(state)
    for g in (generator, other):
        drawn = [g.normal(1)[0], g.uniform(1)[0], g.words(1)[0]]
        np.testing.assert_allclose(drawn, record["result"]["data"], rtol=1e-14)


@pytest.mark.parametrize("count", [0, 1, 623, 624, 625])
def test_state_of_any_position_replays(count):
    generator = Generator(5)
    generator.words(count)
    other = Generator(6)
    other.set_state(generator.get_state())
    assert other.get_state().tobytes() == generator.get_state().tobytes()
    assert other.words(1300).tolist() == generator.words(1300).tolist()


def test_a_generator_of_its_own_leaves_the_default_alone():
    random.manual_seed(123)
    generator = Generator(123)
    random.uniform(double(1000), generator=generator)
    assert number("random", []) == RECORDS["random_raw"]["result"]["data"][0]


def test_unforeseen_seeds_differ_and_are_told():
    a, b = Generator(), Generator()
    assert a.initial_seed() != b.initial_seed()
    assert Generator(a.initial_seed()).words(3).tolist() == a.words(3).tolist()


def test_negative_integers_wrap_in_integer_tensors_and_not_in_floating_ones():
    # C adds the lower bound to an unsigned long: TensorMath.lua, THTensor_random2__
    assert set(random.random(empty(500, "int8"), -2, 2).tolist()) == {-2, -1, 0, 1, 2}
    assert set(random.random(empty(100, "float64"), -1, 0).tolist()) == {0.0, 2.0**64}


@pytest.mark.parametrize(
    ("fill", "cdf"),
    [
        (lambda x: random.uniform(x, -1, 3), stats.uniform(-1, 4).cdf),
        (lambda x: random.normal(x, 2, 3), stats.norm(2, 3).cdf),
        (lambda x: random.exponential(x, 2), stats.expon(scale=0.5).cdf),
        (lambda x: random.cauchy(x, 1, 2), stats.cauchy(1, 2).cdf),
        (lambda x: random.log_normal(x, 0, 0.5), stats.lognorm(0.5).cdf),
    ],
)
def test_distributions(fill, cdf):
    random.manual_seed(7)
    assert stats.kstest(fill(double(20000)).numpy(), cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    "call",
    [
        lambda: random.normal(double(3), 0, 0),
        lambda: random.bernoulli(double(3), 1.5),
        lambda: random.bernoulli(double(3), tensor([0.5, 0.5])),
        lambda: random.geometric(double(3), 1.0),
        lambda: random.random(double(3), 5, 4),
        lambda: random.uniform(empty(3, "int32")),
        lambda: random.multinomial(tensor([0.5, 0.5]), 3),
        lambda: random.multinomial(tensor([0.0, 0.0]), 1),
        lambda: random.default.permutation(0),
        lambda: random.default.set_state(np.zeros(5048, np.uint8)),
        lambda: random.default.set_state(np.zeros(10, np.uint8)),
    ],
)
def test_bad_arguments_are_refused(call):
    with pytest.raises(RandomError):
        call()
