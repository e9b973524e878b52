"""The dpnn package: what published models use of it.

inception.py has nn.Inception, serial.py nn.Serial. May import legacy_nn's modules.
"""

from .inception import Inception as Inception
from .serial import Serial as Serial
