"""Speed and memory of tinygrad_dl beside its peers: ``python -m benchmarks``."""
