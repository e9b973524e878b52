"""Criterions are read whole, written back and printed; they compute nothing yet."""

import numpy as np
import pytest
import torchfile
from recorded import FIXTURES, tostring_texts

from rekindle.core import checkpoint
from rekindle.core.storage import Storage
from rekindle.core.tensor import Tensor
from rekindle.legacy_nn.criterion import TYPENAMES, Criterion, CriterionError

MODULES = FIXTURES / "modules"
RECORDS = sorted([*MODULES.glob("*Criterion__*.t7"), *MODULES.glob("L1Cost__*.t7")])


def plain(fields):
    """Return the names of fields, with the values of numbers, texts and truths."""
    found = {}
    for name, value in fields.items():
        name = name.decode() if isinstance(name, bytes) else name
        value = value.decode() if isinstance(value, bytes) else value
        found[name] = value if isinstance(value, (bool, int, float, str)) else None
    return found


def test_every_criterion_of_nn_is_recorded():
    recorded = {f"nn.{path.stem.partition('__')[0]}" for path in RECORDS}
    assert recorded == set(TYPENAMES) - {"cudnn.SpatialCrossEntropyCriterion"}


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_fields(path):
    record = checkpoint.load(path)
    criterion = record.criterion
    other = torchfile.load(str(path), use_list_heuristic=False)[b"criterion"]
    assert isinstance(criterion, Criterion)
    assert repr(criterion) == record["class"] == other._typename.decode()
    assert plain(vars(criterion)) == plain(other._obj)
    for name, value in other._obj.items():
        if isinstance(value, np.ndarray):
            memory = getattr(criterion, name.decode())
            assert isinstance(memory, (Tensor, Storage))
            assert memory.tolist() == value.tolist()
    assert checkpoint.dumps(checkpoint.loads(checkpoint.dumps(criterion))) == checkpoint.dumps(
        criterion
    )


def test_texts():
    texts = {lua: text for lua, text in tostring_texts().items() if "Criterion" in lua}
    assert len(texts) == 4
    for lua, text in texts.items():
        (name,) = {name for name in TYPENAMES if lua.startswith(f"{name}(")}
        loaded = checkpoint.load(MODULES / f"{name.removeprefix('nn.')}__01.t7").criterion
        assert repr(loaded) == text


def test_a_call_says_that_there_is_no_loss_yet():
    criterion = checkpoint.load(MODULES / "MSECriterion__01.t7").criterion
    for call in (criterion, criterion.forward, criterion.updateOutput):
        with pytest.raises(CriterionError, match=r"nn\.MSECriterion .* cannot be computed yet"):
            call(None, None)


def test_a_criterion_of_cudnn():
    criterion = checkpoint.load(FIXTURES / "gpu" / "spatialcrossentropy.t7")
    assert repr(criterion) == "cudnn.SpatialCrossEntropyCriterion"
    assert isinstance(criterion.nll, Criterion)
    assert criterion._type == "torch.FloatTensor"
