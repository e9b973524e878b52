"""Function transforms: derivatives and batches of functions, nested in any order.

`vmap.py` maps over samples, `reverse.py` and `forward.py` differentiate what `recording.py`
records, `stateless.py` calls modules with other Parameters, `tree.py` takes containers apart.
How vmap works is in backend/batched.py, ops/batching.py and autograd/levels.py.
"""

from ..backend import BatchingError as BatchingError
from .errors import TransformError as TransformError
from .forward import hessian as hessian
from .forward import jacfwd as jacfwd
from .forward import jvp as jvp
from .reverse import grad as grad
from .reverse import jacrev as jacrev
from .reverse import value_and_grad as value_and_grad
from .reverse import vjp as vjp
from .stateless import functional_call as functional_call
from .stateless import stack_module_state as stack_module_state
from .tree import TreeError as TreeError
from .vmap import vmap as vmap
