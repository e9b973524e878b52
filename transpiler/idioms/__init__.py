"""Turns of Lua that have a better word in Python.

- `formats`: string.format to f-strings
- `tables`: `t[#t + 1] = v`, `x = x + 1`
- `parts`: `x[{{1, n}, {}}]` of tensors
- `libraries`: calls of Lua's and Torch's functions by name
- `first_results`: those that give several values, where one is wanted
- `assertions`: `assert` as a statement
"""

from .assertions import put_assertion as put_assertion
from .first_results import first_result as first_result
from .first_results import is_missing as is_missing
from .first_results import is_there as is_there
from .first_results import to_compare as to_compare
from .formats import string_format as string_format
from .libraries import SPECIAL_CALLS as SPECIAL_CALLS
from .parts import part_of as part_of
from .parts import python_part as python_part
from .parts import size_of as size_of
from .tables import appended as appended
from .tables import augmented as augmented
from .tables import same_place as same_place
