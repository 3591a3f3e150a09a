"""The workloads, and the ratios to PyTorch that tinygrad_dl means to reach on each (smaller is faster)."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """Ratios to PyTorch eager at one thread: of time and, where memory is a goal too, of peak memory."""

    title: str
    reach: float
    stretch: float
    memory_reach: float | None = None
    memory_stretch: float | None = None
    tolerance: float = 1e-4  # how far two libraries' results may lie apart, relative to their size


# A new workload is one line here and one function in `workloads.py` (and in the peers' files where they can run it).
TARGETS = {
    "W1": Target("scalar graph, 2,019 operations on 0-d, both ways", 0.45, 0.30),
    "W2": Target("chain of 1,000 mixed operations on (8, 8), both ways", 0.52, 0.40, tolerance=1e-3),
    "W3": Target("chain of 100,000 operations on (1,), both ways", 0.45, 0.35, 0.6, 0.45, tolerance=1e-3),
    "W4": Target("MLP 64-128-10, batch 32, SGD, training step", 0.65, 0.50),
    "W5": Target("MLP 784-512-512-10, batch 128, Adam, training step", 1.1, 0.95, tolerance=1e-3),
    "W6": Target("LeNet on 28 x 28, batch 64, Adam, training step", 1.5, 1.25, 1.3, 1.1, tolerance=1e-3),
    "W7": Target("five 3 x 3 convolutions with batch norm, 32 x 32, batch 16, SGD", 2.2, 1.8, 1.3, 1.1, tolerance=1e-3),
    "W8": Target("LSTM 64 -> 128, 50 steps, batch 32, Adam, training step", 2.0, 1.7, 1.3, 1.1, tolerance=1e-3),
    "W8s": Target("LSTM 16 -> 32, 20 steps, batch 8, Adam, training step", 1.3, 0.9, tolerance=1e-3),
    "W9": Target(
        "GPT, 4 layers, width 128, 4 heads, 64 tokens, batch 16, Adam, training step", 1.6, 1.4, tolerance=1e-3
    ),
    "W10": Target("exp(tanh(gelu(x))) on 10 million, mean, both ways", 0.8, 0.5),
    "W10a": Target("relu(2x + 1)·x on 10 million, mean, both ways", 1.0, 0.8),
    "W11": Target("softmax cross-entropy, (4096, 1000), both ways", 1.2, 1.05),
    "W12": Target("Adam over 10 million parameters in 50 tensors, step", 1.0, 0.9),
    "W12s": Target("Adam over 50 tensors of 100, step", 0.3, 0.15),
    "W13": Target("matmul 1024 x 1024 x 1024, both ways", 1.15, 1.1),
    "W14": Target("import in a fresh process", 0.08, 0.07, 0.12),
    "W15": Target("embedding 50,000 x 128, 16,384 indices, both ways", 1.5, 1.2),
    "W16": Target("inference under no_grad, MLP 784-512-512-10, batch 128", 1.25, 1.15),
    "W16s": Target("inference under no_grad, MLP 784-512-512-10, batch 1", 0.5, 0.35),
    "W17": Target("digits, MLP 64-128-10 to 97 % on held-out images, DataLoader", 0.45, 0.30, tolerance=5e-3),
    "W18": Target("gradient of the gradient's squared norm, tanh MLP 32-64-64-1", 1.2, 0.9, tolerance=1e-3),
    "M1": Target("MLP 4096-4096-4096-4096-10, batch 256, SGD with momentum, training step", 1.2, 1.1, 1.2, 1.05),
    "M2": Target("MLP 4096-4096-4096-4096-10, batch 256, Adam, training step", 1.2, 1.1, 1.2, 1.05, tolerance=1e-3),
}
