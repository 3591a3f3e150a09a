"""The scalar workload in micrograd. Its longer chains would overflow the recursion limit."""

from __future__ import annotations

import math
from collections.abc import Callable

from micrograd.engine import Value

from benchmarks import numbers
from benchmarks.workloads import Run, scalar_loss


def tanh(value: Value) -> Value:
    """The package has none; written as it writes its other operations."""
    out = Value(math.tanh(value.data), (value,), "tanh")

    def backward() -> None:
        value.grad += (1 - out.data * out.data) * out.grad

    out._backward = backward
    return out


def scalar_graph() -> Run:
    """W1."""
    leaves = [Value(weight) for weight in numbers.scalar_weights()]

    def step() -> float:
        for leaf in leaves:
            leaf.grad = 0
        loss = scalar_loss(leaves, tanh, Value.relu)
        loss.backward()
        return float(loss.data)

    return Run(step, lambda: [leaf.grad for leaf in leaves])


WORKLOADS: dict[str, Callable[[], Run]] = {"W1": scalar_graph}
