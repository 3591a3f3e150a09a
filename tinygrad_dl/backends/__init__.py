"""Libraries behind the operations, as `torch.backends`: which there are, and switches that scripts set.

The switches permit what PyTorch's libraries would do: less precision, algorithms chosen by trial. They keep what they
are set to and change nothing here.
"""

from . import cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]
