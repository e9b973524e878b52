"""What PyTorch's tests take from its own test library."""

import contextlib
import gc
import unittest
import warnings

import numpy as np

from rekindle.core.errors import RekindleError
from rekindle.core.tensor import Tensor

MESSAGES = {}
"""For each message that a test expects, the pattern of Rekindle's; the reviewed list fills it."""

BASES = {RuntimeError}
"""PyTorch's errors that those of Rekindle stand for."""


def plain(value):
    """Return a value as arrays, numbers and lists."""
    if isinstance(value, Tensor):
        return value.detach().numpy()
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return value


class TestCase(unittest.TestCase):
    """assertEqual compares tensors by value; messages of errors are looked up."""

    def assertEqual(self, x, y, msg=None, atol=None, rtol=None, exact_dtype=True, **ignored):
        """Compare, with PyTorch's tolerances."""
        if isinstance(x, Tensor) or isinstance(y, Tensor):
            a, b = np.asarray(plain(x)), np.asarray(plain(y))
            single = any(v.dtype == np.float32 for v in (a, b))
            rtol = rtol if rtol is not None else 1.3e-6 if single else 1e-7
            atol = atol if atol is not None else 1e-5 if single else 1e-7
            self.assertTrue(a.shape == b.shape or not (a.shape and b.shape), (a.shape, b.shape))
            if exact_dtype and isinstance(x, Tensor) and isinstance(y, Tensor):
                self.assertTrue(a.dtype == b.dtype, (a.dtype, b.dtype))
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=str(msg or ""))
        elif isinstance(x, (tuple, list)) and isinstance(y, (tuple, list)):
            self.assertTrue(len(x) == len(y), (x, y))
            for a, b in zip(x, y, strict=True):
                self.assertEqual(a, b, msg, atol, rtol, exact_dtype)
        elif isinstance(x, dict) and isinstance(y, dict):
            self.assertTrue(x.keys() == y.keys(), (x, y))
            for key in x:
                self.assertEqual(x[key], y[key], msg, atol, rtol, exact_dtype)
        elif atol is not None:
            self.assertTrue(abs(x - y) <= atol + (rtol or 0) * abs(y), (x, y))
        else:
            super().assertEqual(x, y, msg)

    def assertNotEqual(self, x, y, msg=None, **ignored):
        """Compare tensors by value."""
        try:
            self.assertEqual(x, y)
        except AssertionError:
            return
        self.fail(f"{x} == {y}")

    def assertNotWarn(self, call, msg=""):
        """Expect no warning."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call()

    def assertRegex(self, text, pattern, msg=None):
        """Look for the message that the reviewed list has for PyTorch's."""
        super().assertRegex(text, MESSAGES.get(pattern, pattern), msg)

    def assertRaises(self, kind, *args, **kwargs):
        """Expect an error; RuntimeError is PyTorch's base of what RekindleError is the base of."""
        return super().assertRaises(ours(kind), *args, **kwargs)

    def assertRaisesRegex(self, kind, pattern, *args, **kwargs):
        """Expect the message that the reviewed list has for PyTorch's."""
        pattern = MESSAGES.get(pattern, pattern)
        return super().assertRaisesRegex(ours(kind), pattern, *args, **kwargs)


def ours(kind):
    """Return the errors that stand for one of PyTorch."""
    return (kind, RekindleError) if kind in BASES else kind


def mask_not_all_zeros(shape):
    """Return a random mask."""
    mask = np.random.default_rng(0).random(shape) < 0.5
    mask.flat[0] = True
    return Tensor(mask)


def with_options(mark):
    """Return a decorator factory that takes any arguments and leaves the function, marked."""
    return lambda *args, **kwargs: lambda f: mark(f, args) or f


def _parametrize(f, args):
    f.parameters = [*getattr(f, "parameters", []), args]


def _dtypes(f, args):
    f.dtypes = args


def skips(name):
    """Return a decorator for tests that PyTorch runs elsewhere only."""

    def decorate(f):
        f.elsewhere = name
        return f

    return decorate


@contextlib.contextmanager
def disable_gc():
    """Turn the collector off for a block."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class set_warn_always_context(warnings.catch_warnings):
    """Warnings are repeated."""

    def __init__(self, value):
        super().__init__()


def names():
    """Return {module: {name: value}}."""

    def same(f):
        return f

    return {
        "torch.testing._internal.common_utils": {
            "TestCase": TestCase,
            "IS_WINDOWS": False,
            "IS_MACOS": False,
            "TEST_CUDA": False,
            "disable_gc": disable_gc,
            "parametrize": with_options(_parametrize),
            "instantiate_parametrized_tests": same,
            "set_warn_always_context": set_warn_always_context,
        },
        "torch.testing._internal.common_methods_invocations": {
            "mask_not_all_zeros": mask_not_all_zeros
        },
        "torch.testing._internal.common_device_type": {
            "dtypes": with_options(_dtypes),
            "onlyCPU": same,
            "deviceCountAtLeast": lambda n: skips("several devices"),
        },
    }  # fmt: skip
