"""What would give wrong gradients is refused, and the error says what to do."""

import parity_misuse  # noqa: F401  # its programs
import pytest
from parity import MISUSES, REKINDLE

from rekindle.core.autograd import Function, GraphFreedError, InplaceError, VersionError
from rekindle.core.dtypes import DtypeError
from rekindle.core.errors import RekindleError

MESSAGES = {
    "a_leaf_that_a_function_writes": "Own writes into a leaf that requires gradients",
    "a_context_asked_after_the_pass": "there while `backward` runs, and only then",
    "a_pack_hook_that_writes": "pack hook of saved_tensors_hooks wrote into the tensor",
    "a_late_hook_that_returns_something": "returned a Tensor; it returns None",
    "a_late_hook_on_a_result": "needs a leaf: an operation made this tensor",
    "a_prehook_that_returns_too_much": "a hook of multiply returned .* a tuple of 1 gradients",
    "a_view_made_in_no_grad_is_cleared": r"writes into a view that was made inside no_grad",
    "a_view_made_in_no_grad_is_assigned_to": r"writes into a view that was made inside no_grad",
    "a_view_is_cut_off": "would cut a view off from its base",
    "backward_twice": "second backward pass through multiply.* retain_graph=True",
    "backward_of_several_elements": r"shape \(6,\) needs a gradient of that shape",
    "a_gradient_of_another_shape": r"a gradient of shape \(2,\) for an output of \(6,\)",
    "backward_of_a_constant": "requires no gradient",
    "backward_into_no_inputs": "`inputs` is empty",
    "an_unused_input": "do not depend on input 0; allow_unused=True",
    "a_constant_input": "input 0 requires no gradient",
    "a_saved_operand_is_overwritten": "gradient of multiply needs a value that add_ has",
    "a_saved_result_is_overwritten": "gradient of exp needs a value that add_ has",
    "a_saved_value_is_overwritten_through_a_view": "gradient of exp needs a value that zero_ has",
    "a_saved_parameter_takes_a_step_too_early": "gradient of multiply needs a value that add_",
    "a_leaf_is_written": "mul_ writes into a leaf that requires gradients",
    "a_view_of_a_leaf_is_written": "mul_ writes into a view of a leaf",
    "a_leaf_is_assigned_to": "assignment writes into a view of a leaf",
    "a_view_made_in_no_grad_is_written": r"mul_ writes into a view that was made inside no_grad",
    "a_view_made_in_no_grad_is_used_after_a_write": r"was made inside no_grad\(\) is used after",
    "an_expanded_tensor_is_written": "mul_ writes into an expanded tensor",
    "an_expanded_constant_is_written": "add_ writes into an expanded tensor",
    "the_flag_of_a_result": "an operation made cannot change",
    "a_hook_on_a_constant": "register_hook needs a tensor that requires gradients",
    "the_kept_gradient_of_a_constant": "retain_grad needs a tensor that requires gradients",
    "a_hook_that_changes_the_shape": r"a hook returned shape \(3,\) for a gradient of shape \(6,\)",
    "too_few_gradients": "Own.backward returned 1 gradients for 2 arguments",
    "too_many_gradients": "Own.backward returned 2 gradients for 1 arguments",
    "a_gradient_of_the_wrong_shape_from_a_function": r"Own computed has shape \(2,\)",
    "a_view_from_a_function_is_written": "a view that Own.forward returned",
    "an_argument_from_a_function_is_written": "a view that Own.forward returned",
    "a_view_from_a_function_is_used_after_a_write": "a view that Own.forward returned is used",
    "a_tensor_saved_by_a_function_is_overwritten": "gradient of Own needs a value that add_ has",
    "a_function_saving_twice_backward": "second backward pass through Own",
}


def test_every_misuse_has_its_message():
    assert MESSAGES.keys() == MISUSES.keys()


@pytest.mark.parametrize("name", MISUSES)
def test_misuse(name):
    with pytest.raises(RekindleError, match=MESSAGES[name]):
        MISUSES[name](REKINDLE)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("backward_twice", GraphFreedError),
        ("a_saved_result_is_overwritten", VersionError),
        ("a_leaf_is_written", InplaceError),
    ],
)
def test_kinds_of_errors(name, kind):
    with pytest.raises(kind) as caught:
        MISUSES[name](REKINDLE)
    assert isinstance(caught.value, RuntimeError)


def test_integers_have_no_gradients():
    with pytest.raises(DtypeError, match="only floating tensors"):
        REKINDLE.constant([1, 2]).astype("int64").requires_grad_()


def test_backward_of_a_function_returns_tensors():
    class Back(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g.numpy()

    with pytest.raises(RekindleError, match=r"Back\.backward returned a ndarray for argument 0"):
        Back.apply(REKINDLE.leaf([1.0])).backward()


def test_a_gradient_for_each_output():
    x = REKINDLE.leaf([1.0])
    with pytest.raises(RekindleError, match="1 gradients for 2 outputs"):
        REKINDLE.backward([x * 2, x * 3], [None])


def test_a_grad_that_does_not_fit():
    x = REKINDLE.leaf([1.0, 2.0])
    x.grad = REKINDLE.constant([1.0, 2.0, 3.0])
    with pytest.raises(RekindleError, match=r"cannot be added to a `grad` of shape \(3,\)"):
        x.sum().backward()
