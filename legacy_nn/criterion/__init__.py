"""Criterions: losses of a prediction and a target, and their gradients.

Read base.py first; then each family: elementwise.py (of one shape), binary.py (targets of two
classes), classification.py (classes by number), margin.py (the same, by margins), embedding.py
(pairs of inputs), combined.py (made of criterions), as_module.py (criterions as modules).

May import legacy_nn's modules.
"""

from .as_module import CriterionTable as CriterionTable
from .as_module import ModuleFromCriterion as ModuleFromCriterion
from .base import Criterion as Criterion
from .binary import BCECriterion as BCECriterion
from .binary import HingeEmbeddingCriterion as HingeEmbeddingCriterion
from .binary import MarginCriterion as MarginCriterion
from .binary import MultiLabelSoftMarginCriterion as MultiLabelSoftMarginCriterion
from .binary import SoftMarginCriterion as SoftMarginCriterion
from .classification import ClassNLLCriterion as ClassNLLCriterion
from .classification import CrossEntropyCriterion as CrossEntropyCriterion
from .classification import SpatialClassNLLCriterion as SpatialClassNLLCriterion
from .combined import ModuleCriterion as ModuleCriterion
from .combined import MultiCriterion as MultiCriterion
from .combined import ParallelCriterion as ParallelCriterion
from .elementwise import AbsCriterion as AbsCriterion
from .elementwise import DistKLDivCriterion as DistKLDivCriterion
from .elementwise import L1Cost as L1Cost
from .elementwise import MSECriterion as MSECriterion
from .elementwise import SmoothL1Criterion as SmoothL1Criterion
from .elementwise import SpatialAutoCropMSECriterion as SpatialAutoCropMSECriterion
from .elementwise import WeightedMSECriterion as WeightedMSECriterion
from .embedding import CosineEmbeddingCriterion as CosineEmbeddingCriterion
from .embedding import DistanceRatioCriterion as DistanceRatioCriterion
from .embedding import L1HingeEmbeddingCriterion as L1HingeEmbeddingCriterion
from .embedding import MarginRankingCriterion as MarginRankingCriterion
from .margin import ClassSimplexCriterion as ClassSimplexCriterion
from .margin import MultiLabelMarginCriterion as MultiLabelMarginCriterion
from .margin import MultiMarginCriterion as MultiMarginCriterion
