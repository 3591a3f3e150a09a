"""Intel's library of layers is not used."""

enabled = True


def is_available() -> bool:
    """Whether oneDNN is used: no."""
    return False
