"""Usual mistakes: the errors say what Torch7 said, and where."""

import re

import numpy as np
import pytest
from recorded import FIXTURES

from rekindle import legacy_nn as nn
from rekindle.core import checkpoint
from rekindle.core.creation import ones, tensor, zeros
from rekindle.core.errors import RekindleError

BEHAVIOUR = FIXTURES / "behaviour"


def o(*shape):
    return ones(shape, "float64")


def z(*shape):
    return zeros(shape, "float64")


def t(*values):
    return tensor(np.array(values, "f8"))


def gradient(module, grad_output):
    x = o(2)
    module.forward(x)
    return module.backward(x, grad_output)


CASES = {
    "linear_wrong_size": lambda: nn.Linear(3, 2).forward(o(4)),
    "linear_wrong_size_batch": lambda: nn.Linear(3, 2).forward(o(5, 4)),
    "linear_3d": lambda: nn.Linear(3, 2).forward(o(2, 2, 3)),
    "seq_linear_wrong": lambda: (
        nn.Sequential().add(nn.Linear(3, 2)).add(nn.Tanh()).add(nn.Linear(3, 1)).forward(o(3))
    ),
    "nested_seq_linear_wrong": lambda: (
        nn.Sequential().add(nn.Sequential().add(nn.Linear(3, 2)).add(nn.Linear(5, 1))).forward(o(3))
    ),
    "conv_wrong_planes": lambda: nn.SpatialConvolution(3, 2, 3, 3).forward(o(1, 4, 5, 5)),
    "conv_2d_input": lambda: nn.SpatialConvolution(3, 2, 3, 3).forward(o(5, 5)),
    "conv_too_small": lambda: nn.SpatialConvolution(3, 2, 5, 5).forward(o(1, 3, 3, 3)),
    "maxpool_too_small": lambda: nn.SpatialMaxPooling(5, 5).forward(o(1, 3, 3)),
    "maxpool_pad": lambda: nn.SpatialMaxPooling(2, 2, 2, 2, 2, 2).forward(o(1, 5, 5)),
    "nll_target_high": lambda: nn.ClassNLLCriterion().forward(z(2, 3), t(1, 4)),
    "nll_target_zero": lambda: nn.ClassNLLCriterion().forward(z(2, 3), t(0, 1)),
    "nll_target_1d_high": lambda: nn.ClassNLLCriterion().forward(z(3), 4),
    "nll_batch_mismatch": lambda: nn.ClassNLLCriterion().forward(z(2, 3), t(1, 2, 3)),
    "crossentropy_high": lambda: nn.CrossEntropyCriterion().forward(z(2, 3), t(1, 5)),
    "join_mismatch": lambda: nn.JoinTable(1).forward([o(2, 3), o(2, 4)]),
    "cadd_mismatch": lambda: nn.CAddTable().forward([o(3), o(4)]),
    "view_numel": lambda: nn.View(5).forward(o(2, 3)),
    "reshape_numel": lambda: nn.Reshape(5).forward(o(2, 3)),
    "bn_wrong": lambda: nn.BatchNormalization(3).forward(o(2, 4)),
    "bn_1d": lambda: nn.BatchNormalization(3).forward(o(3)),
    "sbn_3d": lambda: nn.SpatialBatchNormalization(3).forward(o(3, 4, 4)),
    "lookup_zero": lambda: nn.LookupTable(3, 2).forward(t(0)),
    "lookup_high": lambda: nn.LookupTable(3, 2).forward(t(4)),
    "lookup_dims": lambda: nn.LookupTable(3, 2).forward(o(2, 2, 2)),
    "mse_mismatch": lambda: nn.MSECriterion().forward(o(3), o(4)),
    "bce_mismatch": lambda: nn.BCECriterion().forward(o(3), o(4)),
    "type_mismatch": lambda: nn.Linear(2, 2).float().forward(o(2)),
    "type_mismatch_conv": lambda: nn.SpatialConvolution(1, 1, 1, 1).float().forward(o(1, 2, 2)),
    "gradOutput_wrong": lambda: gradient(nn.Linear(2, 2), o(3)),
    "tanh_gradOutput_wrong": lambda: gradient(nn.Tanh(), o(3)),
    "number_input": lambda: nn.Linear(2, 2).forward(3),
    "seq_insert": lambda: nn.Sequential().insert(nn.Tanh(), 5),
    "seq_remove": lambda: nn.Sequential().remove(5),
    "narrow": lambda: nn.Narrow(1, 2, 5).forward(o(3)),
    "select": lambda: nn.Select(1, 5).forward(o(3, 3)),
    "splittable_module": lambda: nn.SplitTable(3).forward(o(3, 3)),
    "logsoftmax_5d": lambda: nn.LogSoftMax().forward(o(1, 1, 1, 1, 1)),
    "dropout_p": lambda: nn.Dropout(1.5),
    "temporal_conv": lambda: nn.TemporalConvolution(3, 2, 5).forward(o(4, 3)),
}

OTHER_WORDS = {
    "type_mismatch": "is of type torch.FloatTensor and takes float32 tensors; given float64",
    "type_mismatch_conv": "is of type torch.FloatTensor and takes float32 tensors; given float64",
}
"""Where Torch7 named the operands of its own operation, or a Lua variable."""

NO_MODULE = {"nil_input", "seq_get", "getParameters_return", "mm_mismatch", "add_mismatch"} | {
    *("tensor_view_numel", "index_out", "narrow_out", "resize_cat"),  # tensors' own errors
    *("bn_single_train", "concat_mismatch"),  # no errors
}


def words_of(message):
    """Return what a message says, without the place in Torch7's sources."""
    text = message.splitlines()[-1]
    text = re.sub(r"^(lua|share)/\S+?:\d+: ", "", text)
    text = re.sub(r"\s+at (nn|torch7)/\S+\.c:\d+", "", text)
    text = re.sub(r"^bad argument #\d to '\w+' \((.*)\)$", r"\1", text)
    return text.strip().removesuffix(".").removesuffix(" failed")


def test_all_recorded_errors_are_tried():
    recorded = checkpoint.load(BEHAVIOUR / "errors.t7").results
    assert set(CASES) | NO_MODULE == set(recorded.keys())


@pytest.mark.parametrize("name", CASES)
def test_words(name):
    message = checkpoint.load(BEHAVIOUR / "errors.t7").results[name].message
    with pytest.raises(RekindleError) as caught:
        CASES[name]()
    assert OTHER_WORDS.get(name, words_of(message)) in str(caught.value)
    places = re.findall(r"In (\d+) module of (nn\.\w+):", message)
    notes = [f"In {i} module of {container}:" for i, container in places]
    assert getattr(caught.value, "__notes__", []) == notes


def test_what_torch_accepts():
    assert nn.BatchNormalization(3).forward(o(1, 3)).shape == (1, 3)
    model = nn.Concat(1).add(nn.Linear(3, 2)).add(nn.Reshape(3, 1))
    assert model.forward(o(3)).tolist()[2:] == [1, 1, 1]


NOT_RUN = {
    "tanh": lambda x, g: nn.Tanh().backward(x, g),
    "dropout": lambda x, g: nn.Dropout(0.5).backward(x, g),
    "logsoftmax": lambda x, g: nn.LogSoftMax().backward(x, g),
    "mlp": lambda x, g: nn.Sequential().add(nn.Linear(3, 4)).add(nn.Tanh()).backward(x, o(2, 4)),
}


@pytest.mark.parametrize("name", NOT_RUN)
def test_backward_that_needs_what_forward_left(name):
    record = checkpoint.load(BEHAVIOUR / "backward_without_forward.t7")
    assert record.results[name].message
    with pytest.raises(RekindleError, match="do not match"):
        NOT_RUN[name](record.inputs.x, record.inputs.x2)


def test_errors_on_the_way_back_name_the_module():
    inner = nn.Sequential().add(nn.Linear(2, 2)).add(nn.Tanh())
    model = nn.Sequential().add(nn.Identity()).add(inner)
    del inner.get(1).gradWeight
    model.forward(o(2))
    with pytest.raises(RekindleError, match="no 'gradWeight'") as caught:
        model.backward(o(2), o(2))
    places = ["In 2 module of nn.Sequential:", "In 1 module of nn.Sequential:"]
    assert caught.value.__notes__ == places
