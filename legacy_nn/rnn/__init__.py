"""The package rnn: recurrent modules, step by step and on whole sequences.

abstract_recurrent.py says what a step is, abstract_sequencer.py what a sequence; sequence_layer.py
has the layers that compute whole sequences at once. May import legacy_nn's modules.
"""

from .abstract_recurrent import AbstractRecurrent as AbstractRecurrent
from .abstract_sequencer import AbstractSequencer as AbstractSequencer
from .bi_sequencer import BiSequencer as BiSequencer
from .bi_sequencer_lm import BiSequencerLM as BiSequencerLM
from .criterions import MaskZeroCriterion as MaskZeroCriterion
from .criterions import RepeaterCriterion as RepeaterCriterion
from .criterions import SequencerCriterion as SequencerCriterion
from .fast_lstm import FastLSTM as FastLSTM
from .gru import GRU as GRU
from .linear_no_bias import LinearNoBias as LinearNoBias
from .lookup_mask_zero import LookupTableMaskZero as LookupTableMaskZero
from .lstm import LSTM as LSTM
from .mask_zero import MaskZero as MaskZero
from .mufuru import MuFuRu as MuFuRu
from .norm_stabilizer import NormStabilizer as NormStabilizer
from .recurrence import Recurrence as Recurrence
from .recurrent import Recurrent as Recurrent
from .recurrent_attention import RecurrentAttention as RecurrentAttention
from .recursor import Recursor as Recursor
from .repeater import Repeater as Repeater
from .reverse_sequence import SeqReverseSequence as SeqReverseSequence
from .seq_brnn import SeqBRNN as SeqBRNN
from .seq_gru import SeqGRU as SeqGRU
from .seq_lstm import SeqLSTM as SeqLSTM
from .seq_lstm import SeqLSTMP as SeqLSTMP
from .sequencer import Sequencer as Sequencer
from .small import CopyGrad as CopyGrad
from .small import ExpandAs as ExpandAs
from .small import SAdd as SAdd
from .trim_zero import TrimZero as TrimZero
