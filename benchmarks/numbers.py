"""The numbers every library starts from: weights, batches, digits, made by NumPy from seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def weights(sizes: tuple[int, ...], seed: int = 0) -> list[Array]:
    """Weight (out, in) and bias (out,) of each layer of a multilayer perceptron, in the order of `parameters()`."""
    draw = np.random.default_rng(seed)
    arrays = []
    for wide, narrow in pairwise(sizes):
        bound = wide**-0.5
        arrays += [draw.uniform(-bound, bound, (narrow, wide)), draw.uniform(-bound, bound, narrow)]
    return [array.astype(np.float32) for array in arrays]


def weights_of(shapes: Sequence[tuple[int, ...]], seed: int = 0) -> list[Array]:
    """A weight of each shape (out, in, ...), uniform in a layer's usual bounds."""
    draw = np.random.default_rng(seed)
    bounds = [math.prod(shape[1:]) ** -0.5 for shape in shapes]
    return [draw.uniform(-b, b, shape).astype(np.float32) for b, shape in zip(bounds, shapes, strict=True)]


def batch(count: int, features: int, classes: int = 10, seed: int = 1) -> tuple[Array, NDArray[np.int64]]:
    """Inputs (count, features) from a normal distribution, and labels (count,)."""
    draw = np.random.default_rng(seed)
    return draw.standard_normal((count, features), dtype=np.float32), draw.integers(0, classes, count)


def sequences(steps: int, count: int, features: int, units: int) -> tuple[Array, list[Array]]:
    """Inputs (steps, count, features), and an LSTM's weights and biases."""
    draw = np.random.default_rng(5)
    shapes = [(4 * units, features), (4 * units, units), (4 * units,), (4 * units,)]
    bound = units**-0.5
    parameters = [draw.uniform(-bound, bound, shape).astype(np.float32) for shape in shapes]
    return draw.standard_normal((steps, count, features), np.float32), parameters


def text(count: int, length: int, vocabulary: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tokens (count, length), and the ones that follow them."""
    tokens = np.random.default_rng(6).integers(0, vocabulary, (count, length + 1))
    return tokens[:, :-1].copy(), tokens[:, 1:].copy()


def like(shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Matrices of small numbers, and for vectors, which scale or shift, what is near 1 and 0."""
    draw = np.random.default_rng(8)
    return [draw.normal(0.5 * (len(shape) == 1), 0.05, shape).astype(np.float32) for shape in shapes]


def leaves_of_chain() -> tuple[Array, Array, Array]:
    """Three (8, 8) arrays with which the chain of W2 neither explodes nor dies out."""
    draw = np.random.default_rng(2)
    near_one, near_zero = draw.uniform(0.9, 1.1, (2, 8, 8)), draw.uniform(-0.1, 0.1, (8, 8))
    return near_one[0].astype(np.float32), near_zero.astype(np.float32), near_one[1].astype(np.float32)


def square_matrices(size: int) -> list[Array]:
    """Two factors and the gradient of their product, each (size, size)."""
    draw = np.random.default_rng(3)
    return [draw.standard_normal((size, size), dtype=np.float32) for _ in range(3)]


def many(count: int) -> Array:
    """So many numbers (count,) from a normal distribution."""
    return np.random.default_rng(5).standard_normal(count, dtype=np.float32)


def embedding(rows: int, width: int, count: int) -> tuple[Array, NDArray[np.int64]]:
    """A table (rows, width), and indices (count,) of which frequent ones repeat, as words do."""
    draw = np.random.default_rng(7)
    return draw.standard_normal((rows, width), dtype=np.float32), (rows * draw.random(count) ** 3).astype(np.int64)


MANY_BIG = [(400, 500)] * 50  # 10 million parameters
MANY_SMALL = [(100,)] * 50


def parameters_with_gradients(shapes: Sequence[tuple[int, ...]]) -> tuple[list[Array], list[Array]]:
    """Parameters and their gradients, from normal distributions."""
    draw = np.random.default_rng(5)
    parameters, gradients = ([draw.standard_normal(shape, dtype=np.float32) for shape in shapes] for _ in range(2))
    return parameters, gradients


SCALAR_NET = (3, 11, 17, 1)  # with four samples exactly 2,019 operations
SCALAR_SAMPLES = ((2.0, 3.0, -1.0), (3.0, -1.0, 0.5), (0.5, 1.0, 1.0), (1.0, 1.0, -1.0))
SCALAR_TARGETS = (1.0, -1.0, -1.0, 1.0)


def scalar_weights() -> list[float]:
    """The 266 weights of the scalar network, neuron by neuron: its inputs' weights, then its bias."""
    arrays = weights(SCALAR_NET, seed=4)
    neurons = (np.hstack([w, b[:, None]]) for w, b in zip(arrays[::2], arrays[1::2], strict=True))
    return [float(value) for layer in neurons for value in layer.ravel()]


class Digits(NamedTuple):
    """scikit-learn's digits, three quarters to train on, scaled to 0..1."""

    inputs: Array
    labels: NDArray[np.int64]
    held_out_inputs: Array
    held_out_labels: NDArray[np.int64]


def digits() -> Digits:
    """The digits in a shuffled split; needs scikit-learn."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(8).permutation(len(labels))
    images, labels = (images[order] / 16).astype(np.float32), labels[order].astype(np.int64)
    cut = len(labels) * 3 // 4
    return Digits(images[:cut], labels[:cut], images[cut:], labels[cut:])


class EpochOrders:
    """A sampler that gives every epoch its own order, the same in each library."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.draw = np.random.default_rng(6)

    def __iter__(self) -> Iterator[int]:
        return iter(self.draw.permutation(self.count).tolist())

    def __len__(self) -> int:
        return self.count
