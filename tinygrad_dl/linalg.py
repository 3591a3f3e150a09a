"""Linear algebra: norms, products, solutions and decompositions of matrices. Public as `linalg`."""

from .errors import LinAlgError
from .methods import make_public
from .ops.decompositions import eig, eigh, eigvals, eigvalsh, qr, svd, svdvals
from .ops.einsum import vecdot
from .ops.linalg import matmul, multi_dot
from .ops.matrix_functions import linalg_cross as cross
from .ops.matrix_functions import linalg_diagonal as diagonal
from .ops.matrix_functions import linalg_vander as vander
from .ops.matrix_functions import matrix_exp, matrix_power
from .ops.norms import matrix_norm, norm, vector_norm
from .ops.pseudoinverse import cond, lstsq, matrix_rank, pinv
from .ops.solving import cholesky, det, inv, slogdet, solve, solve_triangular, tensorinv, tensorsolve

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]
make_public(globals())
