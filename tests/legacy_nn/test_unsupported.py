"""What unsupported() says of models that cannot run."""

import pytest
from recorded import FIXTURES

from rekindle.core import checkpoint
from rekindle.core.checkpoint import LuaFunction, Table, TorchObject
from rekindle.legacy_nn import Container, Linear, Sequential, Tanh
from rekindle.legacy_nn.criterion import Criterion
from rekindle.legacy_nn.module import Module
from rekindle.legacy_nn.unsupported import Gap, has_forward, unsupported


def test_a_model_that_runs_has_no_gaps():
    assert unsupported(Sequential().add(Linear(3, 2)).add(Tanh())) == []


def test_a_method_stored_in_an_instance_is_named():
    model = checkpoint.load(FIXTURES / "behaviour" / "instance_override.t7").results.module
    assert unsupported(model) == [
        Gap("modules[1]", "nn.ReLU", "method stored in the instance: updateOutput")
    ]


def test_methods_of_the_backward_pass_do_not_stop_a_model():
    model = Tanh()
    vars(model)["accGradParameters"] = LuaFunction(b"\x1bLJ")
    assert unsupported(model) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("my.Layer", "rekindle.register('my.Layer', cls)"),
        ("nn.SpatialConvolutionCUDA", "planes x height x width x batch"),
        ("ccn2.SpatialConvolution", "planes x height x width x batch"),
        ("inn.SpatialMaxPooling", "imagine-nn"),
        ("fbnn.SpatialConvolution", "fbcunn"),
        ("nn.SpatialConvolutionFBFFT", "fbcunn"),
        ("nn.SpatialPyramid", "nnx"),
    ],
)
def test_unknown_classes_and_why(name, reason):
    (gap,) = unsupported(Sequential().add(Tanh()).add(TorchObject(name)))
    assert gap[:2] == ("modules[2]", name)
    assert reason in gap.reason


def test_everything_inside_an_unknown_class_is_looked_at():
    inner = TorchObject("nn.Inner")
    fields = Table({"modules": Table([Tanh(), inner]), "extra": Table([inner])})
    gaps = unsupported(TorchObject("nn.Outer", 1, fields))
    assert [gap[:2] for gap in gaps] == [("", "nn.Outer"), ("modules[2]", "nn.Inner")]


def test_a_class_without_a_forward_pass():
    assert not has_forward(Module())
    assert not has_forward(Container())
    (gap,) = unsupported(Sequential().add(Module()))
    assert gap == Gap("modules[1]", "nn.Module", "its forward pass is not there yet")


def test_an_object_of_a_registered_class_that_is_no_module():
    class Plain:
        t7_typename = "my.Plain"

    (gap,) = unsupported(Sequential().add(Plain()))
    assert gap == Gap(
        "modules[1]", "my.Plain", "its class Plain is no subclass of rekindle.legacy_nn.Module"
    )


def test_tables_of_models_and_other_things():
    table = Table({"model": Sequential().add(TorchObject("my.Layer")), "criterion": Criterion()})
    table["generator"] = TorchObject("torch.Generator", payload=b"")
    assert [gap[:2] for gap in unsupported(table)] == [("model.modules[1]", "my.Layer")]
