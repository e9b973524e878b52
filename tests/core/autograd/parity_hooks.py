"""Programs about hooks."""

from parity import SIX, plain, program, weighted


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


@program
def hooks_before_and_after_a_node(lib):
    x, seen = lib.leaf(SIX), []
    y = x * 3
    y.grad_fn.register_prehook(lambda outer: seen.append(("node", outer[0])) or (outer[0] * 5,))
    y.register_hook(lambda g: seen.append(("tensor", g)) or g * 2)
    y.grad_fn.register_hook(lambda inner, outer: seen.append(("after", inner[0], outer[0])))
    y.retain_grad()
    weighted(lib, y).backward()
    return tuple(seen), y.grad, x.grad


@program
def a_prehook_of_several_outputs(lib):
    class Pair(lib.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3, 7

        @staticmethod
        def backward(ctx, g, h, _):
            return g * 2 + h * 3

    x, seen = lib.leaf(SIX), []
    y, z, _ = Pair.apply(x)

    def swap(outer):
        seen.append(outer)
        return (outer[1], outer[0], None)

    handle = y.grad_fn.register_prehook(swap)
    (y * 10 + z).sum().backward(retain_graph=True)
    first = x.grad.clone()
    handle.remove()
    (y * 10 + z).sum().backward()
    return seen[0], first, x.grad, len(seen)


@program
def a_prehook_runs_where_the_pass_goes_on(lib):
    x, count = lib.leaf(SIX), []
    y = x * 2
    y.grad_fn.register_prehook(lambda outer: count.append(1))
    z = (y * y).sum()
    (g,) = lib.grad(z, y, retain_graph=True)
    first = len(count)
    (h,) = lib.grad(z, x)
    return g, h, first, len(count)


@program
def a_step_as_soon_as_the_gradient_is_there(lib):
    x, seen = lib.leaf(SIX), []

    def step(leaf):
        seen.append(leaf.grad.clone())
        leaf.sub_(leaf.grad * 0.5)
        leaf.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    x.register_hook(lambda g: g * 2)
    for _ in range(2):
        (weighted(lib, x * x) + x.sum()).backward()
    (g,) = lib.grad(x.sum(), x)  # adds to no grad
    handle.remove()
    x.sum().backward()
    return tuple(seen), x, g, x.grad


@program
def hooks_of_the_chosen_inputs_alone(lib):
    x, y, seen = lib.leaf(SIX), lib.leaf(SIX), []
    for name, leaf in (("x", x), ("y", y)):
        leaf.register_post_accumulate_grad_hook(lambda leaf, name=name: seen.append(name))
    lib.backward((x * y).sum(), inputs=[y])
    return tuple(seen), x.grad is None, y.grad
