"""torch-autograd for Lua programs: `grad(f)`, answered by core's graphs.

Inside of a differentiated function Lua sees nodes in place of tensors and numbers; the Lua files
of the package (bridge/packages/autograd) make them and hand their tensors to `calls.record`. A
number is a tensor without dimensions, of float64. Read `values.py`, a family such as
`pointwise.py`, then `calls.py`, `gradients.py` and `modules.py`.

Source: twitter/torch-autograd README.md, src.
"""
