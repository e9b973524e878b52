"""Optimisers and learning-rate schedules, with PyTorch's names, arguments and formulas.

- `optimizer`: parameter groups, state, `state_dict`
- `sgd`, `adam`, `rmsprop`, `adagrad`, `adadelta`, `lbfgs` (with `line_search`)
- `schedules`: step, cosine, one-cycle, plateau, warm-up
"""

from .adadelta import Adadelta as Adadelta
from .adagrad import Adagrad as Adagrad
from .adam import Adam as Adam
from .adam import AdamW as AdamW
from .lbfgs import LBFGS as LBFGS
from .optimizer import Optimizer as Optimizer
from .optimizer import OptimizerError as OptimizerError
from .rmsprop import RMSprop as RMSprop
from .schedules import ConstantLR as ConstantLR
from .schedules import CosineAnnealingLR as CosineAnnealingLR
from .schedules import ExponentialLR as ExponentialLR
from .schedules import LambdaLR as LambdaLR
from .schedules import LinearLR as LinearLR
from .schedules import MultiStepLR as MultiStepLR
from .schedules import OneCycleLR as OneCycleLR
from .schedules import ReduceLROnPlateau as ReduceLROnPlateau
from .schedules import Schedule as Schedule
from .schedules import SequentialLR as SequentialLR
from .schedules import StepLR as StepLR
from .sgd import SGD as SGD
