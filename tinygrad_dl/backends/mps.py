"""Apple's GPUs are not used."""


def is_available() -> bool:
    """Whether Apple's GPUs can be used: no.

    >>> import tinygrad_dl as tg
    >>> tg.backends.mps.is_available()
    False
    """
    return False


def is_built() -> bool:
    """Whether Apple's GPUs could be used: no."""
    return False
