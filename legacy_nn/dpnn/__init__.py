"""The package dpnn, and what it needs of torchx and nnx.

What it adds to every module is in legacy_nn/regularizing.py and stepping.py. May import
legacy_nn's modules.
"""

from . import multi_cuda as multi_cuda
from .alias_multinomial import AliasMultinomial as AliasMultinomial
from .augmentation import PCAColorTransform as PCAColorTransform
from .augmentation import SimpleColorTransform as SimpleColorTransform
from .augmentation import SpatialRegionDropout as SpatialRegionDropout
from .augmentation import SpatialUniformCrop as SpatialUniformCrop
from .binary_convolution import SpatialBinaryConvolution as SpatialBinaryConvolution
from .binary_regression import BinaryLogisticRegression as BinaryLogisticRegression
from .binary_regression import SpatialBinaryLogisticRegression as SpatialBinaryLogisticRegression
from .choices import ArgMax as ArgMax
from .choices import TotalDropout as TotalDropout
from .clip import Clip as Clip
from .entropy import CategoricalEntropy as CategoricalEntropy
from .glimpse import SpatialGlimpse as SpatialGlimpse
from .images import FireModule as FireModule
from .images import SpatialFeatNormalization as SpatialFeatNormalization
from .inception import Inception as Inception
from .nce import NCECriterion as NCECriterion
from .nce import NCEModule as NCEModule
from .reinforce import Reinforce as Reinforce
from .reinforce import ReinforceBernoulli as ReinforceBernoulli
from .reinforce import ReinforceCategorical as ReinforceCategorical
from .reinforce import ReinforceGamma as ReinforceGamma
from .reinforce import ReinforceNormal as ReinforceNormal
from .resampling import SpatialReSampling as SpatialReSampling
from .reverse_table import ReverseTable as ReverseTable
from .rewards import BinaryClassReward as BinaryClassReward
from .rewards import VRClassReward as VRClassReward
from .serial import Serial as Serial
