"""Threads: separate graphs, shared leaves, one graph kept for both."""

import sys
import threading

import numpy as np
import pytest
from graphs import leaf

from rekindle.core import ops


@pytest.fixture(autouse=True)
def frequent_switches():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def run(work, count=4):
    failures = []

    def guarded(k):
        try:
            work(k)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(k,)) for k in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures


def test_separate_graphs():
    def work(k):
        for _ in range(50):
            x = leaf([0.5 + k])
            y = x
            for _ in range(20):
                y = ops.tanh(y) * x
            y.backward()
            found[k].append(x.grad.item())

    found = [[] for _ in range(4)]
    run(work)
    assert all(len(set(values)) == 1 for values in found)


@pytest.mark.parametrize("first", [None, 0.0])
def test_a_shared_leaf_loses_no_gradient(first):
    for _ in range(20):
        x = leaf(np.zeros(50))
        x.grad = None if first is None else leaf(np.zeros(50)).detach()

        def work(k, x=x):
            for _ in range(10):
                (x * 1 + x * 2).sum().backward()

        run(work)
        assert x.grad.tolist() == [4 * 10 * 3] * 50


def test_one_graph_for_several_threads():
    x = leaf([0.5])
    y = ops.tanh(x * x) * x
    y.backward(retain_graph=True)
    once = x.grad.item()
    x.grad = None

    def work(k):
        for _ in range(25):
            y.backward(retain_graph=True)

    run(work)
    assert x.grad.item() == pytest.approx(100 * once, rel=1e-12)


def test_views_of_one_base():
    w = leaf(np.ones(4))
    base = w * 1
    views = [base[k : k + 1] for k in range(4)]
    base.mul_(3)

    def work(k):
        (views[k] * (k + 1)).backward(retain_graph=True)

    run(work)
    assert w.grad.tolist() == [3, 6, 9, 12]
