"""Programs of nested transforms, in the names that JAX and Rekindle share.

Each takes `t` (the transforms), `np` (the operations) and `x` (a function that gives arrays of
fixed numbers), and returns arrays in containers. As a script it runs them on JAX and writes the
values that test_against_jax.py compares with:

    python tests/core/func/transform_programs.py tests/fixtures/func/jax.json
"""

import itertools
import json
import sys

import numpy


def numbers(*shape, seed=0):
    """Return fixed numbers, between 0.2 and 1.5."""
    return numpy.random.default_rng((seed, len(shape), *shape)).uniform(0.2, 1.5, shape)


def quadratic(np, w):
    return lambda x: np.matmul(np.sin(x), np.matmul(w, np.exp(x * 0.3)))


def mlp(np, params, x):
    for layer in params[:-1]:
        x = np.tanh(np.matmul(x, layer["w"]) + layer["b"])
    return np.matmul(x, params[-1]["w"]) + params[-1]["b"]


def layers(x, *sizes):
    pairs = itertools.pairwise(sizes)
    return [{"w": x(m, n, seed=m), "b": x(n, seed=n)} for m, n in pairs]


def vmap_of_grad(t, np, x):
    return t.vmap(t.grad(quadratic(np, x(3, 3))))(x(5, 3))


def grad_of_vmap(t, np, x):
    return t.grad(lambda xs: np.sum(t.vmap(quadratic(np, x(3, 3)))(xs) ** 2))(x(5, 3))


def jacfwd_of_jacrev(t, np, x):
    return t.jacfwd(t.jacrev(lambda v: np.tanh(np.matmul(x(2, 3), v)) * np.sum(v)))(x(3))


def jacrev_of_jacfwd(t, np, x):
    return t.jacrev(t.jacfwd(lambda v: np.tanh(np.matmul(x(2, 3), v)) * np.sum(v)))(x(3))


def hessian(t, np, x):
    return t.hessian(quadratic(np, x(3, 3)))(x(3))


def vmap_of_hessian(t, np, x):
    return t.vmap(t.hessian(quadratic(np, x(3, 3))))(x(4, 3))


def hessian_of_vmap(t, np, x):
    return t.hessian(lambda xs: np.sum(np.sin(t.vmap(quadratic(np, x(2, 2)))(xs))))(x(3, 2))


def jvp_of_grad(t, np, x):
    return t.jvp(t.grad(quadratic(np, x(3, 3))), (x(3),), (x(3, seed=1),))


def grad_of_jvp(t, np, x):
    f = quadratic(np, x(3, 3))
    return t.grad(lambda v: t.jvp(f, (v,), (x(3, seed=1),))[1])(x(3))


def vjp_of_vmap(t, np, x):
    value, pull = t.vjp(t.vmap(quadratic(np, x(3, 3))), x(4, 3))
    return value, pull(x(4))


def vmap_of_vjp(t, np, x):
    def f(v, g):
        value, pull = t.vjp(lambda v: np.exp(v) * np.sum(v), v)
        return value, pull(g)

    return t.vmap(f)(x(4, 3), x(4, 3, seed=1))


def vmap_of_vmap(t, np, x):
    return t.vmap(t.vmap(lambda a, b: a * np.sin(b), (None, 0)), (0, None))(x(3), x(4))


def vmap_three_deep(t, np, x):
    f = t.vmap(lambda a, b, c: np.sum(a * b) + c, in_axes=(0, None, None))
    f = t.vmap(f, in_axes=(None, 0, None), out_axes=1)
    return t.vmap(f, in_axes=(None, None, 0), out_axes=2)(x(2, 3), x(4, 3), x(5))


def vmap_of_grad_of_vmap(t, np, x):
    f = quadratic(np, x(2, 2))
    return t.vmap(t.grad(lambda xs, s: np.sum(t.vmap(f)(xs) * s)), in_axes=(2, None))(
        x(3, 2, 4), x(3)
    )


def per_sample_gradients(t, np, x):
    params = layers(x, 4, 5, 2)

    def loss(p, v, y):
        return np.sum((mlp(np, p, v) - y) ** 2)

    return t.vmap(t.grad(loss), in_axes=(None, 0, 0))(params, x(3, 4), x(3, 2))


def ensemble(t, np, x):
    params = [{"w": x(3, 4, 2), "b": x(3, 2)}]
    return t.vmap(lambda p, v: mlp(np, p, v), in_axes=(0, None))(params, x(5, 4))


def perturbations_are_kept_apart(t, np, x):
    return t.grad(lambda a: a * t.grad(lambda b: a + b)(x(seed=1)))(x())


def perturbations_of_products(t, np, x):
    return t.grad(lambda a: a * t.grad(lambda b: a * a * b)(a))(x())


def jvp_in_jvp(t, np, x):
    one = x() * 0 + 1

    def inner(a):
        return t.jvp(lambda b: a * np.sin(b), (a,), (one,))[1] * a

    return t.jvp(inner, (x(),), (one,))


def argnums(t, np, x):
    def f(a, b, c):
        return np.sum(np.sin(a) * b) * c

    return t.grad(f, argnums=(0, 2))(x(3), x(3, seed=1), x()), t.jacrev(f, argnums=1)(
        x(3), x(3), x()
    )


def has_aux(t, np, x):
    def f(a):
        return (np.sum(a**3), {"squares": a * a})

    return t.grad(f, has_aux=True)(x(3)), t.value_and_grad(f, has_aux=True)(x(3))


def containers(t, np, x):
    def f(d):
        return {"sum": d["a"] + d["b"][0], "product": d["a"] * d["b"][1]}

    args = {"a": x(2), "b": (x(2, seed=1), x(2, seed=2))}
    return t.jacrev(f)(args), t.jacfwd(f)(args), t.vmap(f)(args)


def in_axes_of_containers(t, np, x):
    def f(d, c):
        return np.sum(d["a"]) * d["b"] + c

    return t.vmap(f, in_axes=({"a": 1, "b": None}, 0), out_axes=-1)({"a": x(3, 4), "b": x(2)}, x(4))


def third_derivative(t, np, x):
    def f(a):
        return np.sin(a) * np.exp(a * a)

    return t.grad(t.grad(t.grad(f)))(x()), t.vmap(t.grad(t.grad(t.grad(f))))(x(3))


def maml(t, np, x):
    def adapted(params, v, y):
        gradient = t.grad(lambda p: np.sum((mlp(np, p, v) - y) ** 2))(params)
        return [
            {k: layer[k] - 0.1 * g[k] for k in layer}
            for layer, g in zip(params, gradient, strict=True)
        ]

    def task_loss(params, v, y, v2, y2):
        return np.sum((mlp(np, adapted(params, v, y), v2) - y2) ** 2)

    def loss(params):
        each = t.vmap(task_loss, in_axes=(None, 0, 0, 0, 0))
        return np.sum(each(params, x(3, 4, 2), x(3, 4, 1), x(3, 5, 2), x(3, 5, 1)))

    return t.value_and_grad(loss)(layers(x, 2, 3, 1))


def reductions_inside(t, np, x):
    def f(v):
        return np.max(v, axis=0) + np.mean(v, axis=-1)[:2] * np.sum(v) + np.min(v)

    return t.vmap(f)(x(3, 4, 2)), t.vmap(t.jacrev(f))(x(3, 4, 2))


def where_inside(t, np, x):
    def f(a):
        return np.sum(np.where(a > 0.7, a * a, np.sin(a)))

    return t.vmap(t.grad(f))(x(4, 3)), t.hessian(f)(x(3))


def matmuls_inside(t, np, x):
    def f(a, b):
        return np.matmul(a, b)

    return (
        t.vmap(f)(x(4, 3), x(4, 3, seed=1)),
        t.vmap(f, in_axes=(None, 0))(x(2, 3), x(4, 3)),
        t.vmap(f, in_axes=(0, None))(x(4, 2, 3), x(3, 5)),
        t.vmap(t.jacrev(f, argnums=(0, 1)), in_axes=(0, None))(x(4, 2, 3), x(3)),
    )


def indexing_inside(t, np, x):
    def f(a):
        return a[1:] * a[:-1] + a[-1]

    return t.vmap(f)(x(3, 4)), t.vmap(t.jacfwd(f))(x(3, 4)), t.hessian(lambda a: np.sum(f(a)))(x(4))


def three_deep(t, np, x):
    """Every order of three transforms, on a function that also closes over what is outside."""

    def of_grad(f):
        return t.grad(lambda a: np.sum(np.sin(f(a))))

    w = x(2, 2)
    kinds = {"grad": of_grad, "jacrev": t.jacrev, "jacfwd": t.jacfwd, "vmap": t.vmap}
    found = {}
    for names in itertools.product(kinds, repeat=3):

        def f(a):
            return np.sin(np.matmul(w, a)) * np.sum(a * a) + a[0]

        for name in names:
            f = kinds[name](f)
        found["-".join(names)] = f(x(*[2] * (1 + names.count("vmap"))))
    return found


PROGRAMS = {
    name: f
    for name, f in list(globals().items())
    if callable(f) and name not in ("numbers", "quadratic", "mlp", "layers")
}


def leaves(tree):
    """Return the arrays of a result in order, as lists."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in leaves(part)]
    return [numpy.asarray(tree)]


def main(path):
    """Write what JAX answers."""
    import jax

    jax.config.update("jax_enable_x64", True)
    found = {"jax": jax.__version__}
    for name, program in PROGRAMS.items():

        def given(*shape, seed=0):
            return jax.numpy.asarray(numbers(*shape, seed=seed))

        found[name] = [a.tolist() for a in leaves(program(jax, jax.numpy, given))]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(sys.argv[1])
