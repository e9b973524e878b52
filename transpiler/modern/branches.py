"""Small modules that core lacks, whose classes are written into the files that need them.

Torch feeds one input to several modules and joins what they give by a module of its own
(`nn.ConcatTable` and what stands behind, `nn.Concat`); here both become one module. `View` and
`Reshape` find out whether a tensor is a batch, as Torch's do (nn/View.lua, nn/Reshape.lua).
"""

from __future__ import annotations

from typing import Any

from .. import ast
from ..walk import number, plain

CLASSES = {
    "Sum": '''
class Sum(nn.Module):
    """Adds up what its branches make of one input."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        first, *others = [branch(x) for branch in self.branches]
        for other in others:
            first = first + other
        return first
''',
    "Product": '''
class Product(nn.Module):
    """Multiplies what its branches make of one input."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        first, *others = [branch(x) for branch in self.branches]
        for other in others:
            first = first * other
        return first
''',
    "Branches": '''
class Branches(nn.Module):
    """Gives what each of its branches makes of one input."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return tuple(branch(x) for branch in self.branches)
''',
    "Joined": '''
class Joined(nn.Module):
    """Joins, along a dimension, what its branches make of one input."""

    def __init__(self, *branches, dim):
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.dim = dim

    def forward(self, x):
        return ops.concat([branch(x) for branch in self.branches], axis=self.dim)
''',
    "Concatenation": '''
class Concatenation(nn.Module):
    """Puts side by side, along a dimension, what its branches make of one input."""

    def __init__(self, *branches, dim):
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.dim = dim

    def forward(self, x):
        return ops.concat([branch(x) for branch in self.branches], axis=self.dim)
''',
    "View": '''
class View(nn.Module):
    """Gives a tensor a shape, or each sample of a batch."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        whole = -1 in self.shape or x.size == prod(self.shape)
        return x.reshape(self.shape if whole else (-1, *self.shape))
''',
    "Reshape": '''
class Reshape(nn.Module):
    """Gives a tensor a shape, or each sample of a batch, which may be of one."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        alone = x.size == prod(self.shape) and x.shape[0] != 1
        return x.reshape(self.shape if alone else (x.shape[0], *self.shape))
''',
}
"""The classes, as they stand in the files."""

REDUCERS = {"CAddTable": "Sum", "CMulTable": "Product", "JoinTable": "Joined"}
"""What stands behind a ConcatTable, and the class that both become."""


def dimension(node: ast.Call) -> int | None:
    """Return the dimension, from 0, of `nn.JoinTable(dim, nInputDims)` or `nn.Concat(dim)`."""
    values = [number(plain(a)) for a in node.arguments]
    if not values or values[0] is None or values[0] < 1:
        return None
    place = int(values[0]) - 1
    if len(values) > 1:
        return None if values[1] is None else place - int(values[1])
    return place


def reducer_takes(node: Any) -> bool:
    """Whether a reducer's arguments mean nothing but to work in place."""
    return all(isinstance(plain(a), ast.Boolean) for a in node.arguments)
