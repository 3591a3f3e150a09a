"""Linear algebra: norms, products, solutions and decompositions of matrices. Public as `linalg`."""

from .methods import make_public
from .ops.norms import vector_norm

__all__ = ["vector_norm"]
make_public(globals())
