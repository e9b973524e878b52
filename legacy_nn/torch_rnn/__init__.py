"""The modules of jcjohnson/torch-rnn: layers over whole sequences, and its language model.

May import legacy_nn's modules and the package rnn.
"""

from .language_model import LanguageModel as LanguageModel
from .lstm import LSTM as LSTM
from .temporal_adapter import TemporalAdapter as TemporalAdapter
from .vanilla import VanillaRNN as VanillaRNN
