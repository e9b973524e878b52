"""Recurrent layers and cells against PyTorch's, with all their options."""

import pytest
from torch_side import both, compare, draws

LAYERS = [
    (kind, options)
    for kind in ("RNN", "LSTM", "GRU")
    for options in (
        {},
        {"num_layers": 2, "bidirectional": True},
        {"num_layers": 3, "batch_first": True},
        {"bias": False, "bidirectional": True},
    )
] + [
    ("RNN", {"nonlinearity": "relu", "num_layers": 2}),
    ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
]


def states(kind, options, *batch):
    """Return the shapes of the first states."""
    count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    h = (count, *batch, options.get("proj_size") or 5)
    return [h, (count, *batch, 5)] if kind == "LSTM" else [h]


def called(layer, kind):
    """Return the layer as a function of its input and its states one by one."""
    if kind == "LSTM":
        return lambda x, *s: layer(x, s or None)
    return layer


@pytest.mark.parametrize(("kind", "options"), LAYERS, ids=str)
@pytest.mark.parametrize("given", [False, True], ids=["zeros", "states"])
def test_layer(kind, options, given):
    ours, theirs = both(kind, 3, 5, **options)
    assert repr(ours) == repr(theirs)
    x = (2, 4, 3) if options.get("batch_first") else (4, 2, 3)
    arrays = draws(x, *(states(kind, options, 2) if given else []))
    compare(called(ours, kind), called(theirs, kind), arrays)
    single = draws((4, 3), *(states(kind, options) if given else []))
    compare(called(ours, kind), called(theirs, kind), single)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RNNCell", {}),
        ("RNNCell", {"nonlinearity": "relu"}),
        ("LSTMCell", {}),
        ("GRUCell", {"bias": False}),
    ],
    ids=str,
)
def test_cell(kind, options):
    ours, theirs = both(kind, 3, 5, **options)
    assert repr(ours) == repr(theirs)
    count = 2 if kind == "LSTMCell" else 1
    for batch in ((4,), ()):
        for given in (0, count):
            arrays = draws((*batch, 3), *[(*batch, 5)] * given)
            compare(called(ours, kind[:-4]), called(theirs, kind[:-4]), arrays)


def test_dropout_between_layers():
    """Dropout of everything leaves the upper layer nothing but its biases; the top is whole."""
    ours, theirs = both("LSTM", 3, 5, num_layers=2, dropout=1.0)
    compare(ours, theirs, draws((4, 2, 3)))
    compare(ours.eval(), theirs.eval(), draws((4, 2, 3)))
