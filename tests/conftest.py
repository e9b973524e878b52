"""What holds for all tests: where random numbers come from, and what the collector walks over."""

import gc
import random
import sys

import hypothesis
import pytest

from rekindle.core.generators import manual_seed
from rekindle.legacy_nn.torch7.random import manual_seed as torch7_manual_seed

# A run repeats the last one. `pytest --seed 7 --hypothesis-profile fresh` looks elsewhere.
hypothesis.settings.register_profile("repeated", derandomize=True, deadline=None)
hypothesis.settings.register_profile("fresh", deadline=None)  # the machine may be busy
hypothesis.settings.load_profile("repeated")


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=0, help="of all generators, before each test")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Start every stream of random numbers again, so that no test depends on those before it."""
    seed = item.config.getoption("--seed")
    manual_seed(seed)
    torch7_manual_seed(seed)
    random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def pytest_collection_finish():
    """Keep the collector from walking over the tests themselves, of which there are many."""
    gc.collect()
    gc.freeze()
