"""The shared library: where it is, the functions that are called, and its errors."""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import os
import threading
from pathlib import Path
from typing import Any

from ...errors import RekindleError
from ..threads import share_threads

DISTRIBUTION = "onednn-cpu-gomp"
VARIABLE = "REKINDLE_ONEDNN"
"""Environment variable with the path of another build of the library."""

UNIMPLEMENTED = 3
_STATUS = {
    1: "out of memory",
    2: "invalid arguments",
    UNIMPLEMENTED: "unimplemented",
    4: "last implementation reached",
    5: "runtime error",
    6: "not required",
}

_HANDLE = ctypes.c_void_p
_OUT = ctypes.POINTER(ctypes.c_void_p)
_DIMS = ctypes.POINTER(ctypes.c_int64)
_INT, _FLOAT, _DIM = ctypes.c_int, ctypes.c_float, ctypes.c_int64

_WINDOW = (_DIMS, _DIMS, _DIMS, _DIMS)
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "engine_create": (_OUT, _INT, ctypes.c_size_t),
    "stream_create": (_OUT, _HANDLE, ctypes.c_uint),
    "memory_desc_create_with_strides": (_OUT, _INT, _DIMS, _INT, _DIMS),
    "memory_desc_create_with_tag": (_OUT, _INT, _DIMS, _INT, _INT),
    "memory_desc_destroy": (_HANDLE,),
    "memory_create": (_OUT, _HANDLE, _HANDLE, _HANDLE),
    "memory_set_data_handle": (_HANDLE, _HANDLE),
    "memory_destroy": (_HANDLE,),
    "primitive_create": (_OUT, _HANDLE),
    "primitive_execute": (_HANDLE, _HANDLE, _INT, _HANDLE),
    "primitive_destroy": (_HANDLE,),
    "primitive_desc_destroy": (_HANDLE,),
    "primitive_attr_create": (_OUT,),
    "primitive_attr_destroy": (_HANDLE,),
    "primitive_attr_set_post_ops": (_HANDLE, _HANDLE),
    "post_ops_create": (_OUT,),
    "post_ops_destroy": (_HANDLE,),
    "post_ops_append_binary": (_HANDLE, _INT, _HANDLE),
    "post_ops_append_eltwise": (_HANDLE, _INT, _FLOAT, _FLOAT),
    "reorder_primitive_desc_create": (_OUT, *(_HANDLE,) * 5),
    "convolution_forward_primitive_desc_create": (
        *(_OUT, _HANDLE, _INT, _INT),
        *(_HANDLE,) * 4,
        *(*_WINDOW, _HANDLE),
    ),
    "convolution_backward_data_primitive_desc_create": (
        *(_OUT, _HANDLE, _INT),
        *(_HANDLE,) * 3,
        *(*_WINDOW, _HANDLE, _HANDLE),
    ),
    "convolution_backward_weights_primitive_desc_create": (
        *(_OUT, _HANDLE, _INT),
        *(_HANDLE,) * 4,
        *(*_WINDOW, _HANDLE, _HANDLE),
    ),
    "pooling_forward_primitive_desc_create": (
        *(_OUT, _HANDLE, _INT, _INT),
        *(_HANDLE,) * 2,
        *(_DIMS, *_WINDOW, _HANDLE),
    ),
    "pooling_backward_primitive_desc_create": (
        *(_OUT, _HANDLE, _INT),
        *(_HANDLE,) * 2,
        *(_DIMS, *_WINDOW, _HANDLE, _HANDLE),
    ),
    "batch_normalization_forward_primitive_desc_create": (
        *(_OUT, _HANDLE, _INT),
        *(_HANDLE, _HANDLE, _FLOAT, ctypes.c_uint, _HANDLE),
    ),
    "batch_normalization_backward_primitive_desc_create": (
        *(_OUT, _HANDLE, _INT),
        *(*(_HANDLE,) * 3, _FLOAT, ctypes.c_uint, _HANDLE, _HANDLE),
    ),
    "softmax_forward_primitive_desc_create": (
        *(_OUT, _HANDLE, _INT, _INT),
        *(_HANDLE, _HANDLE, _INT, _HANDLE),
    ),
    "matmul_primitive_desc_create": (_OUT, _HANDLE, *(_HANDLE,) * 5),
    "sgemm": (
        *(ctypes.c_char, ctypes.c_char, _DIM, _DIM, _DIM, _FLOAT),
        *(_HANDLE, _DIM, _HANDLE, _DIM, _FLOAT, _HANDLE, _DIM),
    ),
}


class KernelLibraryError(RekindleError, OSError):
    """A library of kernels that cannot be loaded, or a call of it that failed."""


class _Version(ctypes.Structure):
    _fields_ = (
        ("major", _INT),
        ("minor", _INT),
        ("patch", _INT),
        ("hash", ctypes.c_char_p),
        ("cpu_runtime", ctypes.c_uint),
        ("gpu_runtime", ctypes.c_uint),
    )


class Library:
    """The loaded library: its functions, without the prefix `dnnl_`, as methods.

    Attributes
    ----------
    path : Path
    version : str
    engine : c_void_p
        The CPU, as oneDNN names it.
    query, memory_size, same_descriptor, execute, set_handle : callable
        Functions that do not return a status, or are called without looking at it.

    Raises
    ------
    KernelLibraryError
        If it cannot be loaded or is not of version 3.
    """

    def __init__(self, path: Path) -> None:
        try:
            functions = ctypes.CDLL(str(path))
            version = functions.dnnl_version
        except (OSError, AttributeError) as error:
            raise KernelLibraryError(f"oneDNN cannot be loaded from {path}: {error}") from error
        version.restype = ctypes.POINTER(_Version)
        found = version().contents
        self.path = path
        self.version = f"{found.major}.{found.minor}.{found.patch}"
        if found.major != 3:
            raise KernelLibraryError(f"oneDNN 3 is needed; {path} is {self.version}")
        self._functions = {}
        for name, signature in _SIGNATURES.items():
            function = functions[f"dnnl_{name}"]
            function.argtypes, function.restype = signature, ctypes.c_int
            self._functions[name] = function
        self.execute = self._functions["primitive_execute"]
        self.set_handle = self._functions["memory_set_data_handle"]
        self.query = functions.dnnl_primitive_desc_query_md
        self.query.argtypes, self.query.restype = (_HANDLE, _INT, _INT), _HANDLE
        self.memory_size = functions.dnnl_memory_desc_get_size
        self.memory_size.argtypes, self.memory_size.restype = (_HANDLE,), ctypes.c_size_t
        self.same_descriptor = functions.dnnl_memory_desc_equal
        self.same_descriptor.argtypes = (_HANDLE, _HANDLE)
        self.engine = self.create("engine_create", 1, 0)
        # Found through the library, so that it is of the OpenMP that the library computes with.
        if hasattr(functions, "omp_set_num_threads"):
            share_threads("onednn", functions.omp_set_num_threads)
        self._local = threading.local()

    def create(self, name: str, *args: Any) -> ctypes.c_void_p:
        """Call a function that creates an object, and return its handle."""
        made = ctypes.c_void_p()
        self.call(name, ctypes.byref(made), *args)
        return made

    def call(self, name: str, *args: Any) -> None:
        """Call a function.

        Raises
        ------
        KernelLibraryError
            If it reports a failure, with the status as `errno`.
        """
        if status := self._functions[name](*args):
            raise failure(name, status)

    @property
    def stream(self) -> ctypes.c_void_p:
        """What this thread runs primitives on."""
        try:
            made: ctypes.c_void_p = self._local.stream
        except AttributeError:
            made = self._local.stream = self.create("stream_create", self.engine, 1)
        return made


def failure(name: str, status: int) -> KernelLibraryError:
    """Return the error for a status that a function has returned."""
    return KernelLibraryError(
        status, f"oneDNN's dnnl_{name} failed: {_STATUS.get(status, f'status {status}')}"
    )


def dims(values: Any) -> Any:
    """Return integers as oneDNN takes them."""
    return (ctypes.c_int64 * len(values))(*values)


@functools.cache
def find() -> Path | None:
    """Return the path of the library, or None where it is not installed."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    # The wheel has the library three times: under its full name, and under two shorter ones.
    found = [f for f in files if f.name.startswith(("libdnnl.so.", "libdnnl.3", "dnnl.dll"))]
    return Path(str(min(found, key=lambda f: len(f.name)).locate())) if found else None


def missing() -> str | None:
    """Return what is missing to use oneDNN, or None."""
    if find() is not None:
        return None
    return "oneDNN is not installed: pip install 'rekindle[fast]'"


@functools.cache
def library() -> Library:
    """Return the library, loaded once.

    Raises
    ------
    KernelLibraryError
        If it is not installed, or cannot be loaded.
    """
    path = find()
    if path is None:
        raise KernelLibraryError(missing())
    return Library(path)


def describe() -> str:
    """Return version and path."""
    return f"oneDNN {library().version}, {library().path}"
