"""Programs about views and writes in place."""

from parity import SIX, program, weighted


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
