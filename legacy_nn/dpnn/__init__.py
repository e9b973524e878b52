"""The dpnn package: what published models use of it.

inception.py has nn.Inception, serial.py nn.Serial, clip.py nn.Clip, reverse_table.py
nn.ReverseTable. May import legacy_nn's
modules.
"""

from .clip import Clip as Clip
from .inception import Inception as Inception
from .reverse_table import ReverseTable as ReverseTable
from .serial import Serial as Serial
