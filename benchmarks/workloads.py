"""Each workload written once for PyTorch's interface: `lib` is the torch module or tinygrad_dl.

A workload's function builds everything and gives a `Run`: the step to time, and what to compare afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

from benchmarks import models, numbers

# Small enough for thousands of steps on one batch to leave the gradients at ordinary sizes.
SGD_RATE, ADAM_RATE = 0.01, 1e-4
DIGITS_RATE, DIGITS_MOMENTUM, DIGITS_BATCH, DIGITS_GOAL = 0.03, 0.9, 32, 0.97
MOST_EPOCHS = 50


class Run(NamedTuple):
    """`step()` is timed, what it returns is compared between libraries, and so is what `results()` gives after it."""

    step: Callable[[], Any]
    results: Callable[[], Sequence[Any]] = tuple


def scalar_loss(weights: Sequence[Any], tanh: Callable[[Any], Any], relu: Callable[[Any], Any]) -> Any:
    """Squared error of a 3-11-17-1 network on four samples, one scalar operation at a time (2,019 of them)."""
    total = None
    for sample, target in zip(numbers.SCALAR_SAMPLES, numbers.SCALAR_TARGETS, strict=True):
        values: list[Any] = list(sample)
        weight = iter(weights)
        for width, activation in zip(numbers.SCALAR_NET[1:], (tanh, relu, None), strict=True):
            sums = [neuron(values, weight) for _ in range(width)]
            values = [activation(value) for value in sums] if activation else sums
        error = (values[0] - target) ** 2
        total = error if total is None else total + error
    return total


def neuron(values: list[Any], weight: Any) -> Any:
    """The bias is the last of a neuron's weights."""
    products = [next(weight) * value for value in values]
    total = next(weight)
    for product in products:
        total = total + product
    return total


def scalar_graph(lib: Any, device: str) -> Run:
    """W1."""
    leaves = [lib.tensor(value, requires_grad=True, device=device) for value in numbers.scalar_weights()]

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        loss = scalar_loss(leaves, lib.tanh, lib.relu)
        loss.backward()
        return loss

    return Run(step, lambda: [leaf.grad for leaf in leaves])


def mixed_chain(lib: Any, relu: Callable[[Any], Any], a: Any, b: Any, c: Any) -> Any:
    """1,000 operations whose values and gradients stay at ordinary sizes."""
    x = a
    for _ in range(100):
        x = x * a
        x = x + b
        x = lib.tanh(x)
        x = x * 2.0
        x = lib.sin(x)
        x = x - c
        x = lib.exp(x)
        x = 1.5 - x
        x = relu(x)
        x = x / 0.75
    return x


def chain(lib: Any, device: str) -> Run:
    """W2."""
    leaves = [lib.tensor(array, requires_grad=True, device=device) for array in numbers.leaves_of_chain()]

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        loss = mixed_chain(lib, lib.relu, *leaves).sum()
        loss.backward()
        return loss

    return Run(step, lambda: [leaf.grad for leaf in leaves])


def long_chain(lib: Any, device: str) -> Run:
    """W3."""
    leaf = lib.tensor([0.99999], requires_grad=True, device=device)

    def step() -> Any:
        leaf.grad = None
        x = leaf
        for _ in range(50_000):
            x = x * leaf
            x = x + 1e-6
        x.backward()
        return x

    return Run(step, lambda: [leaf.grad])


def perceptron(lib: Any, sizes: tuple[int, ...], activation: str, device: str) -> Any:
    """A multilayer perceptron with the seeded weights."""
    layers: list[Any] = []
    for wide, narrow in pairwise(sizes):
        layers += [lib.nn.Linear(wide, narrow), getattr(lib.nn, activation)()]
    net = lib.nn.Sequential(*layers[:-1]).to(device)
    with lib.no_grad():
        for parameter, array in zip(net.parameters(), numbers.weights(sizes), strict=True):
            parameter.copy_(lib.tensor(array, device=device))
    return net


def training(lib: Any, device: str, sizes: tuple[int, ...], count: int, optimizer: Callable[[Any], Any]) -> Run:
    """A training step of a classifier on one batch."""
    net = perceptron(lib, sizes, "ReLU", device)
    optimize = optimizer(net.parameters())
    inputs, labels = (lib.tensor(array, device=device) for array in numbers.batch(count, sizes[0], sizes[-1]))

    def step() -> Any:
        optimize.zero_grad()
        loss = lib.nn.functional.cross_entropy(net(inputs), labels)
        loss.backward()
        optimize.step()
        return loss

    return Run(step, lambda: list(net.parameters()))


def image_training(lib: Any, device: str, net: Any, shape: tuple[int, ...], optimizer: Callable[[Any], Any]) -> Run:
    """A training step of a classifier of images on one batch."""
    net.to(device)
    kernels = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    with lib.no_grad():
        for kernel, array in zip(kernels, numbers.weights_of([tuple(k.shape) for k in kernels]), strict=True):
            kernel.copy_(lib.tensor(array, device=device))
        for parameter in net.parameters():
            if parameter.ndim == 1:
                parameter.fill_(0.5)
    optimize = optimizer(net.parameters())
    pixels, labels = numbers.batch(shape[0], prod(shape[1:]), 10)
    inputs, targets = lib.tensor(pixels.reshape(shape), device=device), lib.tensor(labels, device=device)

    def step() -> Any:
        optimize.zero_grad()
        loss = lib.nn.functional.cross_entropy(net(inputs), targets)
        loss.backward()
        optimize.step()
        return loss

    return Run(step, lambda: list(net.parameters()))


def lenet(lib: Any, device: str) -> Run:
    """W6."""
    nn = lib.nn
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )
    return image_training(lib, device, net, (64, 1, 28, 28), lambda params: lib.optim.Adam(params, lr=ADAM_RATE))


def deep_convolutions(lib: Any, device: str) -> Run:
    """W7."""
    nn = lib.nn
    layers: list[Any] = []
    for channels in (3, 64, 64, 64, 64):
        layers += [nn.Conv2d(channels, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU()]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    return image_training(lib, device, net, (16, 3, 32, 32), lambda params: lib.optim.SGD(params, lr=SGD_RATE))


def small_training(lib: Any, device: str) -> Run:
    """W4."""
    return training(lib, device, (64, 128, 10), 32, lambda params: lib.optim.SGD(params, lr=SGD_RATE))


def large_training(lib: Any, device: str) -> Run:
    """W5."""
    return training(lib, device, (784, 512, 512, 10), 128, lambda params: lib.optim.Adam(params, lr=ADAM_RATE))


def recurrent(lib: Any, device: str, steps: int, count: int, features: int, units: int) -> Run:
    """W8, W8s: a training step of an LSTM whose outputs shall be 0."""
    array, arrays = numbers.sequences(steps, count, features, units)
    inputs, net = lib.tensor(array, device=device), lib.nn.LSTM(features, units).to(device)
    with lib.no_grad():
        for parameter, value in zip(net.parameters(), arrays, strict=True):
            parameter.copy_(lib.tensor(value, device=device))
    optimizer = lib.optim.Adam(net.parameters(), lr=ADAM_RATE)

    def step() -> Any:
        optimizer.zero_grad()
        outputs, _ = net(inputs)
        loss = (outputs * outputs).mean()
        loss.backward()
        optimizer.step()
        return loss

    return Run(step, lambda: list(net.parameters()))


def language_model(lib: Any, device: str) -> Run:
    """W9: a training step of a small GPT."""
    tokens, targets = (lib.tensor(array, device=device) for array in numbers.text(16, 64, 65))
    net = models.gpt(lib, 65, 64, layers=4, heads=4, width=128).to(device)
    arrays = numbers.like([tuple(parameter.shape) for parameter in net.parameters()])
    with lib.no_grad():
        for parameter, value in zip(net.parameters(), arrays, strict=True):
            parameter.copy_(lib.tensor(value, device=device))
    optimizer = lib.optim.Adam(net.parameters(), lr=ADAM_RATE)

    def step() -> Any:
        optimizer.zero_grad()
        loss = net(tokens, targets)
        loss.backward()
        optimizer.step()
        return loss

    return Run(step, lambda: list(net.parameters()))


def big_training(lib: Any, device: str, optimizer: Callable[[Any], Any]) -> Run:
    """M1, M2: 50 million parameters, so that each array that lives too long shows in the peak of memory."""
    return training(lib, device, (4096, 4096, 4096, 4096, 10), 256, optimizer)


def adam_steps(lib: Any, device: str, shapes: Sequence[tuple[int, ...]]) -> Run:
    """W12, W12s: steps of an optimizer alone, on parameters whose gradients stay."""
    parameters, gradients = numbers.parameters_with_gradients(shapes)
    leaves = [lib.tensor(array, requires_grad=True, device=device) for array in parameters]
    for leaf, gradient in zip(leaves, gradients, strict=True):
        leaf.grad = lib.tensor(gradient, device=device)
    optimizer = lib.optim.Adam(leaves, lr=ADAM_RATE)

    def step() -> Any:
        optimizer.step()
        return leaves[0]

    return Run(step, lambda: leaves)


def matmul(lib: Any, device: str) -> Run:
    """W13."""
    a, b, gradient = (lib.tensor(array, device=device) for array in numbers.square_matrices(1024))
    a.requires_grad_()
    b.requires_grad_()

    def step() -> Any:
        a.grad = b.grad = None
        product = a @ b
        product.backward(gradient)
        return product

    return Run(step, lambda: [a.grad, b.grad])


def elementwise(lib: Any, device: str, function: Callable[[Any], Any]) -> Run:
    """W10, W10a: the mean of a function of ten million numbers, and its gradient."""
    x = lib.tensor(numbers.many(10_000_000), device=device, requires_grad=True)

    def step() -> Any:
        x.grad = None
        loss = function(x).mean()
        loss.backward()
        return loss

    return Run(step, lambda: [x.grad])


def classification(lib: Any, device: str) -> Run:
    """W11."""
    array, classes = numbers.batch(4096, 1000, 1000)
    logits, labels = lib.tensor(array, device=device, requires_grad=True), lib.tensor(classes, device=device)

    def step() -> Any:
        logits.grad = None
        loss = lib.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        return loss

    return Run(step, lambda: [logits.grad])


def embedding(lib: Any, device: str) -> Run:
    """W15."""
    table, indices = numbers.embedding(50_000, 128, 16_384)
    weight, places = lib.tensor(table, device=device, requires_grad=True), lib.tensor(indices, device=device)
    gradient = lib.ones(len(indices), 128, device=device)

    def step() -> Any:
        weight.grad = None
        found = lib.nn.functional.embedding(places, weight)
        found.backward(gradient)
        return found

    return Run(step, lambda: [weight.grad])


def inference(lib: Any, device: str, count: int) -> Run:
    """The forward pass alone, nothing recorded."""
    net = perceptron(lib, (784, 512, 512, 10), "ReLU", device)
    inputs = lib.tensor(numbers.batch(count, 784)[0], device=device)

    def step() -> Any:
        with lib.no_grad():
            return net(inputs)

    return Run(step)


def digits_to_97_percent(lib: Any, device: str) -> Run:
    """W17."""
    data = numbers.digits()
    train = lib.utils.data.TensorDataset(lib.tensor(data.inputs), lib.tensor(data.labels))
    held_out = lib.tensor(data.held_out_inputs, device=device)
    held_out_labels = lib.tensor(data.held_out_labels, device=device)

    def step() -> tuple[int, float]:
        net = perceptron(lib, (64, 128, 10), "ReLU", device)
        optimizer = lib.optim.SGD(net.parameters(), lr=DIGITS_RATE, momentum=DIGITS_MOMENTUM)
        order = numbers.EpochOrders(len(train))
        loader = lib.utils.data.DataLoader(train, batch_size=DIGITS_BATCH, sampler=order)
        epoch, accuracy = 0, 0.0
        while accuracy < DIGITS_GOAL and epoch < MOST_EPOCHS:
            epoch += 1
            for inputs, labels in loader:
                optimizer.zero_grad()
                lib.nn.functional.cross_entropy(net(inputs.to(device)), labels.to(device)).backward()
                optimizer.step()
            with lib.no_grad():
                accuracy = (net(held_out).argmax(dim=1) == held_out_labels).float().mean().item()
        return epoch, accuracy

    return Run(step)


def second_order(lib: Any, device: str) -> Run:
    """W18."""
    net = perceptron(lib, (32, 64, 64, 1), "Tanh", device)
    parameters = list(net.parameters())
    inputs = lib.tensor(numbers.batch(64, 32)[0], device=device)

    def step() -> Any:
        for parameter in parameters:
            parameter.grad = None
        out = net(inputs)
        gradients = lib.autograd.grad((out * out).mean(), parameters, create_graph=True)
        squared_norm = sum((gradient * gradient).sum() for gradient in gradients)
        squared_norm.backward()
        return squared_norm

    return Run(step, lambda: [parameter.grad for parameter in parameters])


WORKLOADS: dict[str, Callable[[Any, str], Run]] = {
    "W1": scalar_graph,
    "W2": chain,
    "W3": long_chain,
    "W4": small_training,
    "W5": large_training,
    "W6": lenet,
    "W7": deep_convolutions,
    "W8": lambda lib, device: recurrent(lib, device, 50, 32, 64, 128),
    "W8s": lambda lib, device: recurrent(lib, device, 20, 8, 16, 32),
    "W9": language_model,
    "W10": lambda lib, device: elementwise(lib, device, lambda x: lib.exp(lib.tanh(lib.nn.functional.gelu(x)))),
    "W10a": lambda lib, device: elementwise(lib, device, lambda x: lib.relu(2 * x + 1) * x),
    "W11": classification,
    "W12": lambda lib, device: adam_steps(lib, device, numbers.MANY_BIG),
    "W12s": lambda lib, device: adam_steps(lib, device, numbers.MANY_SMALL),
    "W13": matmul,
    "W15": embedding,
    "W16": lambda lib, device: inference(lib, device, 128),
    "W16s": lambda lib, device: inference(lib, device, 1),
    "W17": digits_to_97_percent,
    "W18": second_order,
    "M1": lambda lib, device: big_training(lib, device, lambda p: lib.optim.SGD(p, lr=SGD_RATE, momentum=0.9)),
    "M2": lambda lib, device: big_training(lib, device, lambda p: lib.optim.Adam(p, lr=ADAM_RATE)),
}
