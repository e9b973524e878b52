"""Programs about user-defined Functions."""

from parity import SIX, WEIGHTS, program, weighted


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


@program
def a_function_that_writes_its_argument(lib):
    class Double(lib.Function):
        @staticmethod
        def forward(ctx, x, y):
            x.mul_(2)
            ctx.mark_dirty(x)
            ctx.save_for_backward(y, x)
            return x, y * 1

        @staticmethod
        def backward(ctx, g, h):
            y, x = ctx.saved_tensors
            return g * 2 + h * y * 0, h + g * x * 0

    x, y = lib.leaf(SIX), lib.leaf(WEIGHTS)
    z = x * 3
    out, other = Double.apply(z, y)
    weighted(lib, z * other).backward()
    return out is z, z, x.grad, y.grad, z.is_leaf


@program
def a_constant_that_a_function_writes(lib):
    class Add(lib.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.mark_dirty(x)
            return x.add_(y)

        @staticmethod
        def backward(ctx, g):
            return g, g

    x, y = lib.constant(SIX), lib.leaf(WEIGHTS)
    Add.apply(x, y)
    weighted(lib, x * x).backward()
    return x, x.requires_grad, y.grad


@program
def a_context_that_is_set_up_apart(lib):
    class Scaled(lib.Function):
        @staticmethod
        def forward(x, scale=3.0):
            return x * x * scale, x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, scale = inputs
            ctx.save_for_backward(x, output[1])
            ctx.scale = scale

        @staticmethod
        def backward(ctx, g, h):
            x, twice = ctx.saved_tensors
            return g * ctx.scale * twice + h * 2 + x * 0, None

    x = lib.leaf(SIX)
    y, z = Scaled.apply(x)
    weighted(lib, y + z).backward()
    return y, z, x.grad


@program
def a_function_with_other_results(lib):
    class Several(lib.Function):
        @staticmethod
        def forward(ctx, x):
            return 5, x * 2, None, "name", x * 3

        @staticmethod
        def backward(ctx, *gradients):
            seen.append([g is None for g in gradients])
            return gradients[1] * 2 + gradients[4] * 3

    seen = []
    x = lib.leaf(SIX)
    number, y, nothing, name, z = Several.apply(x)
    weighted(lib, y).backward()
    return number, nothing, name, y, z, x.grad, tuple(seen[0])


@program
def the_same_result_twice(lib):
    class Twice(lib.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            return y, y

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h * 200

    x = lib.leaf(SIX)
    y, z = Twice.apply(x)
    weighted(lib, y * 3 + z).backward()
    return y is z, x.grad


@program
def a_view_that_a_function_writes(lib):
    class Add(lib.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.mark_dirty(x)
            x.mul_(y)
            ctx.save_for_backward(x, y)
            return x

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y, g * x / y

    base, y = lib.leaf(SIX) * 2, lib.leaf(WEIGHTS[:2])
    view, other = base[1:3], base[2:]
    out = Add.apply(view, y)
    (weighted(lib, base) + weighted(lib, other * other)).backward()
    return out is view, base, other, y.grad
