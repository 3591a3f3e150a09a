"""Memory shared with other libraries after the protocol DLPack, as `torch.utils.dlpack`."""

from ..sharing import from_dlpack as from_dlpack
from ..sharing import to_dlpack as to_dlpack
