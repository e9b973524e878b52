"""All rules; importing this registers them."""

from __future__ import annotations

from . import rules_containers as rules_containers
from . import rules_criterion as rules_criterion
from . import rules_evaluated as rules_evaluated
from . import rules_functions as rules_functions
from . import rules_images as rules_images
from . import rules_layers as rules_layers
from . import rules_packages as rules_packages
from . import rules_recurrent as rules_recurrent
from . import rules_rnn as rules_rnn
from . import rules_sequence_criterion as rules_sequence_criterion
from . import rules_sequences as rules_sequences
from . import rules_shapes as rules_shapes
from . import rules_state as rules_state
