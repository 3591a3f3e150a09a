"""Shapes that do not fit a layer: the error has the layer's path in its model, what it takes and what came."""

from __future__ import annotations

from typing import Any

import pytest

import tinygrad_dl as tg
from tinygrad_dl import nn
from tinygrad_dl.errors import TinygradError

torch = pytest.importorskip("torch")

LABELS = "labels out of range"

# (layer, its arguments, the shapes of what comes)
CASES: list[tuple[str, tuple[Any, ...], list[Any]]] = [
    ("Linear", (3, 4), [(2, 5)]),
    ("Bilinear", (3, 4, 2), [(2, 3), (2, 5)]),
    ("Embedding", (3, 2), [LABELS]),
    ("EmbeddingBag", (3, 2), [LABELS]),
    ("Conv1d", (3, 4, 2), [(2, 5, 6)]),
    ("Conv2d", (3, 4, 2), [(2, 5, 6, 6)]),
    ("Conv3d", (3, 4, 2), [(2, 5, 6, 6, 6)]),
    ("ConvTranspose1d", (3, 4, 2), [(2, 5, 6)]),
    ("ConvTranspose2d", (3, 4, 2), [(2, 5, 6, 6)]),
    ("ConvTranspose3d", (3, 4, 2), [(2, 5, 6, 6, 6)]),
    ("BatchNorm1d", (3,), [(2, 5)]),
    ("BatchNorm2d", (3,), [(2, 5, 4, 4)]),
    ("BatchNorm3d", (3,), [(2, 3, 4, 4)]),
    ("InstanceNorm1d", (3,), [(5,)]),
    ("InstanceNorm2d", (3,), [(2, 3)]),
    ("InstanceNorm3d", (3,), [(2, 3)]),
    ("LayerNorm", (3,), [(2, 5)]),
    ("GroupNorm", (2, 4), [(2, 6, 3)]),
    ("RMSNorm", (3,), [(2, 5)]),
    ("LocalResponseNorm", (2,), [(3,)]),
    ("MaxPool1d", (2,), [(4,)]),
    ("MaxPool2d", (2,), [(4,)]),
    ("MaxPool3d", (2,), [(4,)]),
    ("AvgPool1d", (2,), [(4,)]),
    ("AvgPool2d", (2,), [(4,)]),
    ("AvgPool3d", (2,), [(4,)]),
    ("LPPool1d", (2, 2), [(4,)]),
    ("LPPool2d", (2, 2), [(4,)]),
    ("AdaptiveAvgPool1d", (2,), [(4,)]),
    ("AdaptiveAvgPool2d", (2,), [(4,)]),
    ("AdaptiveAvgPool3d", (2,), [(4,)]),
    ("AdaptiveMaxPool1d", (2,), [(4,)]),
    ("AdaptiveMaxPool2d", (2,), [(4,)]),
    ("AdaptiveMaxPool3d", (2,), [(4,)]),
    ("FractionalMaxPool2d", (2, 3), [(4,)]),
    ("ReflectionPad1d", (4,), [(2, 3, 3)]),
    ("ReflectionPad2d", (4,), [(2, 3, 3, 3)]),
    ("ReflectionPad3d", (4,), [(2, 3, 3, 3, 3)]),
    ("ReplicationPad1d", (1,), [(4,)]),
    ("ReplicationPad2d", (1,), [(4,)]),
    ("CircularPad1d", (5,), [(2, 3, 3)]),
    ("CircularPad2d", (5,), [(2, 3, 3, 3)]),
    ("ConstantPad1d", (-4, 0.0), [(2, 3, 3)]),
    ("ZeroPad2d", (-4,), [(2, 3, 3)]),
    ("PixelShuffle", (2,), [(1, 3, 2, 2)]),
    ("PixelUnshuffle", (2,), [(1, 3, 3, 3)]),
    ("ChannelShuffle", (2,), [(1, 3, 2, 2)]),
    ("Upsample", (4,), [(3,)]),
    ("UpsamplingNearest2d", (4,), [(3,)]),
    ("UpsamplingBilinear2d", (4,), [(3,)]),
    ("Fold", ((4, 4), 2), [(1, 3, 2)]),
    ("Unfold", (2,), [(3,)]),
    ("Unflatten", (1, (2, 3)), [(2, 5)]),
    ("Flatten", (3,), [(2, 3)]),
    ("PReLU", (3,), [(2, 4)]),
    ("GLU", (), [(2, 3)]),
    ("Softmax2d", (), [(2, 3)]),
    ("Softmax", (3,), [(2, 3)]),
    ("LogSoftmax", (3,), [(2, 3)]),
    ("Softmin", (3,), [(2, 3)]),
    ("Dropout2d", (), [(3,)]),
    ("Dropout1d", (), [(3,)]),
    ("Dropout3d", (), [(3,)]),
    ("RNN", (3, 4), [(2, 5, 7)]),
    ("LSTM", (3, 4), [(2, 5, 7)]),
    ("GRU", (3, 4), [(2, 5, 7)]),
    ("RNNCell", (3, 4), [(2, 7)]),
    ("LSTMCell", (3, 4), [(2, 7)]),
    ("GRUCell", (3, 4), [(2, 7)]),
    ("MultiheadAttention", (4, 2), [(2, 3, 5), (2, 3, 5), (2, 3, 5)]),
    ("TransformerEncoderLayer", (4, 2, 8), [(2, 3, 5)]),
    ("TransformerDecoderLayer", (4, 2, 8), [(2, 3, 5), (2, 3, 5)]),
    ("Transformer", (4, 2, 1, 1, 8), [(2, 3, 5), (2, 3, 5)]),
    ("CosineSimilarity", (), [(2, 3), (2, 4)]),
    ("PairwiseDistance", (), [(2, 3), (2, 4)]),
    ("MSELoss", (), [(2, 3), (4, 5)]),
    ("L1Loss", (), [(2, 3), (4, 5)]),
    ("SmoothL1Loss", (), [(2, 3), (4, 5)]),
    ("HuberLoss", (), [(2, 3), (4, 5)]),
    ("BCELoss", (), [(2, 3), (2, 4)]),
    ("BCEWithLogitsLoss", (), [(2, 3), (2, 4)]),
    ("CrossEntropyLoss", (), [(2, 3), LABELS]),
    ("NLLLoss", (), [(2, 3), LABELS]),
    ("KLDivLoss", (), [(2, 3), (4, 5)]),
    ("PoissonNLLLoss", (), [(2, 3), (4, 5)]),
    ("GaussianNLLLoss", (), [(2, 3), (2, 3), (5,)]),
    ("HingeEmbeddingLoss", (), [(2, 3), (4, 5)]),
    ("MarginRankingLoss", (), [(2,), (3,), (2,)]),
    ("CosineEmbeddingLoss", (), [(2, 3), (2, 4), (2,)]),
    ("TripletMarginLoss", (), [(2, 3), (2, 4), (2, 3)]),
    ("MultiMarginLoss", (), [(2, 3), LABELS]),
    ("MultiLabelMarginLoss", (), [(2, 3), LABELS]),
    ("MultiLabelSoftMarginLoss", (), [(2, 3), (4, 5)]),
    ("SoftMarginLoss", (), [(2, 3), (4, 5)]),
    ("CrossMapLRN2d", (2,), [(3,)]),
    ("LinearCrossEntropyLoss", (3, 4), [(5, 2), LABELS]),
    ("CTCLoss", (), [(3, 4), LABELS, LABELS, LABELS]),
    ("FractionalMaxPool3d", (2, 3), [(4,)]),
    ("LPPool3d", (2, 2), [(4,)]),
    ("MaxUnpool1d", (2,), [(4,), LABELS]),
    ("MaxUnpool2d", (2,), [(4,), LABELS]),
    ("MaxUnpool3d", (2,), [(4,), LABELS]),
    ("ReplicationPad3d", (1,), [(4,)]),
    ("CircularPad3d", (5,), [(2, 3, 3, 3, 3)]),
    ("ConstantPad2d", (-4, 0.0), [(2, 3, 3)]),
    ("ConstantPad3d", (-4, 0.0), [(2, 3, 3, 3)]),
    ("ZeroPad1d", (-4,), [(2, 3, 3)]),
    ("ZeroPad3d", (-4,), [(2, 3, 3, 3)]),
    ("NLLLoss2d", (), [(2, 3, 2, 2), LABELS]),
    ("TripletMarginWithDistanceLoss", (), [(2, 3), (2, 4), (2, 3)]),
    ("AdaptiveLogSoftmaxWithLoss", (3, 6, [2]), [(2, 5), LABELS]),
]

# What takes every shape, or can't be called with what does not fit.
ELEMENTWISE = (
    "CELU ELU GELU Hardshrink Hardsigmoid Hardswish Hardtanh Identity LeakyReLU LogSigmoid Mish RReLU ReLU ReLU6 SELU "
    "SiLU Sigmoid Softplus Softshrink Softsign Tanh Tanhshrink Threshold Dropout AlphaDropout FeatureAlphaDropout "
    # elementwise, but of the first dimensions
    "Dropout1d Dropout2d Dropout3d "
    # hold other modules or parameters
    "Container DataParallel Module ModuleDict ModuleList ParameterDict ParameterList Sequential TransformerDecoder "
    "TransformerEncoder "
    # bases, and what PyTorch has for itself
    "RNNBase RNNCellBase SyncBatchNorm"
).split()


def given(shape: Any) -> tg.Tensor:
    return tg.tensor([7, 7]) if shape == LABELS else tg.ones(*shape)


class Net(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({"inner": nn.ModuleList([nn.ReLU(), layer])})

    def forward(self, *inputs: Any) -> Any:
        return self.parts["inner"][1](*inputs)


@pytest.mark.parametrize(("name", "arguments", "shapes"), CASES, ids=[case[0] for case in CASES])
def test_an_error_has_the_path_of_its_layer(name: str, arguments: Any, shapes: Any) -> None:
    if not hasattr(nn, name):
        pytest.skip("not built yet")
    with pytest.raises(TinygradError) as raised:
        Net(getattr(nn, name)(*arguments))(*map(given, shapes))
    message = str(raised.value)
    path, _, rest = message.partition("[in ")[2].partition(": ")
    assert path.startswith("parts.inner.1")  # or of a layer in it
    if path == "parts.inner.1":
        came = ", ".join(f"shape {tuple(x.shape)} of {str(x.dtype).partition('.')[2]}" for x in map(given, shapes))
        assert rest.startswith(name) and rest.endswith(f"called with {came}]")


def test_the_table_has_all_layers() -> None:
    layers = {
        n for n, value in vars(torch.nn).items() if isinstance(value, type) and issubclass(value, torch.nn.Module)
    }
    known = {case[0] for case in CASES} | set(ELEMENTWISE)
    assert sorted(name for name in layers - known if not name.startswith("Lazy")) == []


def test_arguments_by_name_are_shown_as_well() -> None:
    with pytest.raises(TinygradError, match=r"called with shape \(2, 5\) of float32\]"):
        nn.Linear(3, 4)(input=tg.ones(2, 5))
