"""Data sets, samplers, and loaders that make batches in other processes.

- `datasets`: Dataset, IterableDataset, TensorDataset, Subset, ConcatDataset, random_split
- `torch_dataset`: data sets in old checkpoints, with `torch_forms`, which tells their forms
- `samplers`: in which order, and which samples make a batch
- `collation`: from samples to a batch
- `loader`: DataLoader; `fetching` makes one batch, `workers` (with `worker_process`, `parcels`)
  has many made at once

With PyTorch's names and arguments.
"""

from .collation import CollateError as CollateError
from .collation import collate as collate
from .datasets import ConcatDataset as ConcatDataset
from .datasets import Dataset as Dataset
from .datasets import IterableDataset as IterableDataset
from .datasets import Subset as Subset
from .datasets import TensorDataset as TensorDataset
from .datasets import random_split as random_split
from .errors import DataError as DataError
from .errors import LoaderTimeoutError as LoaderTimeoutError
from .errors import WorkerError as WorkerError
from .loader import DataLoader as DataLoader
from .samplers import BatchSampler as BatchSampler
from .samplers import RandomSampler as RandomSampler
from .samplers import Sampler as Sampler
from .samplers import SequentialSampler as SequentialSampler
from .samplers import SubsetRandomSampler as SubsetRandomSampler
from .samplers import WeightedRandomSampler as WeightedRandomSampler
from .torch_dataset import TorchDataset as TorchDataset
from .worker_process import WorkerInfo as WorkerInfo
from .worker_process import get_worker_info as get_worker_info
