"""Finding and loading oneDNN, and what is kept ready of it."""

import os
import subprocess
import sys

import pytest

from rekindle.core.kernels import dispatch
from rekindle.core.kernels.onednn import library, primitives

PROGRAM = """
import numpy as np
from rekindle.core.kernels import convolution, dispatch
x, w = np.ones((1, 1, 3, 3), np.float32), np.ones((1, 1, 2, 2), np.float32)
print(convolution.convolution(np, x, w, stride=(1, 1), padding=(0, 0), dilation=(1, 1)).max())
"""


def run(**environment):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "REKINDLE_KERNELS": "fast", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_path_that_is_no_library_is_an_error_and_no_silence(tmp_path):
    (tmp_path / "libdnnl.so").write_text("nothing")
    result = run(REKINDLE_ONEDNN=str(tmp_path / "libdnnl.so"))
    assert "KernelLibraryError: oneDNN cannot be loaded from" in result.stderr


def test_the_reference_needs_no_library(tmp_path):
    result = run(REKINDLE_ONEDNN=str(tmp_path / "nowhere"), REKINDLE_KERNELS="reference")
    assert result.stdout == "4.0\n", result.stderr


def test_a_library_by_its_path(onednn):
    result = run(REKINDLE_ONEDNN=str(library.find()))
    assert result.stdout == "4.0\n", result.stderr
    assert dispatch.describe("onednn").startswith("oneDNN 3.")


def test_without_the_library_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(library, "find", lambda: None)
    assert dispatch.describe("onednn") == "oneDNN is not installed: pip install 'rekindle[fast]'"


def test_failures_name_function_and_status(onednn):
    with pytest.raises(library.KernelLibraryError, match="memory_create failed: invalid argum"):
        library.library().create("memory_create", None, None, None)


def test_those_used_last_are_kept(monkeypatch):
    monkeypatch.setattr(primitives, "_KEPT", primitives._Kept())
    monkeypatch.setattr(primitives, "KEPT", 2)
    made = []
    for key in (1, 2, 1, 3, 1, 2):
        primitives.prepared((key,), made.append, key) or made
        primitives._KEPT.found.setdefault((key,), True)
    assert [*primitives._KEPT.found] == [(1,), (2,)]


THREADS = """
import ctypes
import numpy as np
from rekindle.core import ops
from rekindle.core.creation import zeros
from rekindle.core.kernels import dispatch
from rekindle.core.kernels.onednn.library import library
from rekindle.core.kernels.threads import set_num_threads
set_num_threads(1)
x, w = zeros((1, 8, 32, 32), "float32"), zeros((8, 8, 3, 3), "float32")
ops.relu(ops.convolution(x, w))
ops.convolution(x, w)
openmp = ctypes.CDLL(str(library().path))
print(dispatch.KERNELS["relu"].calls, openmp.omp_get_max_threads())
"""


def test_the_other_library_leaves_the_number_of_threads(onednn, fused):
    run = [sys.executable, "-c", THREADS]
    environment = {**os.environ, "REKINDLE_KERNELS": "fast"}
    assert subprocess.check_output(run, env=environment, text=True, timeout=120) == "1 1\n"
