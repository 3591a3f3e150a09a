"""Linear algebra: norms, products, solutions and decompositions of matrices. Public as `linalg`."""

from .methods import make_public
from .ops.einsum import vecdot
from .ops.linalg import matmul, multi_dot
from .ops.norms import vector_norm

__all__ = ["matmul", "multi_dot", "vecdot", "vector_norm"]
make_public(globals())
