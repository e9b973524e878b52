"""Function transforms: derivatives and batches of functions, in any combination.

`vmap.py` maps over samples, `reverse.py` and `forward.py` differentiate, `stateless.py` calls
modules with other Parameters, `tree.py` takes containers apart. How vmap works is written in
backend/batched.py and ops/batching.py.
"""

from .vmap import TransformError as TransformError
from .vmap import vmap as vmap
