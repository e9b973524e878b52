"""ParallelDatasetIterator: the samples of the Lua package's, from threads that run at once."""

import threading

import pytest

from rekindle.legacy_nn import torchnet as tnt
from rekindle.legacy_nn.bridge import Runtime


class Squares(tnt.Dataset):
    def __init__(self, n=7):
        self.n = n

    def size(self):
        return self.n

    def get(self, idx):
        return {"input": idx * idx}

    def resize(self, n):
        self.n = n
        return threading.current_thread().name


class Meeting(tnt.Dataset):
    """The first samples can be had only together, and the first after the one at `later`."""

    def __init__(self, both, later):
        self.both, self.later, self.there = both, later, threading.Event()

    def size(self):
        return 6

    def get(self, idx):
        if idx <= 2:
            self.both.wait()
        if idx == 1:
            assert self.there.wait(60)
        elif idx == self.later:
            self.there.set()
        return idx


def test_samples_are_those_of_the_lua_iterator():
    runtime = Runtime()
    expected = runtime.execute("""
        local tnt = require 'torchnet'
        local iterator = tnt.ParallelDatasetIterator {
          nthread = 3, ordered = true,
          closure = function()
            local t = {}
            for i = 1, 7 do t[i] = {input = i * i} end
            return tnt.TableDataset {data = t}
          end,
          perm = function(i) return 8 - i end,
          filter = function(sample) return sample.input % 2 == 1 end,
          transform = function(sample) sample.input = sample.input + 2 return sample end,
        }
        local out = {}
        for sample in iterator() do out[#out + 1] = sample.input end
        return out
    """)
    iterator = tnt.ParallelDatasetIterator(
        lambda idx: Squares(),
        3,
        perm=lambda i: 8 - i,
        filter=lambda sample: sample["input"] % 2 == 1,
        transform=lambda sample: {"input": sample["input"] + 2},
        ordered=True,
    )
    for _ in range(2):
        assert [sample["input"] for sample in iterator] == expected.array()
    runtime.close()


@pytest.mark.parametrize("ordered", [False, True])
def test_threads_run_at_once(ordered):
    dataset = Meeting(threading.Barrier(2, timeout=60), 2 if ordered else 3)
    found = [*tnt.ParallelDatasetIterator(lambda idx: dataset, 2, ordered=ordered)]
    assert sorted(found) == [1, 2, 3, 4, 5, 6]
    assert (found.index(1) < found.index(2)) is ordered


def test_each_thread_has_its_data_set():
    made = []
    iterator = tnt.ParallelDatasetIterator(
        lambda idx: Squares(idx), 3, init=lambda idx: made.append(idx)
    )
    assert made == [1, 2, 3]
    assert iterator.exec("size") == [1, 2, 3]
    iterator.exec("resize", 4)
    assert iterator.execSingle("size") == 4
    assert len([*iterator()]) == 4


def test_a_loop_that_is_left_and_one_that_goes_on():
    iterator = tnt.ParallelDatasetIterator(lambda idx: Squares(), 2)
    loop = iterator.run()
    next(loop)
    with pytest.raises(tnt.TorchnetError, match="a loop over the samples is going on"):
        iterator.exec("size")
    loop.close()
    assert iterator.exec("size") == [7, 7]
    assert len([*iterator]) == 7


def test_errors_of_samples_and_arguments():
    class Broken(Squares):
        def get(self, idx):
            raise OSError(f"no file {idx}")

    with pytest.raises(OSError, match="no file 1"):
        [*tnt.ParallelDatasetIterator(lambda idx: Broken(), 1)]
    for make, message in (
        (lambda: tnt.ParallelDatasetIterator(lambda idx: Squares(), 0), "1 or more"),
        (lambda: tnt.ParallelDatasetIterator(lambda idx: [1], 1), "should return a Dataset"),
    ):
        with pytest.raises(tnt.TorchnetError, match=message):
            make()
