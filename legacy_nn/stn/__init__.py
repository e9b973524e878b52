"""The package stn: spatial transformers, on images with the channels last.

May import legacy_nn's modules.
"""

from .grid import AffineGridGeneratorBHWD as AffineGridGeneratorBHWD
from .matrix import AffineTransformMatrixGenerator as AffineTransformMatrixGenerator
from .sampler import BilinearSamplerBHWD as BilinearSamplerBHWD
