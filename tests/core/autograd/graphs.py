"""What several tests of the graph use."""

import gc
from contextlib import contextmanager

from rekindle.core.creation import tensor


def leaf(values):
    return tensor(values, "float64", requires_grad=True)


def constant(values):
    return tensor(values, "float64")


@contextmanager
def no_collector():
    """Turn the garbage collector off, so that only reference counts free anything."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
