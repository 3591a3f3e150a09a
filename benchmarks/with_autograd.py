"""The workloads in HIPS autograd, which differentiates functions of NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as np
import numpy
from autograd import grad, make_vjp, value_and_grad

from benchmarks import by_hand, numbers
from benchmarks.workloads import Run, mixed_chain, scalar_loss


def relu(value: Any) -> Any:
    return np.maximum(value, 0)


def differentiated(function: Callable[[Any], Any], argument: Any) -> Run:
    """A step that computes a function's value and gradient."""
    both = value_and_grad(function)
    gradients: list[Any] = []

    def step() -> Any:
        value, gradient = both(argument)
        gradients[:] = gradient
        return value

    return Run(step, lambda: gradients)


def scalar_graph() -> Run:
    """W1; each weight is taken out of one vector, since a list of 266 scalars costs it ten times as much."""
    vector = numpy.array(numbers.scalar_weights(), numpy.float32)
    return differentiated(lambda w: scalar_loss([w[i] for i in range(len(vector))], np.tanh, relu), vector)


def chain() -> Run:
    """W2."""
    return differentiated(lambda leaves: np.sum(mixed_chain(np, relu, *leaves)), numbers.leaves_of_chain())


def long_chain() -> Run:
    """W3."""

    def function(leaf: Any) -> Any:
        x = leaf
        for _ in range(50_000):
            x = x * leaf
            x = x + 1e-6
        return x[0]

    return differentiated(function, numpy.array([0.99999], numpy.float32))


def perceptron(parameters: Sequence[Any], inputs: Any, activation: Callable[[Any], Any] = relu) -> Any:
    """The network's outputs."""
    value = inputs
    for index in range(0, len(parameters), 2):
        value = np.dot(activation(value) if index else value, parameters[index].T) + parameters[index + 1]
    return value


def cross_entropy(parameters: Sequence[Any], inputs: Any, labels: Any) -> Any:
    """The mean loss of the network on a batch."""
    logits = perceptron(parameters, inputs)
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_sums = np.log(np.sum(np.exp(shifted), axis=1))
    return np.mean(log_sums - shifted[numpy.arange(len(labels)), labels])


loss_and_gradients = value_and_grad(cross_entropy)


def matmul() -> Run:
    """W13."""
    a, b, gradient = numbers.square_matrices(1024)
    gradients: list[Any] = []

    def step() -> Any:
        backward, product = make_vjp(lambda factors: np.dot(factors[0], factors[1]))((a, b))
        gradients[:] = backward(gradient)
        return product

    return Run(step, lambda: gradients)


def second_order() -> Run:
    """W18."""
    inputs, _ = numbers.batch(64, 32)
    gradient = grad(lambda parameters: np.mean(perceptron(parameters, inputs, np.tanh) ** 2))

    def squared_norm(parameters: Any) -> Any:
        return sum(np.sum(part * part) for part in gradient(parameters))

    return differentiated(squared_norm, numbers.weights((32, 64, 64, 1)))


WORKLOADS: dict[str, Callable[[], Run]] = {
    "W1": scalar_graph,
    "W2": chain,
    "W3": long_chain,
    "W4": lambda: by_hand.small_training(loss_and_gradients),
    "W5": lambda: by_hand.large_training(loss_and_gradients),
    "W13": matmul,
    "W16": lambda: by_hand.inference(perceptron, 128),
    "W16s": lambda: by_hand.inference(perceptron, 1),
    "W17": lambda: by_hand.digits_to_97_percent(loss_and_gradients, perceptron),
    "W18": second_order,
}
