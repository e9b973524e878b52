"""The package cudnn: modules of nn that computed with NVIDIA's cuDNN, on any device.

Fields, constructors and texts are those of cudnn.torch; the arithmetic is that of nn, but for
what each class says. Fields that only cuDNN needs (`iSize`, `input_slice`, ...) are kept as
they are read. Source: soumith/cudnn.torch, the file of each class.
"""

from .activation import ClippedReLU as ClippedReLU
from .activation import ReLU as ReLU
from .activation import Sigmoid as Sigmoid
from .activation import Tanh as Tanh
from .batch_normalization import BatchNormalization as BatchNormalization
from .batch_normalization import SpatialBatchNormalization as SpatialBatchNormalization
from .batch_normalization import VolumetricBatchNormalization as VolumetricBatchNormalization
from .batch_normalization import running_var_as as running_var_as
from .convolution import SpatialConvolution as SpatialConvolution
from .convolution import SpatialFullConvolution as SpatialFullConvolution
from .convolution import TemporalConvolution as TemporalConvolution
from .convolution import VolumetricConvolution as VolumetricConvolution
from .convolution import VolumetricFullConvolution as VolumetricFullConvolution
from .cross_entropy import SpatialCrossEntropyCriterion as SpatialCrossEntropyCriterion
from .cross_entropy import VolumetricCrossEntropyCriterion as VolumetricCrossEntropyCriterion
from .local_response import SpatialCrossMapLRN as SpatialCrossMapLRN
from .pooling import SpatialAveragePooling as SpatialAveragePooling
from .pooling import SpatialMaxPooling as SpatialMaxPooling
from .pooling import VolumetricAveragePooling as VolumetricAveragePooling
from .pooling import VolumetricMaxPooling as VolumetricMaxPooling
from .rnn import BGRU as BGRU
from .rnn import BLSTM as BLSTM
from .rnn import GRU as GRU
from .rnn import LSTM as LSTM
from .rnn import RNN as RNN
from .rnn import RNNReLU as RNNReLU
from .rnn import RNNTanh as RNNTanh
from .softmax import LogSoftMax as LogSoftMax
from .softmax import SoftMax as SoftMax
from .softmax import SpatialLogSoftMax as SpatialLogSoftMax
from .softmax import SpatialSoftMax as SpatialSoftMax
from .softmax import VolumetricLogSoftMax as VolumetricLogSoftMax
from .softmax import VolumetricSoftMax as VolumetricSoftMax
