"""nngraph: networks that are graphs of modules.

Read graph.py (what files say of a graph), then gmodule.py (how it runs); nesting.py has two
small modules. May import legacy_nn's modules and containers.
"""

from .gmodule import gModule as gModule
from .graph import Edge as Edge
from .graph import Graph as Graph
from .graph import NnNode as NnNode
from .graph import Node as Node
from .nesting import JustElement as JustElement
from .nesting import JustTable as JustTable
