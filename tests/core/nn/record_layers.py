"""Record what PyTorch's layers compute: `python record_layers.py` where PyTorch is installed.

A layer's Parameters, inputs and the gradient of its outputs are drawn with NumPy, so that the
same can be done without PyTorch. Of every tensor its shape and two weighted sums are kept.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
FILE = HERE.parents[1] / "fixtures" / "core_nn" / "layers.json"


def cases():
    """Yield (label, name, args, kwargs, inputs).

    An input is the shape of an array that is drawn, or an array and whether its gradient is
    compared.
    """
    from test_layers_torch import CASES, label
    from test_losses_torch import BAGS, INDEX, REDUCED
    from test_recurrent_torch import LAYERS, states

    for case in CASES:
        yield f"{label(case)} of {case[3]}", *case
    for kind, options in LAYERS:
        x = (2, 4, 3) if options.get("batch_first") else (4, 2, 3)
        shapes = [x, *states(kind, options, 2)]
        yield f"{kind}-{options}", kind, (3, 5), options, shapes
    for kind, count in (("RNNCell", 1), ("LSTMCell", 2), ("GRUCell", 1)):
        yield kind, kind, (3, 5), {}, [(4, 3), *[(4, 5)] * count]
    attention = ("MultiheadAttention", (8, 2))
    for options in ({}, {"kdim": 6, "vdim": 10, "add_bias_kv": True}):
        shapes = [(4, 3, 8), (5, 3, options.get("kdim", 8)), (5, 3, options.get("vdim", 8))]
        yield f"MultiheadAttention-{options}", *attention, options, shapes
    for name in ("TransformerEncoderLayer", "TransformerDecoderLayer"):
        options = {"dropout": 0.0, "norm_first": True}
        yield name, name, (8, 2, 16), options, [(4, 3, 8)] * (2 if "Decoder" in name else 1)
    for name, options, arrays, reduction in REDUCED:
        label_of = f"{name}-{[*options]}-{reduction}-{arrays[-1].shape}-{arrays[-1].dtype.kind}"
        own = [(a, k < len(arrays) - 1) for k, a in enumerate(arrays)]
        yield label_of, name, (), {**options, "reduction": reduction}, own
    for options in ({}, {"padding_idx": 1}, {"scale_grad_by_freq": True}, {"max_norm": 0.5}):
        yield f"Embedding-{options}", "Embedding", (5, 3), options, [(INDEX, False)]
    for mode, options in BAGS:
        full = {"mode": mode, **options}
        yield f"EmbeddingBag-{full}", "EmbeddingBag", (5, 3), full, [(INDEX, False)]


def measured(package, tensor, name, args, kwargs, inputs):
    """Return the sums of everything that a layer of `package` computes."""
    rng = np.random.default_rng(7)
    kwargs = {k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}
    layer = getattr(package, name)(*args, **kwargs).double()
    state = {}
    for key, value in sorted(layer.state_dict().items() if "Loss" not in name else ()):
        drawn = rng.normal(size=tuple(value.shape)) * 0.3 + (0.8 if "var" in key else 0)
        state[key] = tensor(np.abs(drawn) if "var" in key else drawn)
        if "num_batches" in key:
            state[key] = tensor(np.array(0))
    if state:
        layer.load_state_dict(state)
    wanted = [isinstance(x[0], int) or x[1] for x in inputs]
    arrays = [rng.normal(size=x) if isinstance(x[0], int) else x[0] for x in inputs]
    if name.startswith("LPPool"):
        arrays = [np.abs(a) for a in arrays]
    inputs = [tensor(a) for a in arrays]
    for x, want in zip(inputs, wanted, strict=True):
        x.requires_grad_(want)
    given = inputs if "LSTM" not in name else [inputs[0], tuple(inputs[1:])]
    outputs = flat(layer(*given))
    found = {f"output {k}": y.detach() for k, y in enumerate(outputs)}
    total = None
    for y in outputs:
        if y.requires_grad:
            part = (y * tensor(rng.normal(size=tuple(y.shape)))).sum()
            total = part if total is None else total + part
    total.backward()
    found |= {f"gradient of input {k}": x.grad for k, x in enumerate(inputs) if wanted[k]}
    found |= {f"gradient of {n}": p.grad for n, p in sorted(layer.named_parameters())}
    found |= {f"buffer {n}": b for n, b in sorted(layer.named_buffers())}
    return {key: sums(np.asarray(value, dtype="float64")) for key, value in found.items()}


def flat(value):
    if isinstance(value, (tuple, list)):
        return [t for part in value for t in flat(part)]
    return [value]


def sums(array):
    """Return the shape, two weighted sums, and the largest magnitude."""
    weights = np.random.default_rng(11).normal(size=(2, array.size))
    return [list(array.shape), *(weights @ array.ravel()).tolist(), float(np.abs(array).max())]


if __name__ == "__main__":
    import torch

    sys.path.insert(0, str(HERE))
    found = {label: measured(torch.nn, torch.tensor, *case) for label, *case in cases()}
    FILE.parent.mkdir(exist_ok=True)
    lines = [f"{json.dumps(label)}: {json.dumps(value)}" for label, value in found.items()]
    version = json.dumps(torch.__version__.partition("+")[0])
    text = '{"PyTorch": ' + version + ', "layers": {\n' + ",\n".join(lines) + "\n}}\n"
    FILE.write_text(text, encoding="utf-8")
