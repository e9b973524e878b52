"""Modernise: legacy models as modules of core.nn.

`plan.py` says what a plan is: layers, blocks and expressions. `translate.py` makes one of a
legacy model by the rules (`rules_*.py`, one small rule per class, by family), which build with
`builder.py`; `build.py` makes modules of core.nn of it. legacy_nn.source and legacy_nn.onnx write
the same plan as source text and as ONNX. May import everything of legacy_nn but those two.
"""

from . import rules as rules
from .api import modernise as modernise
from .errors import TranslationError as TranslationError
from .errors import Untranslated as Untranslated
from .not_translated import NOT_TRANSLATED as NOT_TRANSLATED
from .registry import known as known
from .translate import plan_of as plan_of
