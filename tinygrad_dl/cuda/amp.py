"""The older names of mixed precision on GPUs: `torch.cuda.amp`."""

from typing import Any

from .. import amp


class autocast(amp.autocast):
    """As `tinygrad_dl.autocast("cuda", ...)`."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """As `tinygrad_dl.amp.GradScaler("cuda", ...)`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__("cuda", *args, **options)
