"""Source: legacy models as Python source that a person would have written.

`simplify.py` turns a plan (see legacy_nn.modernise) into members: layers, chains and composites;
`grouping.py` puts long rows of layers into chains; `classes.py` decides which classes are written
and what their arguments are; `naming.py` names things; `forward.py` writes forwards and `file.py`
the file, for Rekindle or for PyTorch.
"""

from .file import Source as Source
from .file import source_of as source_of
