"""The package dpnn: what published models use of it.

What it adds to every module is in legacy_nn/regularizing.py and stepping.py. May import
legacy_nn's modules.
"""

from .choices import ArgMax as ArgMax
from .choices import TotalDropout as TotalDropout
from .clip import Clip as Clip
from .glimpse import SpatialGlimpse as SpatialGlimpse
from .images import FireModule as FireModule
from .images import SpatialFeatNormalization as SpatialFeatNormalization
from .inception import Inception as Inception
from .reinforce import Reinforce as Reinforce
from .reinforce import ReinforceBernoulli as ReinforceBernoulli
from .reinforce import ReinforceCategorical as ReinforceCategorical
from .reinforce import ReinforceNormal as ReinforceNormal
from .reverse_table import ReverseTable as ReverseTable
from .rewards import BinaryClassReward as BinaryClassReward
from .rewards import VRClassReward as VRClassReward
from .serial import Serial as Serial
