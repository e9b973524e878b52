"""The package cephes: special functions, those of SciPy, on numbers and tensors.

Source: deepmind/torch-cephes README.md, cephes/luasrc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import special

from ..toolbox import Toolbox
from ..vectorised import vectorised

ONE: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(np, f"arc{name[1:]}") for name in ("asin", "acos", "atan")},
    **{name: getattr(np, f"arc{name[1:]}") for name in ("asinh", "acosh", "atanh")},
    **{name: getattr(np, name) for name in ("cbrt", "exp", "exp2", "fabs", "ceil", "floor")},
    **{name: getattr(np, name) for name in ("log", "log2", "log10", "log1p", "expm1", "sqrt")},
    **{name: getattr(special, name) for name in ("i0", "i0e", "i1", "i1e", "j0", "j1", "y0", "y1")},
    **{name: getattr(special, name) for name in ("k0", "k0e", "k1", "k1e", "psi", "gamma")},
    **{name: getattr(special, name) for name in ("exp10", "cosm1", "sindg", "cosdg", "tandg")},
    **{name: getattr(special, name) for name in ("cotdg", "ndtr", "ndtri", "erf", "erfc")},
    **{name: getattr(special, name) for name in ("rgamma", "spence", "zetac", "kolmogorov")},
    "digamma": special.psi,
    "round": np.round,
    "cot": lambda x: 1 / np.tan(x),
    "lgam": special.gammaln,
    "dawsn": special.dawsn,
    "ei": special.expi,
    "fac": lambda n: special.factorial(np.floor(n)),
    "kolmogi": special.kolmogi,
    "ellpk": special.ellipkm1,
    "ellpe": lambda x: special.ellipe(1 - x),
}
TWO: dict[str, Callable[[Any, Any], Any]] = {
    **{name: getattr(special, name) for name in ("iv", "jv", "kn", "yn", "beta", "expn", "zeta")},
    **{name: getattr(special, name) for name in ("chdtr", "chdtrc", "chdtri", "pdtr", "pdtrc")},
    **{name: getattr(special, name) for name in ("pdtri", "stdtr", "smirnov", "smirnovi")},
    "jn": special.jv,
    "struve": special.struve,
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "pow": np.power,
    "powi": lambda x, n: np.power(x, np.trunc(n)),
    "ldexp": lambda x, n: np.ldexp(x, np.trunc(n).astype(int)),
    "igam": special.gammainc,
    "igamc": special.gammaincc,
    "igami": special.gammainccinv,
    "stdtri": special.stdtrit,
    "lbeta": special.betaln,
    "ellik": special.ellipkinc,
    "ellie": special.ellipeinc,
    "betagrad": lambda x, y: special.beta(x, y) * (special.psi(x) - special.psi(x + y)),
    "polygamma": lambda m, x: special.polygamma(np.trunc(m).astype(int), x),
    "lmvgam": lambda x, p: special.multigammaln(x, int(np.ravel(p)[0])),
}
THREE: dict[str, Callable[[Any, Any, Any], Any]] = {
    **{name: getattr(special, name) for name in ("bdtr", "bdtrc", "bdtri", "fdtr", "fdtrc")},
    **{name: getattr(special, name) for name in ("fdtri", "gdtr", "gdtrc", "nbdtr", "nbdtrc")},
    "nbdtri": special.nbdtri,
    "btdtr": special.betainc,
    "incbet": special.betainc,
    "incbi": special.betaincinv,
    "hyperg": special.hyp1f1,
}
FOUR: dict[str, Callable[[Any, Any, Any, Any], Any]] = {"hyp2f1": special.hyp2f1}


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function without warnings, and without the size of its result."""

    def call(size: Any, *values: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*values)

    return call


def load(tools: Toolbox) -> Any:
    """Return the functions; `cephes.lua` adds what is no function of numbers and tensors."""
    families: tuple[Mapping[str, Callable[..., Any]], ...] = (ONE, TWO, THREE, FOUR)
    return tools.table(
        {
            name: vectorised(f"cephes.{name}", count, _quiet(function))
            for count, functions in enumerate(families, start=1)
            for name, function in functions.items()
        }
    )
