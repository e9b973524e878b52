"""nngraph: networks that are graphs of modules.

Read graph.py (what files say of a graph), gmodule.py (how it runs), then plan.py (node by node) and
program.py (quickly, by the functions of steps.py, renewals.py, pulls.py and owed.py); nesting.py
has two small modules, with which nest.py makes a node of nested tables.
May import legacy_nn's modules and containers.
"""

from .gmodule import gModule as gModule
from .graph import Edge as Edge
from .graph import Graph as Graph
from .graph import NnNode as NnNode
from .graph import Node as Node
from .nest import nest as nest
from .nesting import JustElement as JustElement
from .nesting import JustTable as JustTable
