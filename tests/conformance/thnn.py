"""THNN, the C library below torch/nn's Lua, as Python: Rekindle's own modules answer its calls.

`input.THNN.ELU_updateOutput(input, output, alpha, inplace)` makes a `legacy_nn.ELU`, gives it the
arguments as its fields, by the names that THNN.h gives them, and lets it compute into `output`:
thnn_modules.py. thnn_fields.py finds the fields that are no arguments, and thnn_special.py has the
functions that are made otherwise.
"""

import re

from thnn_modules import accumulate, backward, forward, made
from thnn_special import SPECIAL

SIGNATURE = re.compile(r"TH_API void THNN_\((\w+)\)\((.*?)\);", re.DOTALL)


def signatures(header):
    """Return the names of the parameters of each function of THNN.h, the state left out."""
    plain = re.sub(r"//[^\n]*|/\*.*?\*/", "", header, flags=re.DOTALL)
    return {
        name: [p.split()[-1].lstrip("*") for p in parameters.split(",")][1:]
        for name, parameters in SIGNATURE.findall(plain)
    }


def functions(header):
    """Return THNN's functions by their names."""
    return {name: _function(name, given) for name, given in signatures(header).items()}


def _function(name, parameters):
    family, _, phase = name.rpartition("_")

    def function(*args):
        given = dict(zip(parameters, args, strict=True))
        special = SPECIAL.get(name)
        if special is not None:
            special(given)
        elif phase == "updateOutput":
            forward(made(family, given), given)
        elif phase == "updateGradInput":
            backward(made(family, given), given)
        elif phase == "accGradParameters":
            accumulate(made(family, given), given)
        else:
            raise NotImplementedError(name)

    return function
