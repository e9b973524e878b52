"""torch/optim: optimisers as functions of an objective, a vector and tables.

Read `state.py` first, then `sgd.py`. May import what legacy_nn may.
"""

from .adam import adam as adam
from .adam import adamax as adamax
from .adaptive import adadelta as adadelta
from .adaptive import adagrad as adagrad
from .adaptive import rmsprop as rmsprop
from .cg import cg as cg
from .cmaes import cmaes as cmaes
from .confusion_matrix import ConfusionMatrix as ConfusionMatrix
from .de import de as de
from .fista import FistaLS as FistaLS
from .fista import checkgrad as checkgrad
from .lbfgs import lbfgs as lbfgs
from .line_search import lswolfe as lswolfe
from .line_search import polyinterp as polyinterp
from .logger import Logger as Logger
from .rprop import asgd as asgd
from .rprop import rprop as rprop
from .sgd import nag as nag
from .sgd import sgd as sgd
from .state import OptimError as OptimError
