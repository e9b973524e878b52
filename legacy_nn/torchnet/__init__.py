"""torchnet for Python programs: its meters, data sets and engines.

- `dataset`, `listing`, `changing`, `batching`, `iterator`: data sets, and loops over them
- `engine`: training and testing
- `averages`: of numbers and times
- `classification`: of classes
- `ranking`, `thresholds`: of scores

Names, arguments and numbers are those of torchnet, and positions and classes count from 1, as
there. What is missing here is in the Lua package: `rekindle.lua.Runtime().require("torchnet")`.
"""

from .averages import AverageValueMeter as AverageValueMeter
from .averages import MovingAverageValueMeter as MovingAverageValueMeter
from .averages import MSEMeter as MSEMeter
from .averages import TimeMeter as TimeMeter
from .batching import BatchDataset as BatchDataset
from .changing import ResampleDataset as ResampleDataset
from .changing import ShuffleDataset as ShuffleDataset
from .changing import SplitDataset as SplitDataset
from .changing import TransformDataset as TransformDataset
from .classification import ClassErrorMeter as ClassErrorMeter
from .classification import ConfusionMeter as ConfusionMeter
from .classification import MultiLabelConfusionMeter as MultiLabelConfusionMeter
from .dataset import Dataset as Dataset
from .dataset import PositionError as PositionError
from .engine import HOOKS as HOOKS
from .engine import Engine as Engine
from .engine import OptimEngine as OptimEngine
from .engine import SGDEngine as SGDEngine
from .iterator import DatasetIterator as DatasetIterator
from .listing import ConcatDataset as ConcatDataset
from .listing import ListDataset as ListDataset
from .listing import TableDataset as TableDataset
from .meter import Meter as Meter
from .meter import TorchnetError as TorchnetError
from .ranking import APMeter as APMeter
from .ranking import AUCMeter as AUCMeter
from .ranking import mAPMeter as mAPMeter
from .thresholds import NDCGMeter as NDCGMeter
from .thresholds import PrecisionAtKMeter as PrecisionAtKMeter
from .thresholds import PrecisionMeter as PrecisionMeter
from .thresholds import RecallMeter as RecallMeter
