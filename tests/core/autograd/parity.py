"""Small programs that mean the same in PyTorch and here.

test_parity.py runs them in both, test_misuse.py those that are to raise.

A program takes a library (`torch`'s names on either side) and returns tensors and plain values,
or raises. They are written from what PyTorch documents of views, writes in place, hooks and
Functions.
"""

from types import SimpleNamespace

import numpy as np

from rekindle.core import autograd, ops
from rekindle.core.creation import tensor

REKINDLE = SimpleNamespace(
    leaf=lambda values: tensor(values, "float64", requires_grad=True),
    constant=lambda values: tensor(values, "float64"),
    single=lambda values: tensor(values, "float32", requires_grad=True),
    double=lambda x: x.astype("float64"),
    cat=ops.concat,
    where=ops.where,
    exp=ops.exp,
    tanh=ops.tanh,
    **{
        name: getattr(autograd, name)
        for name in ("Function", "backward", "checkpoint", "enable_grad", "grad", "no_grad")
    },
)


def pytorch(torch):
    """Return the same names for PyTorch."""
    return SimpleNamespace(
        leaf=lambda values: torch.tensor(values, dtype=torch.float64, requires_grad=True),
        constant=lambda values: torch.tensor(values, dtype=torch.float64),
        single=lambda values: torch.tensor(values, dtype=torch.float32, requires_grad=True),
        double=lambda x: x.double(),
        cat=torch.cat,
        where=torch.where,
        exp=torch.exp,
        tanh=torch.tanh,
        Function=torch.autograd.Function,
        backward=torch.autograd.backward,
        checkpoint=lambda f, *args: torch.utils.checkpoint.checkpoint(
            f, *args, use_reentrant=False
        ),
        enable_grad=torch.enable_grad,
        grad=torch.autograd.grad,
        no_grad=torch.no_grad,
    )


def plain(value):
    """Return what a program gave as arrays, numbers and tuples."""
    if isinstance(value, (tuple, list)):
        return tuple(map(plain, value))
    if hasattr(value, "detach"):
        return np.asarray(value.detach().numpy())
    return value


SIX = [0.5, -1.0, 2.0, 1.5, -0.3, 0.8]
WEIGHTS = [1.0, 10.0, 100.0, 3.0, 30.0, 300.0]
PROGRAMS, MISUSES = {}, {}


def program(f):
    """Enter a program that gives the same in both libraries."""
    PROGRAMS[f.__name__] = f
    return f


def misuse(f):
    """Enter a program that both libraries refuse."""
    MISUSES[f.__name__] = f
    return f


def weighted(lib, x):
    """Return a sum in which every element has its own gradient."""
    return (x.reshape(-1) * lib.constant(WEIGHTS[: int(np.prod(x.shape))])).sum()


# -- graphs -------------------------------------------------------------------------------


@program
def a_leaf_used_many_times(lib):
    x = lib.leaf(SIX)
    y = x
    for _ in range(5):
        y = y * x + x
    weighted(lib, y).backward()
    return x.grad


@program
def gradients_add_up_over_passes(lib):
    x = lib.leaf(SIX)
    weighted(lib, x * x).backward()
    weighted(lib, lib.exp(x)).backward()
    return x.grad


@program
def mixed_precision(lib):
    x, y = lib.single(SIX), lib.leaf(SIX)
    z = x * 2
    w = lib.double(z) * y
    weighted(lib, w).backward()
    return x.grad, str(x.grad.dtype).rpartition(".")[2], y.grad


@program
def a_number_without_dimensions(lib):
    x, y = lib.leaf(2.0), lib.leaf(SIX)
    weighted(lib, x * y + x).backward()
    return x.grad, y.grad, x.grad.shape == ()


@program
def nothing_at_all(lib):
    x = lib.leaf([])
    (x * 2).sum().backward()
    return x.grad


@program
def broadcasting_both_ways(lib):
    x, y = lib.leaf([SIX[:3]]), lib.leaf([[1.0], [2.0]])
    weighted(lib, x / y).backward()
    return x.grad, y.grad


@program
def the_gradient_of_a_leaf_itself(lib):
    x = lib.leaf(SIX)
    x.backward(lib.constant(WEIGHTS))
    x.backward(lib.constant(WEIGHTS))
    return x.grad


@program
def a_graph_without_saved_values_twice(lib):
    x = lib.leaf(SIX)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x.grad


@program
def several_roots_that_depend_on_each_other(lib):
    x = lib.leaf(SIX)
    y = x * x
    lib.backward([y.sum(), (y * x).sum(), x], [None, None, lib.constant(WEIGHTS)])
    return x.grad


@program
def into_chosen_inputs(lib):
    x, y = lib.leaf(SIX), lib.leaf(SIX)
    z = x * y
    (z * x).sum().backward(inputs=[x, z])
    return x.grad, y.grad, z.grad


@program
def gradients_of_gradients(lib):
    x = lib.leaf(SIX)
    (g,) = lib.grad((lib.tanh(x) * lib.exp(x)).sum(), x, create_graph=True)
    (h,) = lib.grad(weighted(lib, g * g), x, create_graph=True)
    weighted(lib, h).backward()
    return g, h, x.grad


@program
def what_create_graph_accumulates(lib):
    x = lib.leaf(SIX)
    (x * x * x).sum().backward(create_graph=True)
    first = x.grad
    (first * first).sum().backward()
    return first, x.grad


@program
def unused_and_intermediate_inputs(lib):
    x, y = lib.leaf(SIX), lib.leaf(SIX)
    z = x * 3
    return lib.grad((z * z).sum(), [z, y, x], allow_unused=True)


@program
def the_same_input_twice(lib):
    x = lib.leaf(SIX)
    return lib.grad(weighted(lib, x * x), [x, x])


@program
def gradients_given_for_another_dtype(lib):
    x = lib.single(SIX)
    (g,) = lib.grad(x * x, x, lib.constant(WEIGHTS))
    return g, str(g.dtype).rpartition(".")[2]


# -- views and writes in place --------------------------------------------------------------


@program
def a_view_follows_its_base(lib):
    w = lib.leaf(SIX)
    x = w * 1
    y = x[:2]
    x.add_(3)
    x.mul_(w)
    weighted(lib, y).backward()
    return y, w.grad


@program
def a_base_follows_its_view(lib):
    w, v = lib.leaf(SIX), lib.leaf(SIX[:2])
    x = w * 2
    part, other = x[1:3], x[2:5]
    part.mul_(v)
    (weighted(lib, x) + weighted(lib, other * other)).backward()
    return x, other, w.grad, v.grad


@program
def views_of_views(lib):
    w = lib.leaf(SIX)
    x = (w * 1).reshape(2, 3)
    x.transpose(0, 1)[1:].mul_(lib.constant([[2.0, 3.0], [5.0, 7.0]]))
    x[0][1:].add_(x[1][:2])
    weighted(lib, x).backward()
    return x, w.grad


@program
def many_writes(lib):
    w = lib.leaf(SIX)
    x = w * 1
    views = [x[k:] for k in range(6)]
    for k, view in enumerate(views):
        view.mul_(k + 2)
        x[k] += w[k] * w[0]
    weighted(lib, x + views[3].sum()).backward()
    return x, w.grad


@program
def a_constant_gets_history(lib):
    w = lib.leaf(SIX)
    x = lib.constant([0.0] * 6)
    view = x[2:]
    x[1:4] = w[1:4] * w[0]
    weighted(lib, view).backward()
    return x, w.grad, x.requires_grad


@program
def a_view_of_a_constant_is_written(lib):
    w = lib.leaf(SIX)
    x = lib.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    x[1].copy_(w[:3])
    weighted(lib, x * x).backward()
    return x, w.grad, x.requires_grad


@program
def filling_cuts_the_gradient(lib):
    w = lib.leaf(SIX)
    x = w * 2
    x[1:3].zero_()
    x[4].fill_(7.0)
    weighted(lib, x * x).backward()
    return x, w.grad


@program
def assignment_by_mask_and_by_list(lib):
    w, v = lib.leaf(SIX), lib.leaf([9.0, 8.0])
    x = w * 2
    x[[4, 0]] = v * v
    x[x.detach() > 2.5] = 0.0
    weighted(lib, x).backward()
    return x, w.grad, v.grad


@program
def detached_memory_is_shared(lib):
    x = lib.leaf(SIX)
    y = x * 2
    y.detach().mul_(5)
    weighted(lib, y * y).backward()
    return x.grad


@program
def functions_of_their_own_output_in_place(lib):
    x = lib.leaf(SIX)
    y = x * 1
    y.exp_()
    z = y * 2
    z.tanh_()
    weighted(lib, z).backward()
    return z, x.grad


@program
def a_factor_that_needs_the_old_value(lib):
    x = lib.leaf(SIX)
    y = x.clone()
    y.mul_(x)
    weighted(lib, y).backward()
    return x.grad


@program
def writes_without_recording(lib):
    x = lib.leaf(SIX)
    with lib.no_grad():
        x.mul_(3)
        x[0] = 1.0
    y = x * 1
    weighted(lib, y * x).backward()
    return x, x.grad, y.requires_grad


@program
def a_leaf_flag_ends_a_view(lib):
    base = lib.constant(SIX)
    x = base[:3].requires_grad_()
    weighted(lib, x * x).backward()
    return x.grad, x.is_leaf, base.requires_grad


@program
def higher_order_through_writes(lib):
    x = lib.leaf(SIX)
    y = x * x
    y[1:4].mul_(x[:3])
    (g,) = lib.grad(weighted(lib, y * y), x, create_graph=True)
    weighted(lib, g).backward()
    return g, x.grad


# -- hooks ----------------------------------------------------------------------------------


@program
def hooks_replace_gradients(lib):
    x = lib.leaf(SIX)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    weighted(lib, y).backward()
    return x.grad


@program
def hooks_of_leaves_see_the_sum(lib):
    x, seen = lib.leaf(SIX), []
    x.register_hook(lambda g: seen.append(plain(g)) or g * 2)
    (x * 2 + x * 3).sum().backward()
    (g,) = lib.grad((x * x).sum(), x)
    return x.grad, seen, g


@program
def removed_hooks(lib):
    x = lib.leaf(SIX)
    y = x * 2
    handle = y.register_hook(lambda g: g * 10)
    y.sum().backward(retain_graph=True)
    handle.remove()
    handle.remove()
    y.sum().backward()
    return x.grad


@program
def hooks_stay_with_the_value_they_were_put_on(lib):
    x, seen = lib.leaf(SIX), []
    y = x * 2
    y.register_hook(lambda g: seen.append(("before", plain(g))))
    y.mul_(10)
    y.register_hook(lambda g: seen.append(("after", plain(g))))
    weighted(lib, y).backward()
    return seen


@program
def kept_gradients_follow_writes(lib):
    x = lib.leaf(SIX)
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    part = y[:3]
    part.retain_grad()
    y.mul_(10)
    (weighted(lib, y) + weighted(lib, part)).backward()
    return y.grad, part.grad


@program
def kept_gradients_add_up_after_hooks(lib):
    x = lib.leaf(SIX)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 3)
    z = weighted(lib, y)
    z.backward(retain_graph=True)
    z.backward()
    return y.grad


@program
def hooks_of_nodes(lib):
    x, seen = lib.leaf(SIX), []
    y = x * 2

    def hook(inputs, outputs):
        seen.append((plain(inputs), plain(outputs)))
        return (inputs[0] * 7, *inputs[1:])

    handle = y.grad_fn.register_hook(hook)
    weighted(lib, y).backward(retain_graph=True)
    handle.remove()
    weighted(lib, y).backward()
    return x.grad, seen


@program
def backward_inside_a_hook(lib):
    x, inner = lib.leaf(SIX), lib.leaf(SIX)

    def hook(g):
        with lib.enable_grad():
            (inner * inner).sum().backward()
        return g * 2

    y = x * 3
    y.register_hook(hook)
    y.sum().backward()
    return x.grad, inner.grad


# -- Functions ------------------------------------------------------------------------------


@program
def a_function_of_two_with_a_constant(lib):
    class Scaled(lib.Function):
        @staticmethod
        def forward(ctx, x, y, scale):
            ctx.save_for_backward(x, y)
            ctx.scale = scale
            return x * y * scale, x.detach() > 0

        @staticmethod
        def backward(ctx, g, _):
            x, y = ctx.saved_tensors
            return g * y * ctx.scale, g * x * ctx.scale, None

    x, y = lib.leaf(SIX), lib.leaf(WEIGHTS)
    z, positive = Scaled.apply(x, y, 3.0)
    weighted(lib, z).backward()
    return z, x.grad, y.grad, positive.requires_grad


@program
def a_function_that_saves_its_result(lib):
    class Exp(lib.Function):
        @staticmethod
        def forward(ctx, x):
            y = lib.exp(x)
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    x = lib.leaf(SIX)
    (g,) = lib.grad(weighted(lib, Exp.apply(x)), x, create_graph=True)
    (h,) = lib.grad(weighted(lib, g), x, create_graph=True)
    weighted(lib, h * h).backward()
    return g, h, x.grad


@program
def missing_gradients_are_zeros(lib):
    shapes = []

    class Pair(lib.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x[:2] * 5

        @staticmethod
        def backward(ctx, g, h):
            shapes.append(tuple(h.shape))
            return g * 2 + lib.cat([h * 5, lib.constant([0.0] * 4)])

    x = lib.leaf(SIX)
    weighted(lib, Pair.apply(x)[0]).backward()
    return x.grad, shapes


@program
def missing_gradients_as_none(lib):
    class Pair(lib.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 5

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 if h is None else None

    x = lib.leaf(SIX)
    weighted(lib, Pair.apply(x)[0]).backward()
    return x.grad


@program
def results_marked_constant(lib):
    class Parts(lib.Function):
        @staticmethod
        def forward(ctx, x):
            y, z = x * 2, x * 3
            ctx.mark_non_differentiable(z)
            return y, z

        @staticmethod
        def backward(ctx, g, _):
            return g * 2

    x = lib.leaf(SIX)
    y, z = Parts.apply(x)
    weighted(lib, y * z).backward()
    return x.grad, z.requires_grad, y.requires_grad


@program
def a_function_that_returns_its_argument(lib):
    class Reversal(lib.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return -g

    x = lib.leaf(SIX)
    y = x * 2
    z = Reversal.apply(y)
    (weighted(lib, z) + (y * y).sum()).backward()
    return x.grad, z is y


@program
def what_a_function_needs(lib):
    needs = []

    class Product(lib.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y, None)
            return x * y

        @staticmethod
        def backward(ctx, g):
            needs.append(ctx.needs_input_grad)
            x, y, nothing = ctx.saved_tensors
            assert nothing is None
            return g * y, g * x

    x, y = lib.leaf(SIX), lib.constant(WEIGHTS)
    Product.apply(x, y).sum().backward()
    return x.grad, y.grad, needs


@program
def a_function_called_by_a_function(lib):
    class Square(lib.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with lib.enable_grad():
                y = x.detach().requires_grad_()
                (inner,) = lib.grad(y * y, y, g)
            return inner

    x = lib.leaf(SIX)
    weighted(lib, Square.apply(Square.apply(x))).backward()
    return x.grad


@program
def a_checkpoint_over_closed_parameters(lib):
    w, x = lib.leaf([[0.5, -0.2, 1.0]] * 3), lib.leaf([SIX[:3], SIX[3:]])

    def block(x):
        return lib.tanh(x @ w) * w.sum()

    y = lib.checkpoint(block, lib.checkpoint(block, x))
    weighted(lib, y).backward()
    return x.grad, w.grad


# -- misuse ---------------------------------------------------------------------------------


@misuse
def backward_twice(lib):
    y = (lib.leaf(SIX) * lib.leaf(SIX)).sum()
    y.backward()
    y.backward()


@misuse
def backward_of_several_elements(lib):
    (lib.leaf(SIX) * 2).backward()


@misuse
def a_gradient_of_another_shape(lib):
    (lib.leaf(SIX) * 2).backward(lib.constant([1.0, 2.0]))


@misuse
def backward_of_a_constant(lib):
    lib.constant(SIX).sum().backward()


@misuse
def backward_into_no_inputs(lib):
    (lib.leaf(SIX) * 2).sum().backward(inputs=[])


@misuse
def an_unused_input(lib):
    lib.grad(lib.leaf(SIX).sum(), lib.leaf(SIX))


@misuse
def a_constant_input(lib):
    lib.grad(lib.leaf(SIX).sum(), lib.constant(SIX))


@misuse
def a_saved_operand_is_overwritten(lib):
    x = lib.leaf(SIX)
    y = x * 1
    z = y * y
    y.add_(1)
    z.sum().backward()


@misuse
def a_saved_result_is_overwritten(lib):
    y = lib.exp(lib.leaf(SIX))
    y.add_(1)
    y.sum().backward()


@misuse
def a_saved_value_is_overwritten_through_a_view(lib):
    y = lib.exp(lib.leaf(SIX))
    y[2:].detach().zero_()
    y.sum().backward()


@misuse
def a_saved_parameter_takes_a_step_too_early(lib):
    w, x = lib.leaf(SIX), lib.leaf(SIX)
    y = (w * x).sum()
    with lib.no_grad():
        w.add_(1)
    y.backward()


@misuse
def a_leaf_is_written(lib):
    lib.leaf(SIX).mul_(2)


@misuse
def a_view_of_a_leaf_is_written(lib):
    lib.leaf(SIX)[:2].mul_(2)


@misuse
def a_leaf_is_assigned_to(lib):
    lib.leaf(SIX)[0] = 1.0


@misuse
def a_view_made_in_no_grad_is_written(lib):
    x = lib.leaf(SIX) * 1
    with lib.no_grad():
        view = x[:2]
    view.mul_(2)


@misuse
def a_view_made_in_no_grad_is_used_after_a_write(lib):
    x = lib.leaf(SIX) * 1
    with lib.no_grad():
        view = x[:2]
    x.mul_(2)
    (view * 2).sum()


@misuse
def an_expanded_tensor_is_written(lib):
    x = lib.leaf([1.0]) * 1
    x.expand(3).mul_(2)


@misuse
def an_expanded_constant_is_written(lib):
    lib.constant([1.0]).expand(3).add_(2)


@misuse
def the_flag_of_a_result(lib):
    (lib.leaf(SIX) * 2).requires_grad = False


@misuse
def a_hook_on_a_constant(lib):
    lib.constant(SIX).register_hook(lambda g: g)


@misuse
def the_kept_gradient_of_a_constant(lib):
    lib.constant(SIX).retain_grad()


@misuse
def a_hook_that_changes_the_shape(lib):
    y = lib.leaf(SIX) * 2
    y.register_hook(lambda g: g[:3])
    y.sum().backward()


def _function(lib, forward, backward):
    class Own(lib.Function):
        pass

    Own.forward, Own.backward = staticmethod(forward), staticmethod(backward)
    return Own


@misuse
def too_few_gradients(lib):
    own = _function(lib, lambda ctx, x, y: x * y, lambda ctx, g: g)
    own.apply(lib.leaf(SIX), lib.leaf(SIX)).sum().backward()


@misuse
def too_many_gradients(lib):
    own = _function(lib, lambda ctx, x: x * 2, lambda ctx, g: (g, g))
    own.apply(lib.leaf(SIX)).sum().backward()


@misuse
def a_gradient_of_the_wrong_shape_from_a_function(lib):
    own = _function(lib, lambda ctx, x: x * 2, lambda ctx, g: g[:2])
    own.apply(lib.leaf(SIX)).sum().backward()


@misuse
def a_view_from_a_function_is_written(lib):
    own = _function(lib, lambda ctx, x: x[:2], lambda ctx, g: g)
    own.apply(lib.leaf(SIX) * 1).mul_(2)


@misuse
def an_argument_from_a_function_is_written(lib):
    own = _function(lib, lambda ctx, x: x, lambda ctx, g: g)
    own.apply(lib.leaf(SIX) * 1).mul_(2)


@misuse
def a_view_from_a_function_is_used_after_a_write(lib):
    own = _function(lib, lambda ctx, x: x[:2], lambda ctx, g: lib.cat([g, lib.constant([0.0] * 4)]))
    x = lib.leaf(SIX) * 1
    view = own.apply(x)
    x.mul_(2)
    (view * 2).sum()


@misuse
def a_tensor_saved_by_a_function_is_overwritten(lib):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    own = _function(lib, forward, lambda ctx, g: g * ctx.saved_tensors[0] * 2)
    x = lib.leaf(SIX) * 1
    y = own.apply(x)
    x.add_(1)
    y.sum().backward()


@misuse
def a_function_saving_twice_backward(lib):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    own = _function(lib, forward, lambda ctx, g: g * ctx.saved_tensors[0] * 2)
    y = own.apply(lib.leaf(SIX)).sum()
    y.backward()
    y.backward()
