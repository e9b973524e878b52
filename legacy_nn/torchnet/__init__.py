"""torchnet for Python programs: its meters, data sets, engines and logs.

- `dataset`, `listing`, `changing`, `batching`, `iterator`, `parallel`: data sets, and loops over
  them; `indexed` on `indexed_files`: those of files
- `engine`: training and testing
- `averages`: of numbers and times
- `classification`: of classes
- `ranking`, `thresholds`: of scores
- `log`, `log_views`: values by key, written where they should go

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
from .indexed import IndexedDataset as IndexedDataset
from .indexed_files import IndexedDatasetReader as IndexedDatasetReader
from .indexed_files import IndexedDatasetWriter as IndexedDatasetWriter
from .iterator import DatasetIterator as DatasetIterator
from .listing import ConcatDataset as ConcatDataset
from .listing import ListDataset as ListDataset
from .listing import TableDataset as TableDataset
from .log import Log as Log
from .log_views import logjson as logjson
from .log_views import logstatus as logstatus
from .log_views import logtext as logtext
from .meter import Meter as Meter
from .meter import TorchnetError as TorchnetError
from .parallel import ParallelDatasetIterator as ParallelDatasetIterator
from .ranking import APMeter as APMeter
from .ranking import AUCMeter as AUCMeter
from .ranking import mAPMeter as mAPMeter
from .thresholds import NDCGMeter as NDCGMeter
from .thresholds import PrecisionAtKMeter as PrecisionAtKMeter
from .thresholds import PrecisionMeter as PrecisionMeter
from .thresholds import RecallMeter as RecallMeter
