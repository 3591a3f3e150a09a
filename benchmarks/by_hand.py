"""The same arithmetic by hand in NumPy, without a graph: the floor for an engine that stands on NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks import numbers
from benchmarks.numbers import Array
from benchmarks.workloads import (
    ADAM_RATE,
    DIGITS_BATCH,
    DIGITS_GOAL,
    DIGITS_MOMENTUM,
    DIGITS_RATE,
    MOST_EPOCHS,
    SGD_RATE,
    Run,
)

Update = Callable[[Sequence[Array]], None]
Optimizer = Callable[[Sequence[Array]], Update]
Differentiate = Callable[[Sequence[Array], Array, Any], tuple[float, Sequence[Array]]]
Predict = Callable[[Sequence[Array], Array], Array]


def sgd(parameters: Sequence[Array], rate: float, momentum: float = 0.0) -> Update:
    """Gradient descent in place; the momentum starts as the first gradient."""
    velocity: list[Array] = []

    def update(gradients: Sequence[Array]) -> None:
        if not momentum:
            steps = gradients
        elif not velocity:
            velocity.extend(gradient.copy() for gradient in gradients)
            steps = velocity
        else:
            for speed, gradient in zip(velocity, gradients, strict=True):
                speed *= momentum
                speed += gradient
            steps = velocity
        for parameter, step in zip(parameters, steps, strict=True):
            parameter -= rate * step

    return update


def adam(parameters: Sequence[Array], rate: float, beta1: float = 0.9, beta2: float = 0.999) -> Update:
    """Adam in place, its scratch space kept."""
    first, second, scratch = ([np.zeros_like(parameter) for parameter in parameters] for _ in range(3))
    count = 0

    def update(gradients: Sequence[Array]) -> None:
        nonlocal count
        count += 1
        step, correction = rate / (1 - beta1**count), (1 - beta2**count) ** -0.5
        for parameter, gradient, m, v, s in zip(parameters, gradients, first, second, scratch, strict=True):
            np.multiply(gradient, 1 - beta1, out=s)
            np.multiply(m, beta1, out=m)
            np.add(m, s, out=m)
            np.multiply(gradient, gradient, out=s)
            np.multiply(s, 1 - beta2, out=s)
            np.multiply(v, beta2, out=v)
            np.add(v, s, out=v)
            np.sqrt(v, out=s)
            np.multiply(s, correction, out=s)
            np.add(s, 1e-8, out=s)
            np.divide(m, s, out=s)
            np.multiply(s, step, out=s)
            np.subtract(parameter, s, out=parameter)

    return update


def forward(parameters: Sequence[Array], inputs: Array) -> tuple[Array, list[Array]]:
    """The logits, and what entered each layer."""
    value, entered = inputs, list[Array]()
    for weight, bias in zip(parameters[::2], parameters[1::2], strict=True):
        if entered:
            np.maximum(value, 0, out=value)
        entered.append(value)
        value = value.dot(weight.T)
        value += bias
    return value, entered


def cross_entropy(outputs: Array, labels: Any) -> tuple[float, Array]:
    """The mean loss of (n, classes) outputs and its gradient."""
    rows = np.arange(len(labels))
    shifted = outputs - np.maximum.reduce(outputs, 1, keepdims=True)
    gradient = np.exp(shifted)
    sums = np.add.reduce(gradient, 1, keepdims=True)
    loss = float(np.add.reduce(np.log(sums[:, 0]) - shifted[rows, labels])) / len(labels)
    gradient /= sums
    gradient[rows, labels] -= 1
    gradient /= len(labels)
    return loss, gradient


def backward(parameters: Sequence[Array], entered: list[Array], gradient: Array) -> list[Array]:
    """The gradients in the order of the parameters."""
    gradients: list[Array] = []
    for weight, value in zip(reversed(parameters[::2]), reversed(entered), strict=True):
        gradients[:0] = [gradient.T.dot(value), np.add.reduce(gradient, 0)]
        if value is not entered[0]:
            gradient = gradient.dot(weight)
            gradient *= value > 0
    return gradients


def loss_and_gradients(parameters: Sequence[Array], inputs: Array, labels: Any) -> tuple[float, Sequence[Array]]:
    """What a training step needs."""
    outputs, entered = forward(parameters, inputs)
    loss, gradient = cross_entropy(outputs, labels)
    return loss, backward(parameters, entered, gradient)


def training(differentiate: Differentiate, sizes: tuple[int, ...], count: int, optimizer: Optimizer) -> Run:
    """A training step of a classifier on one batch."""
    parameters = numbers.weights(sizes)
    inputs, labels = numbers.batch(count, sizes[0], sizes[-1])
    update = optimizer(parameters)

    def step() -> float:
        loss, gradients = differentiate(parameters, inputs, labels)
        update(gradients)
        return loss

    return Run(step, lambda: parameters)


def small_training(differentiate: Differentiate) -> Run:
    """W4."""
    return training(differentiate, (64, 128, 10), 32, lambda parameters: sgd(parameters, SGD_RATE))


def large_training(differentiate: Differentiate) -> Run:
    """W5."""
    return training(differentiate, (784, 512, 512, 10), 128, lambda parameters: adam(parameters, ADAM_RATE))


def bandwidth() -> Run:
    """W10a, as four passes over memory."""
    x = numbers.many(10_000_000)
    results: list[Array] = [np.empty_like(x)]
    scratch = np.empty_like(x)

    def step() -> float:
        np.multiply(x, 2, out=scratch)
        np.add(scratch, 1, out=scratch)
        np.maximum(scratch, 0, out=scratch)
        value = float(scratch.dot(x)) / x.size  # of relu(2x + 1)·x
        np.add(scratch, np.where(scratch > 0, 2 * x, 0), out=results[0])
        np.divide(results[0], x.size, out=results[0])
        return value

    return Run(step, lambda: results)


def classification() -> Run:
    """W11."""
    outputs, labels = numbers.batch(4096, 1000, 1000)
    results: list[Array] = []

    def step() -> float:
        loss, gradient = cross_entropy(outputs, labels)
        results[:] = [gradient]
        return loss

    return Run(step, lambda: results)


def recurrent(steps: int, count: int, features: int, units: int) -> Run:
    """W8, W8s."""
    inputs, parameters = numbers.sequences(steps, count, features, units)
    update = adam(parameters, ADAM_RATE)
    rows = inputs.reshape(-1, features)
    scale = np.array([0.5, 0.5, 1, 0.5], np.float32)[:, None]  # σ(x) = tanh(x / 2) / 2 + 1 / 2
    shift = np.array([0.5, 0.5, 0, 0.5], np.float32)[:, None]

    def step() -> float:
        weight, of_state, bias, other_bias = parameters
        gates = (rows.dot(weight.T) + (bias + other_bias)).reshape(steps, count, 4, units)
        cells, outputs = (np.zeros((steps + 1, count, units), np.float32) for _ in range(2))
        turned = np.ascontiguousarray(of_state.T)
        for t, z in enumerate(gates):
            z += outputs[t].dot(turned).reshape(z.shape)
            z *= scale
            np.tanh(z, out=z)
            z *= scale
            z += shift
            cells[t + 1] = z[:, 1] * cells[t] + z[:, 0] * z[:, 2]
            outputs[t + 1] = z[:, 3] * np.tanh(cells[t + 1])
        results, gradients = outputs[1:].reshape(-1, units), np.empty_like(gates)
        dh, dc = np.zeros((2, count, units), np.float32)
        for t in reversed(range(steps)):
            i, f, new, o = gates[t].swapaxes(0, 1)
            squashed = np.tanh(cells[t + 1])
            dh = dh + outputs[t + 1] * (2 / results.size)
            dc += dh * o * (1 - squashed * squashed)
            gradients[t, :, 0] = dc * new * i * (1 - i)
            gradients[t, :, 1] = dc * cells[t] * f * (1 - f)
            gradients[t, :, 2] = dc * i * (1 - new * new)
            gradients[t, :, 3] = dh * squashed * o * (1 - o)
            dh = gradients[t].reshape(count, 4 * units).dot(of_state)
            dc *= f
        flat = gradients.reshape(-1, 4 * units)
        total = np.add.reduce(flat, 0)
        update([flat.T.dot(rows), flat.T.dot(outputs[:-1].reshape(-1, units)), total, total])
        return float(np.vdot(results, results)) / results.size

    return Run(step, lambda: parameters)


def adam_steps(shapes: Sequence[tuple[int, ...]]) -> Run:
    """W12, W12s."""
    parameters, gradients = numbers.parameters_with_gradients(shapes)
    update = adam(parameters, ADAM_RATE)

    def step() -> Array:
        update(gradients)
        return parameters[0]

    return Run(step, lambda: parameters)


def matmul() -> Run:
    """W13."""
    a, b, gradient = numbers.square_matrices(1024)
    results: list[Array] = []

    def step() -> Array:
        product = a.dot(b)
        results[:] = gradient.dot(b.T), a.T.dot(gradient)
        return product

    return Run(step, lambda: results)


def logits(parameters: Sequence[Array], inputs: Array) -> Array:
    """The network's outputs."""
    return forward(parameters, inputs)[0]


def inference(predict: Predict, count: int) -> Run:
    """The forward pass alone."""
    parameters = numbers.weights((784, 512, 512, 10))
    inputs, _ = numbers.batch(count, 784)
    return Run(lambda: predict(parameters, inputs))


def digits_to_97_percent(differentiate: Differentiate, predict: Predict) -> Run:
    """W17."""
    data = numbers.digits()

    def step() -> tuple[int, float]:
        parameters = numbers.weights((64, 128, 10))
        update = sgd(parameters, DIGITS_RATE, DIGITS_MOMENTUM)
        orders = numbers.EpochOrders(len(data.labels))
        epoch, accuracy = 0, 0.0
        while accuracy < DIGITS_GOAL and epoch < MOST_EPOCHS:
            epoch += 1
            order = list(orders)
            for start in range(0, len(order), DIGITS_BATCH):
                chosen = order[start : start + DIGITS_BATCH]
                update(differentiate(parameters, data.inputs[chosen], data.labels[chosen])[1])
            guesses = predict(parameters, data.held_out_inputs).argmax(1)
            accuracy = float((guesses == data.held_out_labels).mean())
        return epoch, accuracy

    return Run(step)


WORKLOADS: dict[str, Callable[[], Run]] = {
    "W4": lambda: small_training(loss_and_gradients),
    "W5": lambda: large_training(loss_and_gradients),
    "W8": lambda: recurrent(50, 32, 64, 128),
    "W8s": lambda: recurrent(20, 8, 16, 32),
    "W10a": bandwidth,
    "W11": classification,
    "W12": lambda: adam_steps(numbers.MANY_BIG),
    "W12s": lambda: adam_steps(numbers.MANY_SMALL),
    "W13": matmul,
    "W16": lambda: inference(logits, 128),
    "W16s": lambda: inference(logits, 1),
    "W17": lambda: digits_to_97_percent(loss_and_gradients, logits),
}
