"""Values that a storage owes: nothing that a program can do tells them from others."""

import copy
import pickle
import threading

import numpy as np
import pytest

import rekindle
from rekindle import Tensor, no_grad, optim
from rekindle.core.ops.adoption import adopted
from rekindle.core.ops.inplace import increased, overwritten
from rekindle.core.ops.owing import owed, owed_again, owed_in_place, owed_values
from rekindle.core.resizing import resize_storage

SHAPE = (2, 3, 4, 5)


def drawn(seed=0):
    return np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)


def turned(seed=0):
    """Return a tensor on channels-last memory of its own."""
    values = np.zeros(SHAPE, np.float32).transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    values = values.copy(order="K")
    values[...] = drawn(seed)
    return Tensor._wrap(values)


def owing(seed=0):
    """Return a tensor that is owed its values."""
    x = rekindle.empty(0, dtype="float32")
    assert owed(x, turned(seed))
    assert owed_values(x) is not None
    return x


def test_what_is_known_before_the_values_are():
    x = owing()
    known = (x.shape, x.ndim, x.size, x.nbytes, x.dtype, str(x.device), x.is_leaf, x.version)
    assert known == (SHAPE, 4, 120, 480, np.float32, "cpu", True, x.version)
    assert (x.stride(), x.is_contiguous(), x.storage_offset()) == ((60, 20, 5, 1), True, 0)
    storage = x.storage()
    assert (storage.size, storage.nbytes, storage.dtype) == (120, 480, np.float32)
    assert (len(storage), str(storage.device)) == (120, "cpu")
    assert x.detach().stride() == (60, 20, 5, 1)
    assert owed_values(x) is not None  # none of this asked for them
    np.testing.assert_array_equal(x.numpy(), drawn())
    assert owed_values(x) is None
    assert x.array.flags.c_contiguous


READERS = {
    "array": lambda x: x.array,
    "numpy": lambda x: x.numpy(),
    "asarray": np.asarray,
    "dlpack": np.from_dlpack,
    "tolist": lambda x: x.tolist(),
    "storage": lambda x: x.storage().array.reshape(SHAPE),
    "raw storage": lambda x: x.storage().raw.reshape(SHAPE),
    "storage's numbers": lambda x: np.reshape(x.storage().tolist(), SHAPE),
    "storage's elements": lambda x: np.reshape([x.storage()[i] for i in range(120)], SHAPE),
    "index": lambda x: x[...].numpy(),
    "operation": lambda x: (x + 0).numpy(),
    "view": lambda x: x.reshape(-1).numpy().reshape(SHAPE),
    "transposed": lambda x: x.transpose(0, 1).numpy().transpose(1, 0, 2, 3),
    "detached": lambda x: x.detach().numpy(),
    "clone": lambda x: x.clone().numpy(),
    "other geometry": lambda x: Tensor.view_of(x.storage(), 0, SHAPE, (60, 20, 5, 1)).numpy(),
    "set": lambda x: rekindle.empty(0, dtype="float32").set_(x).numpy(),
    "deepcopy": lambda x: copy.deepcopy(x).numpy(),
    "deepcopy of the storage": lambda x: copy.deepcopy(x.storage()).array.reshape(SHAPE),
    "pickle": lambda x: pickle.loads(pickle.dumps(x)).numpy(),
    "shared": lambda x: x.share_memory_().numpy(),
    "leaf": lambda x: x.requires_grad_().detach().numpy(),
    "copied from": lambda x: rekindle.zeros(SHAPE, dtype="float32").copy_(x).numpy(),
    "converted": lambda x: x.astype("float64").numpy(),
}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_finds_the_values(reader):
    x = owing()
    np.testing.assert_array_equal(READERS[reader](x), drawn())
    assert x.array.flags.c_contiguous
    np.testing.assert_array_equal(x.storage().array, drawn().ravel())


def in_place(x):
    x.mul_(0)


def by_index(x):
    x[...] = 0


def by_part(x):
    x[1:].fill_(0)


def by_view(x):
    x.reshape(-1).zero_()


def by_detached(x):
    x.detach().zero_()


def by_quick_copy(x):
    if not overwritten(x, Tensor(np.zeros(SHAPE, np.float32))):
        x.zero_()


def by_quick_addition(x):
    if not increased(x, Tensor(np.ones(SHAPE, np.float32))):
        x.add_(1)


def by_adoption(x):
    if not adopted(x, Tensor(np.zeros(SHAPE, np.float32))):
        x.zero_()


def by_storage(x):
    x.storage().array[...] = 0


def by_numpy(x):
    x.numpy()[...] = 0


def by_optimiser(x):
    x.requires_grad_()
    x.grad = rekindle.ones(SHAPE, dtype="float32")
    optim.SGD([x], lr=3.0).step()
    x.requires_grad_(False)


def by_thread(x):
    thread = threading.Thread(target=in_place, args=(x,))
    thread.start()
    thread.join()


WRITERS = [f for name, f in sorted(globals().items()) if name.startswith(("by_", "in_"))]


@pytest.mark.parametrize("write", WRITERS, ids=lambda f: f.__name__)
def test_what_is_written_is_what_is_read(write):
    x, exact = owing(), Tensor(drawn())
    view = x.detach()
    other = rekindle.empty(0, dtype="float32")
    assert owed_again(other, x)
    with no_grad():
        write(x)
        write(exact)
    np.testing.assert_array_equal(x.numpy(), exact.numpy())
    np.testing.assert_array_equal(view.numpy(), exact.numpy())
    np.testing.assert_array_equal(other.numpy(), drawn())  # a copy, as it was


@pytest.mark.parametrize("look", [False, True])
@pytest.mark.parametrize(
    "view",
    [
        lambda t: t,
        lambda t: t.detach(),
        lambda t: t[0:1],
        lambda t: t.reshape(-1),
        lambda t: t.numpy(),
        lambda t: memoryview(t.numpy()),
        lambda t: t.storage(),
        lambda t: t.storage().array,
        lambda t: Tensor.view_of(t.storage(), 0, (3,), (1,)),
        lambda t: rekindle.empty(0, dtype="float32").set_(t),
    ],
)
def test_views_see_the_next_values(view, look):
    x = owing()
    version = x.version
    kept = view(x)
    if look:
        np.asarray(kept.tolist())
    assert owed(x, turned(1))
    assert x.version > version
    found = np.ravel(kept.tolist())
    np.testing.assert_array_equal(found, drawn(1).ravel()[: found.size])
    with no_grad():
        x.fill_(7)
    assert np.ravel(kept.tolist())[0] == 7
    del kept
    assert owed(x, turned(2))
    np.testing.assert_array_equal(x.numpy(), drawn(2))


def test_values_that_are_seen_come_at_once_and_later_ones_wait_again():
    x = owing()
    held = x.numpy()
    assert owed(x, turned(1))
    assert owed_values(x) is None
    np.testing.assert_array_equal(held, drawn(1))
    del held
    assert owed(x, turned(2))
    assert owed_values(x) is not None


def test_memory_stays_where_it_is_large_enough():
    x = owing()
    storage, place = x.storage(), x.storage().array.ctypes.data
    half = Tensor._wrap(turned(3)._array[:1].copy(order="K"))
    assert owed(x, half)
    assert (x.shape, x.storage().size) == ((1, 3, 4, 5), 120)
    np.testing.assert_array_equal(x.numpy(), drawn(3)[:1])
    np.testing.assert_array_equal(storage.array[60:], drawn().ravel()[60:])
    assert owed(x, turned(4))
    assert x.storage() is storage
    assert storage.array.ctypes.data == place
    assert storage.tolist() == drawn(4).ravel().tolist()


def test_two_views_of_one_storage_are_owed_one_after_the_other():
    x = Tensor(np.zeros((4, 3, 4, 5), np.float32)).clone()
    first, second = (Tensor.view_of(x.storage(), k, SHAPE, (60, 20, 5, 1)) for k in (0, 120))
    del x
    assert owed_in_place(first, turned(1))
    assert owed_in_place(second, turned(2))
    np.testing.assert_array_equal(first.numpy(), drawn(1))
    np.testing.assert_array_equal(second.numpy(), drawn(2))


def test_in_place_a_tensor_keeps_its_place():
    strided = turned(1)
    steps, view = strided.stride(), strided[0]
    assert not owed_in_place(strided, turned(2))
    assert strided.stride() == steps
    assert view.numpy().tobytes() == drawn(1)[0].tobytes()
    assert not owed_in_place(rekindle.zeros((3, 2, 4, 5), dtype="float32"), turned(2))
    x = owing(1)
    y = rekindle.empty(0, dtype="float32").set_(x)
    np.testing.assert_array_equal(y.numpy(), drawn(1))  # y holds an array of the memory now
    assert owed_in_place(x, turned(2), y)
    assert owed_values(x) is owed_values(y) is not None
    np.testing.assert_array_equal(y.numpy(), drawn(2))


def test_what_is_not_owed():
    def place():
        return rekindle.empty(0, dtype="float32")

    assert not owed(place(), Tensor(drawn()))  # it lies as it should
    assert not owed(rekindle.empty(0, dtype="float64"), turned())
    assert not owed(place(), Tensor(drawn()).transpose(0, 1))  # the memory of another tensor
    held = turned()
    array = held.array
    assert not owed(place(), held)
    del array
    assert not owed(place().requires_grad_(), held)
    assert not owed(rekindle.Parameter(drawn()), held)
    assert not owed(None, held)
    assert not owed_again(place(), held)
    assert owed(place(), held)


def test_a_graph_notices_that_a_saved_value_changed():
    x = owing()
    w = rekindle.ones(SHAPE, dtype="float32").requires_grad_()
    product = (w * x).sum()
    assert owed(x, turned(1))
    with pytest.raises(rekindle.core.errors.RekindleError, match="overwritten"):
        product.backward()


def test_a_storage_that_grows_keeps_what_was_owed():
    x = owing()
    resize_storage(x.storage(), 200)
    np.testing.assert_array_equal(x.numpy(), drawn())
    assert owed(x, turned(1))
    np.testing.assert_array_equal(x.storage().array[:120], drawn(1).ravel())


def test_shared_memory_gets_values_at_once():
    x = owing().share_memory_()
    assert owed(x, turned(1))
    assert owed_values(x) is None
    assert x.is_shared()
    np.testing.assert_array_equal(x.numpy(), drawn(1))


def test_many_threads_look_at_once():
    for seed in range(20):
        x, wrong = owing(seed), []
        barrier = threading.Barrier(4)

        def look(k, x=x, wrong=wrong, barrier=barrier, seed=seed):
            barrier.wait()
            x.storage().array[k] = k
            exact = drawn(seed).ravel()
            if not np.array_equal(x.storage().array[4:], exact[4:]):
                wrong.append(k)

        threads = [threading.Thread(target=look, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert x.storage().array[:4].tolist() == [0, 1, 2, 3]
