"""The method table of Tensor: core/methods.py declares what core/ops fills in."""

import ast
import inspect
from pathlib import Path

import pytest

import rekindle.core.methods
from rekindle.core.ops import Op
from rekindle.core.tensor import Tensor


def declared():
    """Return the methods that core/methods.py declares: name -> names of parameters."""
    tree = ast.parse(Path(rekindle.core.methods.__file__).read_text(encoding="utf-8"))
    table = next(n for n in tree.body if isinstance(n, ast.ClassDef))
    block = next(n for n in table.body if isinstance(n, ast.If))
    return {f.name: [a.arg for a in [*f.args.args, *f.args.kwonlyargs]][1:] for f in block.body}


def filled():
    """Return what core/ops put into Tensor."""
    source = Path(inspect.getfile(Tensor)).read_text(encoding="utf-8")
    tree = ast.parse(source)
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Tensor").body
    own = {n.name for n in body if isinstance(n, ast.FunctionDef)}
    own |= {t.id for n in body if isinstance(n, ast.Assign) for t in n.targets}
    others = {"__module__", "__doc__", "__annotations__"}
    others.add("lua_metatable")  # of transpiler.runtime, where another test imported that
    slots = {n for n, v in vars(Tensor).items() if inspect.ismemberdescriptor(v)}
    slots |= {n for n, v in vars(Tensor).items() if inspect.isgetsetdescriptor(v)}
    return {n: v for n, v in vars(Tensor).items() if n not in own | others | slots}


def test_methods_are_declared_as_filled():
    assert set(declared()) == set(filled())


@pytest.mark.parametrize("name", [n for n, v in filled().items() if isinstance(v, Op)])
def test_methods_take_the_parameters_of_their_operation(name):
    parameters = list(inspect.signature(filled()[name]).parameters)[1:]
    found = declared()[name]
    assert len(found) == len(parameters)
    assert [p for p in found if p != "other"] == [p for p in parameters if p != "y"]
