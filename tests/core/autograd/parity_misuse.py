"""Programs that both libraries refuse."""

from parity import SIX, misuse


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


@misuse
def a_leaf_that_a_function_writes(lib):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    _function(lib, forward, lambda ctx, g: g * 2).apply(lib.leaf(SIX))


@misuse
def a_context_asked_after_the_pass(lib):
    contexts = []

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2

    def backward(ctx, g):
        contexts.append(ctx)
        return g * 2

    _function(lib, forward, backward).apply(lib.leaf(SIX)).sum().backward()
    _ = contexts[0].saved_tensors


@misuse
def a_pack_hook_that_writes(lib):
    x = lib.leaf(SIX)
    with lib.saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t):
        lib.exp(x * 1)


@misuse
def a_late_hook_that_returns_something(lib):
    x = lib.leaf(SIX)
    x.register_post_accumulate_grad_hook(lambda leaf: leaf.grad)
    (x * 2).sum().backward()


@misuse
def a_late_hook_on_a_result(lib):
    (lib.leaf(SIX) * 2).register_post_accumulate_grad_hook(lambda leaf: None)


@misuse
def a_prehook_that_returns_too_much(lib):
    y = lib.leaf(SIX) * 2
    y.grad_fn.register_prehook(lambda outer: (*outer, *outer))
    y.sum().backward()


@misuse
def a_view_is_cut_off(lib):
    y = lib.leaf(SIX) * 2
    y[:3].detach_()


@misuse
def a_view_made_in_no_grad_is_cleared(lib):
    x = lib.leaf(SIX)
    with lib.no_grad():
        view = x[:2]
    view.zero_()


@misuse
def a_view_made_in_no_grad_is_assigned_to(lib):
    x = lib.leaf(SIX) * 1
    with lib.no_grad():
        view = x[:2]
    view[0] = x[3]
