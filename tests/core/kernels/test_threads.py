"""The number of threads: what is available, who is told, and OpenBLAS beside OpenMP."""

import threading

import numpy as np
import pytest

from rekindle.core.backend.cores import available_cores, quota_of
from rekindle.core.errors import BoundsError
from rekindle.core.kernels import openblas, threads


@pytest.fixture
def alone(monkeypatch):
    """A number of threads that nobody has been told yet, and OpenBLAS as it was."""
    monkeypatch.setattr(threads, "_SETTERS", {})
    monkeypatch.setattr(threads, "_current", threads._Setting(2))
    before = openblas.blas_threads()
    yield
    if before:
        openblas.set_blas_threads(before[0])


def test_every_thread_tells_the_libraries_once(alone):
    told = []
    threads.share_threads("library", lambda n: told.append((threading.get_ident(), n)))

    def work():
        threads.ready()
        threads.ready()

    work()
    other = threading.Thread(target=work)
    other.start()
    other.join()
    assert [n for _, n in told] == [2, 2]
    assert len({thread for thread, _ in told}) == 2
    threads.set_num_threads(3)
    assert threads.get_num_threads() == 3
    work()
    assert told[2:] == [(threading.get_ident(), 3)]


def test_the_thread_that_loads_a_library_tells_it_at_once(alone):
    told = []
    threads.set_num_threads(3)
    threads.share_threads("library", told.append)
    assert told == [3]


def test_openblas_leaves_the_cores_to_openmp(alone):
    count = len(openblas.blas_threads())
    if not count:
        pytest.skip("this NumPy computes without OpenBLAS")
    threads.set_num_threads(2)
    assert openblas.blas_threads() == [2] * count
    threads.share_threads("library", lambda n: None)
    assert openblas.blas_threads() == [1] * count
    threads.set_num_threads(2)
    assert openblas.blas_threads() == [1] * count
    a = np.arange(40000.0).reshape(200, 200)
    np.testing.assert_allclose(a @ a, np.einsum("ij,jk->ik", a, a))


@pytest.mark.parametrize("count", [0, -1])
def test_a_number_is_positive(alone, count):
    with pytest.raises(BoundsError, match=f"1 or more; given {count}"):
        threads.set_num_threads(count)


@pytest.mark.parametrize(
    ("files", "groups", "expected"),
    [
        ({"app/cpu.max": "150000 100000"}, "0::/app", 1.5),
        ({"a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000"}, "0::/a/b", 2.0),
        ({"cpu.max": "50000 100000"}, "0::/elsewhere", 0.5),
        ({"a/cpu.max": "max 100000"}, "0::/a", None),
        (
            {"cpu/job/cpu.cfs_quota_us": "300000", "cpu/job/cpu.cfs_period_us": "100000"},
            "4:memory:/x\n3:cpu:/job",
            3.0,
        ),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "3:cpu:/", None),
        ({}, "0::/app", None),
    ],
)
def test_quota_of_a_container(tmp_path, files, groups, expected):
    for name, text in files.items():
        file = tmp_path / "mounted" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", "utf-8")
    (tmp_path / "cgroup").write_text(groups + "\n", "utf-8")
    assert quota_of(tmp_path / "cgroup", tmp_path / "mounted") == expected


def test_without_control_groups(tmp_path):
    assert quota_of(tmp_path / "cgroup", tmp_path) is None
    assert available_cores() >= 1
