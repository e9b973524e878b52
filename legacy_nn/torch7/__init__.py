"""LuaTorch's own library, in Python.

- `types`: the tensor types by name
- `generator`: the random generator, `torch.Generator`
- `random`: the default generator, and random numbers in tensors
"""
