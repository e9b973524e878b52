"""torch/image: images as tensors (channels, height, width), counted and rounded as Torch did.

- `pixels`, `options`: what the functions share
- `files`, `pnm`, `png16`: JPEG, PNG, PPM and PGM
- `scale`, `geometry`, `warp`: sizes, parts, turns, flow fields
- `color`: colour spaces
- `kernels`, `filters`: Gaussians and maps of colours; convolution, pyramids, morphology
- `display`: ranges, grids of images, rectangles

The functions take core's tensors and plain values, the destination first where there is one.
"""

from .color import hsl2rgb as hsl2rgb
from .color import hsv2rgb as hsv2rgb
from .color import lab2rgb as lab2rgb
from .color import rgb2hsl as rgb2hsl
from .color import rgb2hsv as rgb2hsv
from .color import rgb2lab as rgb2lab
from .color import rgb2nrgb as rgb2nrgb
from .color import rgb2y as rgb2y
from .color import rgb2yuv as rgb2yuv
from .color import yuv2rgb as yuv2rgb
from .display import drawRect as drawRect
from .display import minmax as minmax
from .display import toDisplayTensor as toDisplayTensor
from .errors import ImageError as ImageError
from .errors import MissingPillow as MissingPillow
from .files import compressJPG as compressJPG
from .files import compressPNG as compressPNG
from .files import decompress as decompress
from .files import getSize as getSize
from .files import is_supported as is_supported
from .files import load as load
from .files import save as save
from .filters import convolve as convolve
from .filters import dilate as dilate
from .filters import erode as erode
from .filters import gaussianpyramid as gaussianpyramid
from .filters import lcn as lcn
from .geometry import crop as crop
from .geometry import flip as flip
from .geometry import hflip as hflip
from .geometry import rotate as rotate
from .geometry import translate as translate
from .geometry import vflip as vflip
from .kernels import colormap as colormap
from .kernels import gaussian as gaussian
from .kernels import gaussian1D as gaussian1D
from .kernels import jetColormap as jetColormap
from .kernels import laplacian as laplacian
from .kernels import y2jet as y2jet
from .scale import scale as scale
from .warp import affinetransform as affinetransform
from .warp import warp as warp
