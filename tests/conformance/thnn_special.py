"""The functions of THNN whose arguments are not a module's fields."""

import numpy as np
from thnn_modules import accumulate, backward, forward, made, settle

from rekindle import legacy_nn
from rekindle.core import ops
from rekindle.core.checkpoint import Table
from rekindle.core.creation import zeros


def _normalized_back(given):
    module = made("BatchNormalization", given)
    if given["gradInput"] is not None:
        backward(module, given)
    if given["gradWeight"] is not None:
        accumulate(module, given)


def _renormed(given):
    rows = np.unique(given["idx"].numpy()) - 1
    weight = given["weight"].detach()
    limited = ops.renorm(weight[rows], p=given["normType"], axis=0, limit=given["maxNorm"])
    weight[rows] = limited


def _resized_back(given):
    names = [n for n in given if n == "nbatch" or n == "nchannels" or n.startswith("input")]
    shape = [int(given[n]) for n in names]
    given = {**given, "input": zeros(shape, given["gradOutput"].dtype)}
    family = "SpatialUpSamplingBilinear" if len(shape) == 4 else "VolumetricUpSamplingTrilinear"
    backward(made(family, given), given)


def _sparse(given):
    """Return row, column and value of each number that is there, the first two from 0."""
    entries = given["input"].numpy().reshape(-1, 3)
    return entries[:, 0].astype(int) - 1, entries[:, 1].astype(int) - 1, entries[:, 2]


def _sparse_output(given):
    rows, columns, values = _sparse(given)
    output = given["output"].numpy()
    output[...] = given["bias"].detach().numpy()
    np.add.at(output, rows, given["weight"].detach().numpy()[:, columns].T * values[:, None])


def _sparse_gradients(given):
    rows, columns, values = _sparse(given)
    g, scale = given["gradOutput"].numpy(), given["scale"]
    added = g[rows] * values[:, None] * scale
    np.add.at(given["gradWeight"].numpy().T, columns, added)
    given["gradBias"].numpy()[...] += g.sum(axis=0) * scale
    given["gradWeight"].numpy()[...] += given["weight"].detach().numpy() * given["weightDecay"]


def _last_columns(given, place):
    entries = given["lastInput"].numpy().reshape(-1, 2 + place)
    return np.unique(entries[entries[:, -1] != 0, place].astype(int) - 1)


def _sparse_step(place):
    def call(given):
        columns, rate = _last_columns(given, place), given["learningRate"]
        given["bias"].detach().numpy()[...] -= given["gradBias"].numpy() * rate
        step = given["gradWeight"].numpy()[:, columns] * rate
        given["weight"].detach().numpy()[:, columns] -= step

    return call


def _sparse_zero(place):
    def call(given):
        given["gradBias"].zero_()
        given["gradWeight"].numpy()[:, _last_columns(given, place)] = 0

    return call


def _as_pairs(name):
    def call(given):
        module = made("SparseLinear", given)
        (forward if name == "updateOutput" else accumulate)(module, given)

    return call


def _indexed(given):
    """Return an IndexLinear of the call's arguments, and its input."""
    weight, count = given["weight"].detach(), given["bias"].size
    module = legacy_nn.IndexLinear(weight.shape[0], count)
    module.normalize = weight.shape[1] - count
    module.offset, module.weight = given["keysOffset"], weight
    module.bias, module.outputSize = given["bias"].detach(), count
    return module, Table([given["keys"], given["values"], given["sizes"]])


def _indexed_output(given):
    module, input = _indexed(given)
    module.normalizedValues = given["normalizedValues"]
    module.train = bool(given["train"])
    settle(given["output"], module.updateOutput(input))


def _indexed_gradients(given):
    module, input = _indexed(given)
    module.normalizedValues = given["values"]  # Lua has chosen which are counted
    module.gradBias = given["gradBias"].detach()
    module.accGradParameters(input, given["gradOutput"], given["scale"])
    settle(given["gradWeight"], module.running["gradWeight"][1])


def _indexed_steps(given):
    rows = given["runningKeys"].numpy().reshape(-1) + int(given["keysOffset"])
    module, _ = _indexed({**given, "keys": None, "values": None, "sizes": None})
    module.weightDecay, module.gradBias = given["weightDecay"], given["gradBias"].detach()
    module.bias.detach().sub_(module.gradBias * given["learningRate"])
    module._step(rows, given["gradWeight"].numpy(), given["learningRate"])


def _indexed_updates(given):
    module, input = _indexed(given)
    module.normalizedValues, module.weightDecay = given["values"], given["weightDecay"]
    module.accUpdateGradParameters(input, given["gradOutput"], given["scale"])


SPECIAL = {
    "BatchNormalization_backward": _normalized_back,
    "IndexLinear_accGradParameters": _indexed_gradients,
    "IndexLinear_accUpdateGradParameters": _indexed_updates,
    "IndexLinear_updateOutput": _indexed_output,
    "IndexLinear_updateParameters": _indexed_steps,
    "LookupTable_renorm": _renormed,
    "SparseLinear_accGradParameters": _sparse_gradients,
    "SparseLinear_legacyAccGradParameters": _as_pairs("accGradParameters"),
    "SparseLinear_legacyUpdateOutput": _as_pairs("updateOutput"),
    "SparseLinear_legacyUpdateParameters": _sparse_step(0),
    "SparseLinear_legacyZeroGradParameters": _sparse_zero(0),
    "SparseLinear_updateOutput": _sparse_output,
    "SparseLinear_updateParameters": _sparse_step(1),
    "SparseLinear_zeroGradParameters": _sparse_zero(1),
    "SpatialUpSamplingBilinear_updateGradInput": _resized_back,
    "VolumetricUpSamplingTrilinear_updateGradInput": _resized_back,
}
"""Name of a function -> what it does with its arguments, by name."""
