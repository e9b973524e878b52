"""placeholder"""

if __name__ == "legacy_nn":
    raise ImportError("import rekindle.legacy_nn: the folder legacy_nn is not a package of its own")

from .dropout import Dropout as Dropout
from .dropout import SpatialDropout as SpatialDropout
from .dropout import VolumetricDropout as VolumetricDropout
from .dropout import WhiteNoise as WhiteNoise
from .mixture import MixtureTable as MixtureTable
from .rectifiers import ELU as ELU
from .rectifiers import LeakyReLU as LeakyReLU
from .rectifiers import PReLU as PReLU
from .rectifiers import ReLU as ReLU
from .rectifiers import ReLU6 as ReLU6
from .rectifiers import RReLU as RReLU
from .rectifiers import Threshold as Threshold
from .softmax import LogSoftMax as LogSoftMax
from .softmax import SoftMax as SoftMax
from .softmax import SoftMin as SoftMin
from .softmax import SpatialLogSoftMax as SpatialLogSoftMax
from .softmax import SpatialSoftMax as SpatialSoftMax
from .table import FlattenTable as FlattenTable
from .table import JoinTable as JoinTable
from .table import NarrowTable as NarrowTable
from .table import SelectTable as SelectTable
from .table import SplitTable as SplitTable
from .table_arithmetic import CAddTable as CAddTable
from .table_arithmetic import CDivTable as CDivTable
from .table_arithmetic import CMaxTable as CMaxTable
from .table_arithmetic import CMinTable as CMinTable
from .table_arithmetic import CMulTable as CMulTable
from .table_arithmetic import CSubTable as CSubTable
from .transfer import GradientReversal as GradientReversal
from .transfer import HardShrink as HardShrink
from .transfer import HardTanh as HardTanh
from .transfer import LogSigmoid as LogSigmoid
from .transfer import Sigmoid as Sigmoid
from .transfer import SoftPlus as SoftPlus
from .transfer import SoftShrink as SoftShrink
from .transfer import SoftSign as SoftSign
from .transfer import Tanh as Tanh
from .transfer import TanhShrink as TanhShrink
