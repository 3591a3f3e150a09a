"""Special functions under the names of `torch.special`."""

from .methods import make_public
from .ops.error_functions import erf, erfc, erfcx, erfinv, log_ndtr, ndtr, ndtri

__all__ = ["erf", "erfc", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"]

make_public(globals())
