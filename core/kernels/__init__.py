"""Kernels: the arithmetic that is more than one call of the array library.

Pure functions `kernel(xp, *arrays, **params)` on NumPy or CuPy arrays (`xp` is the module).
They return new arrays, keep the dtype, never write into an operand and know nothing of
Tensor. Everything counts from 0. They are the definition of right that faster versions are
tested against, so they are plain, but not needlessly slow.

Images are (N, C, *spatial) with one, two or three spatial dimensions; sizes, strides and the
like are tuples with one integer per spatial dimension. float16 is computed in float32.

In reading order:

- `checks.py`: the errors that kernels report about shapes and parameters
- `windows.py`: sizes of sliding windows, and sums over windows; shared by the next four
- `convolution.py`: convolution, and its gradients by input (transposed convolution) and weight
- `pooling.py`: max and average pooling, unpooling, and their gradients
- `adaptive_pooling.py`: pooling to a given size
- `interpolation.py`: upsampling, nearest and linear
- `padding.py`: constant, reflected, replicated and circular borders
- `normalization.py`: normalisation by moments, local response normalisation, renorm
- `products.py`: products of matrices
- `sums.py`: sums of products and linear combinations, for the gradients of these
- `softmax.py`: softmax, log_softmax, logsumexp
- `likelihood.py`: the loss of softmax's share for given classes
- `indexing.py`: gather, scatter, scatter-add, index-add
- `copying.py`: copies from one order of memory to another
- `announced.py`: what operations tell kernels of the versions of operands
- `dispatch.py`: faster versions of these, and which one computes

Imports nothing of Rekindle but `core.errors`, `core.dtypes` and `core.backend`.
"""

from .dispatch import used as used
from .dispatch import using as using
