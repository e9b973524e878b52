"""contract, einsum, tensordot and outer against NumPy's einsum, and their derivatives."""

import numpy as np
import pytest

from rekindle.core import ops
from rekindle.core.autograd import check_grads
from rekindle.core.creation import tensor
from rekindle.core.errors import BoundsError, ShapeError
from rekindle.core.ops import OPERATIONS, OperandError

SIZES = dict(zip("abcdeijklAZ", (2, 3, 2, 4, 2, 3, 2, 4, 2, 2, 3), strict=True))
SUBSCRIPTS = [
    "ij,jk->ik", "ij,jk", "ij->ji", "ij->", "ii->i", "ii", "iij->j", "iii->i", "i,i->", "i,i",
    "i,j", "ij,ij->ij", "bij,bjk->bik", "bij,bkj->bik", "...ij,...jk->...ik", "...i,i->...",
    "i...,i...->...", "ij,kj,kl->il", "a,b,c->abc", "ab,bc,cd,de->ae", "ij,j->i", "abc->cab",
    "ab,b,a", "aab,bc->ac", "ij,ij,ij->ij", "ij,ik,il->jkl", "i,i,i->", " b i j , b j -> b i",
    "Ab,bA->", "ZaA", "...->...", "ab,cd->ac", "a...a->...a", "->", ",i->i",
]  # fmt: skip


def operands(subscripts):
    """Return an array for each term; "..." stands for two dimensions."""
    rng = np.random.default_rng(7)
    for term in subscripts.replace(" ", "").partition("->")[0].split(","):
        named = [[SIZES[c]] if c.isalpha() else [2, 3] for c in term.replace("...", ".")]
        yield rng.normal(size=[n for sizes in named for n in sizes])


@pytest.mark.parametrize("subscripts", SUBSCRIPTS)
def test_einsum(subscripts):
    arrays = list(operands(subscripts))
    expected = np.einsum(subscripts.replace(" ", ""), *arrays)
    actual = ops.einsum(subscripts, *map(tensor, arrays))
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual.numpy(), expected, rtol=1e-12, atol=1e-13)
    check_grads(lambda *xs: ops.einsum(subscripts, *xs), list(map(tensor, arrays)))


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", [(3, 1), (4, 2)]),
        ("ij,jk->ik", [(1, 4), (1, 2)]),
        ("ij,ij->", [(3, 1), (1, 4)]),
        ("i,i,i->i", [(1,), (3,), (1,)]),
        ("ij,jk,kl->il", [(2, 1), (3, 4), (1, 5)]),
        ("...i,...i->...", [(2, 1, 3), (4, 1)]),
        ("bi,bi->b", [(1, 3), (2, 3)]),
        ("ij,jk->ik", [(2, 0), (0, 3)]),
        ("ij,jk->ik", [(0, 2), (2, 3)]),
    ],
)
def test_one_fits_any_size(subscripts, shapes):
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=shape) for shape in shapes]
    actual = ops.einsum(subscripts, *map(tensor, arrays))
    np.testing.assert_allclose(actual.numpy(), np.einsum(subscripts, *arrays), rtol=1e-12)
    check_grads(lambda *xs: ops.einsum(subscripts, *xs), list(map(tensor, arrays)))


def test_dimensions_without_a_letter_come_first_or_are_summed():
    x = tensor(np.arange(6.0).reshape(2, 3))
    assert ops.einsum("...", x).tolist() == x.tolist()
    assert ops.einsum("...i->i", x).tolist() == [3, 5, 7]
    assert ops.einsum("i...", x).shape == (3, 2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_dtype_stays(dtype):
    x = tensor(np.ones((2, 2)), dtype)
    assert ops.einsum("ii,jk,kj->i", x, x, x).dtype == dtype


@pytest.mark.parametrize("name", ["contract"])
def test_contract_is_what_einsum_is_made_of(name):
    for sample in OPERATIONS[name].samples(np.random.default_rng(5)):
        actual = ops.contract(*map(tensor, sample.arrays), **sample.params).numpy()
        expected = np.einsum(sample.params["subscripts"], *sample.arrays)
        np.testing.assert_allclose(actual, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("subscripts", "error", "message"),
    [
        ("ij,jk->iz", OperandError, "given 'z'"),
        ("ij,jk->ii", OperandError, "given 'i'"),
        ("i1,jk", OperandError, "given '1'"),
        ("ij->", OperandError, "takes 1 operands; given 2"),
        ("ij,jk,kl", OperandError, "takes 3 operands; given 2"),
        ("ijk,jk", ShapeError, "'ijk' is not for 2 dimensions"),
        ("i,jk", ShapeError, "'i' is not for 2 dimensions"),
        ("ij,ijk...", ShapeError, "'ijk...' is not for 2 dimensions"),
        ("ij,kj", ShapeError, "j is 3 and 2"),
        ("ii,kj", ShapeError, "i is 2 and 3"),
    ],
)
def test_what_cannot_be_read_is_refused(subscripts, error, message):
    with pytest.raises(error, match=message):
        ops.einsum(subscripts, tensor(np.ones((2, 3))), tensor(np.ones((3, 2))))


@pytest.mark.parametrize("axes", [0, 1, 2, ([0], [1]), ([1, 0], [0, 1]), ([-1], [0]), ([], [])])
def test_tensordot(axes):
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    expected = np.tensordot(x, y, axes)
    actual = ops.tensordot(tensor(x), tensor(y), axes=axes)
    np.testing.assert_allclose(actual.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("axes", "error", "message"),
    [
        (1, ShapeError, r"dimensions \[1\] of shape \(2, 3\) and \[0\] of \(2, 3\) differ"),
        (([0], [0, 1]), ShapeError, "differ"),
        (3, BoundsError, "tensordot: dimension"),
        (([2], [0]), BoundsError, "tensordot: dimension 2 is not one of 2"),
    ],
)
def test_tensordot_needs_pairs(axes, error, message):
    x = tensor(np.ones((2, 3)))
    with pytest.raises(error, match=message):
        ops.tensordot(x, x, axes=axes)


SHAPES = [(3,), (2, 3), (4, 2, 3), (4, 1, 2, 3)]


@pytest.mark.parametrize("left", SHAPES)
@pytest.mark.parametrize("right", SHAPES)
def test_slopes_of_matrix_products(left, right):
    rng = np.random.default_rng(9)
    x, y = tensor(rng.normal(size=left)), tensor(rng.normal(size=right))
    y = y if y.ndim == 1 else y.mT.contiguous()
    check_grads(lambda a, b: a @ b, [x, y])
    check_grads(ops.matmul, [x, y])


def test_outer():
    x, y = tensor([1.0, 2.0]), tensor([3.0, 4.0, 5.0])
    assert x.outer(y).tolist() == [[3, 4, 5], [6, 8, 10]]
    with pytest.raises(ShapeError, match=r"outer takes vectors; given shapes \(2,\) and \(1, 3\)"):
        x.outer(y.reshape(1, 3))
