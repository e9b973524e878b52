"""Tensors, operations and checkpoints: the framework that ported models live on.

Read in this order: `dtypes.py`, `backend/` (arrays and devices), `storage.py` and
`tensor.py`, `ops/` (what can be computed) on `kernels/` (how), `checkpoint/` (`.t7` files).
Nothing here imports legacy_nn, transpiler or cli.
"""

if __name__ == "core":
    raise ImportError("import rekindle.core: the folder core is not a package of its own")
