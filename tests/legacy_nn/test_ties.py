import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.ties import find_ties


def view(storage, offset, shape, strides):
    return Tensor.view_of(storage, offset, shape, strides)


def found(*tensors):
    return [(t.tensor, t.first, t.whole) for t in find_ties(tensors)]


@pytest.fixture
def storage():
    return Storage(np.zeros(24))


def test_parts_of_a_flattened_vector_are_not_tied(storage):
    assert found(view(storage, 0, (3, 4), (4, 1)), view(storage, 12, (12,), (1,))) == []


def test_columns_that_interleave_are_not_tied(storage):
    assert found(view(storage, 0, (4, 3), (6, 1)), view(storage, 3, (4, 3), (6, 1))) == []


def test_the_same_view_is_tied_to_the_first(storage):
    tensors = [view(storage, 2, (2, 3), (3, 1)) for _ in range(3)]
    assert found(*tensors) == [(1, 0, True), (2, 0, True)]


def test_a_transposed_view_shares_elements(storage):
    assert found(view(storage, 0, (3, 4), (4, 1)), view(storage, 0, (4, 3), (1, 4))) == [
        (1, 0, False)
    ]


def test_equal_values_in_other_memory_are_not_tied():
    assert found(Tensor(np.ones(3)), Tensor(np.ones(3))) == []


def test_empty_tensors_are_not_tied(storage):
    assert found(view(storage, 0, (0,), (1,)), view(storage, 0, (0,), (1,))) == []


VIEWS = st.tuples(
    st.integers(0, 5),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(*[st.integers(0, 4)] * 2),
)


@given(st.lists(VIEWS, min_size=2, max_size=5))
def test_a_tie_is_found_exactly_where_elements_are_shared(views):
    storage = Storage(np.zeros(24))
    tensors = [view(storage, *v) for v in views]
    elements = [
        {o + i * s + j * t for i in range(n) for j in range(m)} for o, (n, m), (s, t) in views
    ]
    ties = {t.tensor: t.first for t in find_ties(tensors)}
    earlier = {i: [j for j in range(i) if elements[i] & elements[j]] for i in range(len(views))}
    assert set(ties) == {i for i, shares in earlier.items() if shares}
    assert all(first in earlier[i] for i, first in ties.items())
