"""Programs about graphs and what a backward pass does with them."""

from parity import SIX, WEIGHTS, program, weighted


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


@program
def zeros_for_what_is_not_used(lib):
    x, y = lib.leaf(SIX), lib.leaf(SIX)
    (g, zero) = lib.grad((x * 2).sum(), [x, y], create_graph=True, materialize_grads=True)
    (again,) = lib.grad(zero.sum(), y, materialize_grads=True)
    return g, zero, zero.requires_grad, again


@program
def a_result_that_is_cut_off(lib):
    x = lib.leaf(SIX)
    y = x * 2
    z = y * 3
    y.detach_()
    weighted(lib, z + y).backward()
    return x.grad, y.requires_grad, y.is_leaf


@program
def the_extreme_of_nan(lib):
    x, y = lib.leaf([float("nan"), 1.0, float("nan")]), lib.leaf([2.0, 3.0, 3.0])
    (x.max() + y.max()).backward()
    return x.grad, y.grad


@program
def saved_values_go_through_hooks(lib):
    x, packed = lib.leaf(SIX), []

    def pack(t):
        packed.append(t.requires_grad)
        return t.detach() * 2

    with lib.saved_tensors_hooks(pack, lambda t: t / 2):
        y = lib.exp(x)
        z = y * y
    y.detach().mul_(7)  # the packed values are others
    weighted(lib, z).backward(retain_graph=True)
    weighted(lib, z).backward()
    return x.grad, len(packed) > 0


@program
def the_inner_hooks_count(lib):
    x = lib.leaf(SIX)
    with lib.saved_tensors_hooks(lambda t: t * 10, lambda t: t):
        with lib.saved_tensors_hooks(lambda t: t * 2, lambda t: t):
            y = lib.exp(x * 1)
        z = x * 3 + x * lib.constant(WEIGHTS)
    (y + z).sum().backward()
    return x.grad


@program
def hooks_on_what_a_function_saves(lib):
    class Square(lib.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * x
            ctx.save_for_backward(x, None, y)
            return y

        @staticmethod
        def backward(ctx, g):
            x, _, y = ctx.saved_tensors
            return g * (2 * x + y * 0)

    x = lib.leaf(SIX)
    with lib.saved_tensors_hooks(lambda t: t.detach() * 3, lambda t: t):
        y = Square.apply(x)
    weighted(lib, y).backward()
    return x.grad


@program
def recording_as_a_condition_says(lib):
    x, flags = lib.leaf(SIX), []
    for train in (True, False):
        with lib.set_grad_enabled(train):
            flags.append((x * 2).requires_grad)
    flags.append((x * 2).requires_grad)
    lib.set_grad_enabled(False)
    flags.append((x * 2).requires_grad)
    lib.set_grad_enabled(True)

    @lib.set_grad_enabled(False)
    def quiet():
        return (x * 2).requires_grad

    return (*flags, quiet(), (x * 2).requires_grad)


@program
def generators_keep_their_mode(lib):
    x = lib.leaf(SIX)

    @lib.no_grad()
    def steps():
        try:
            sent = yield (x * 2).requires_grad
            yield sent, (x * 2).requires_grad
        except KeyError:
            yield "caught", (x * 2).requires_grad
        finally:
            flags.append((x * 2).requires_grad)
        return 5

    flags = []
    body = steps()
    seen = [next(body), (x * 2).requires_grad, body.send(3), body.throw(KeyError)]
    try:
        next(body)
    except StopIteration as stop:
        seen.append(stop.value)
    body = steps()
    next(body)
    body.close()
    return (*seen, *flags, (x * 2).requires_grad)
