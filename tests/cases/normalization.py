"""Cases of normalisation, by the batch, the layer, groups of channels or running statistics, and of dropout."""

from __future__ import annotations

from typing import Any

from .table import Case, Draw, Inputs, cases, inputs


def functional(name: str, *args: Any, **options: Any) -> Any:
    """The function of nn.functional with these options."""
    return lambda lib, x: getattr(lib.nn.functional, name)(x, *args, **options)


def affine(name: str, *args: Any, **options: Any) -> Any:
    """The same with a weight and a bias."""
    return lambda lib, x, w, b: getattr(lib.nn.functional, name)(x, *args, weight=w, bias=b, **options)


def with_running(name: str, **options: Any) -> Any:
    """The result, and the running statistics as they are afterwards."""

    def run(lib: Any, x: Any, w: Any, b: Any, mean: Any, var: Any) -> Any:
        mean, var = mean * 1, var * 1
        return getattr(lib.nn.functional, name)(x, mean, var, w, b, **options), mean, var

    return run


def with_parameters(*shapes: tuple[int, ...], channels: tuple[int, ...] = (3,)) -> list[Inputs]:
    """Inputs with weights and biases."""
    return [inputs(shape, channels, channels) for shape in shapes]


def with_statistics(*shapes: tuple[int, ...]) -> list[Inputs]:
    """Inputs with weights, biases and running statistics, by which there is no derivative."""
    running = (Draw((3,), grad=False), Draw((3,), "positive", grad=False))
    return [(*inputs(shape, (3,), (3,)), *running) for shape in shapes]


BATCHES = [inputs((4, 3)), inputs((2, 3, 4)), inputs((3, 3, 2, 2)), inputs((0, 3)), inputs((2, 3, 0))]
VIEWS = [inputs((3, 4), layout="transposed"), inputs((2, 3, 4), layout="strided")]
PLACES = [inputs((2, 4, 3)), inputs((1, 4, 2, 2)), inputs((3, 4, 3), layout="strided"), inputs((0, 4, 2))]

CASES: list[Case] = [
    *cases(
        "batch_norm",
        {"batch_norm(x, None, None, training=True)": functional("batch_norm", None, None, training=True)},
        [*BATCHES, *VIEWS],
    ),
    *cases(
        "batch_norm",
        {"batch_norm(x, None, None, w, b, True)": affine("batch_norm", None, None, training=True, eps=0.1)},
        with_parameters((4, 3), (2, 3, 4), (0, 3)),
    ),
    *cases(
        "batch_norm",
        {
            "trained": with_running("batch_norm", training=True, momentum=0.3),
            "by running statistics": with_running("batch_norm"),
        },
        with_statistics((4, 3), (2, 3, 4), (1, 3, 2, 2)),
    ),
    *cases("instance_norm", {"instance_norm(x)": functional("instance_norm")}, PLACES),
    *cases(
        "instance_norm", {"instance_norm(x, weight=w, bias=b)": affine("instance_norm")}, with_parameters((2, 3, 4))
    ),
    *cases(
        "instance_norm",
        {
            "trained": with_running("instance_norm", momentum=0.3),
            "by running statistics": with_running("instance_norm", use_input_stats=False),
        },
        with_statistics((2, 3, 4), (1, 3, 2, 2)),
    ),
    *cases(
        "group_norm",
        {"group_norm(x, 2)": functional("group_norm", 2), "group_norm(x, 1)": functional("group_norm", 1, eps=0.1)},
        [*PLACES, inputs((3, 4))],
    ),
    *cases(
        "group_norm", {"group_norm(x, 2, w, b)": affine("group_norm", 2)}, with_parameters((2, 4, 3), channels=(4,))
    ),
    *cases(
        "layer_norm",
        {"layer_norm(x, (4,))": functional("layer_norm", (4,))},
        [inputs((3, 4)), inputs((4,)), inputs((2, 3, 4), layout="strided"), inputs((0, 4))],
    ),
    *cases(
        "layer_norm",
        {"layer_norm(x, (3, 2), w, b)": affine("layer_norm", (3, 2), eps=0.1)},
        [inputs((4, 3, 2), (3, 2), (3, 2))],
    ),
    *cases(
        "rms_norm",
        {
            "rms_norm(x, (4,))": functional("rms_norm", (4,)),
            "rms_norm(x, [4], eps=1)": functional("rms_norm", [4], eps=1.0),
        },
        [inputs((3, 4)), inputs((4,)), inputs((2, 3, 4), layout="strided"), inputs((0, 4))],
    ),
    *cases(
        "rms_norm",
        {"rms_norm(x, (3, 2), w)": lambda lib, x, w: lib.nn.functional.rms_norm(x, (3, 2), w)},
        [inputs((4, 3, 2), (3, 2))],
    ),
    *cases(
        "local_response_norm",
        {
            "local_response_norm(x, 2)": functional("local_response_norm", 2),
            "local_response_norm(x, 3, 1, 0.5, 2)": functional("local_response_norm", 3, 1.0, 0.5, 2.0),
        },
        [inputs((2, 4, 3)), inputs((1, 4, 2, 2)), inputs((0, 4, 2))],
    ),
    *cases("dropout", {"dropout(x, 1)": functional("dropout", 1.0)}, [inputs((2, 3)), inputs((0, 3)), *VIEWS]),
    *cases("dropout2d", {"dropout2d(x, 1)": functional("dropout2d", 1.0)}, [inputs((2, 3, 2, 2))]),
    *cases("alpha_dropout", {"alpha_dropout(x, 1, True)": functional("alpha_dropout", 1.0, True)}, [inputs((2, 3))]),
]
