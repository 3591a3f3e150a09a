"""A residual network and a U-Net, written as for PyTorch, from the same weights in both libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_dl as tg


def residual_network(torch: Any) -> Any:
    """A small ResNet-18: a stem, four stages of basic blocks, a classifier."""
    nn, F = torch.nn, torch.nn.functional

    class BasicBlock(nn.Module):
        def __init__(self, in_planes: int, planes: int, stride: int = 1) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(planes)
            self.relu = nn.ReLU(inplace=True)
            self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(planes)
            self.downsample = None
            if stride != 1 or in_planes != planes:
                self.downsample = nn.Sequential(
                    nn.Conv2d(in_planes, planes, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(planes)
                )

        def forward(self, x: Any) -> Any:
            identity = x if self.downsample is None else self.downsample(x)
            out = self.relu(self.bn1(self.conv1(x)))
            out = self.bn2(self.conv2(out))
            out += identity
            return self.relu(out)

    class ResNet(nn.Module):
        def __init__(self, layers: list[int], num_classes: int = 5) -> None:
            super().__init__()
            self.in_planes = 4
            self.conv1 = nn.Conv2d(3, 4, kernel_size=7, stride=2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(4)
            self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
            self.layer1 = self._make_layer(4, layers[0])
            self.layer2 = self._make_layer(8, layers[1], stride=2)
            self.layer3 = self._make_layer(12, layers[2], stride=2)
            self.layer4 = self._make_layer(16, layers[3], stride=2)
            self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
            self.fc = nn.Linear(16, num_classes)
            for m in self.modules():
                if isinstance(m, nn.Conv2d):
                    nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
                elif isinstance(m, nn.BatchNorm2d):
                    nn.init.constant_(m.weight, 1)
                    nn.init.constant_(m.bias, 0)

        def _make_layer(self, planes: int, blocks: int, stride: int = 1) -> Any:
            layers = [BasicBlock(self.in_planes, planes, stride)]
            self.in_planes = planes
            layers += [BasicBlock(planes, planes) for _ in range(1, blocks)]
            return nn.Sequential(*layers)

        def forward(self, x: Any) -> Any:
            x = F.relu(self.bn1(self.conv1(x)))
            x = self.maxpool(x)
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return self.fc(torch.flatten(self.avgpool(x), 1))

    return ResNet([2, 2, 2, 2])


def u_net(torch: Any, bilinear: bool) -> Any:
    """A U-Net of two levels, which resizes or has transposed convolutions on the way up."""
    nn, F = torch.nn, torch.nn.functional

    class DoubleConv(nn.Sequential):
        def __init__(self, in_channels: int, out_channels: int) -> None:
            super().__init__(
                nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, padding_mode="reflect", bias=False),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(inplace=True),
                nn.Conv2d(out_channels, out_channels, kernel_size=3, padding="same"),
                nn.GroupNorm(2, out_channels),
                nn.LeakyReLU(0.1, inplace=True),
            )

    class Up(nn.Module):
        def __init__(self, in_channels: int, out_channels: int) -> None:
            super().__init__()
            if bilinear:
                self.up = nn.Sequential(
                    nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
                    nn.Conv2d(in_channels, out_channels, 1),
                )
            else:
                self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
            self.conv = DoubleConv(2 * out_channels, out_channels)

        def forward(self, x1: Any, x2: Any) -> Any:
            x1 = self.up(x1)
            diff_y = x2.size()[2] - x1.size()[2]
            diff_x = x2.size()[3] - x1.size()[3]
            x1 = F.pad(x1, [diff_x // 2, diff_x - diff_x // 2, diff_y // 2, diff_y - diff_y // 2])
            return self.conv(torch.cat([x2, x1], dim=1))

    class UNet(nn.Module):
        def __init__(self, n_channels: int, n_classes: int) -> None:
            super().__init__()
            self.inc = DoubleConv(n_channels, 4)
            self.down1 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(4, 8))
            self.down2 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(8, 16))
            self.up1, self.up2 = Up(16, 8), Up(8, 4)
            self.outc = nn.Conv2d(4, n_classes, kernel_size=1)

        def forward(self, x: Any) -> Any:
            x1 = self.inc(x)
            x2 = self.down1(x1)
            x3 = self.down2(x2)
            return self.outc(self.up2(self.up1(x3, x2), x1))

    return UNet(3, 2)


MODELS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...], tuple[int, ...], int]] = {
    "residual network": (residual_network, (3, 3, 33, 40), (3,), 5),
    "U-Net": (lambda torch: u_net(torch, False), (2, 3, 13, 18), (2, 13, 18), 2),
    "U-Net that resizes": (lambda torch: u_net(torch, True), (2, 3, 13, 18), (2, 13, 18), 2),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_train_as_pytorchs(name: str) -> None:
    """Two steps of training, with a penalty on the input's gradient, then evaluation: all values agree."""
    torch = pytest.importorskip("torch")
    make, shape, label_shape, classes = MODELS[name]
    draw = np.random.default_rng(0)
    pixels, labels = draw.standard_normal(shape), draw.integers(0, classes, label_shape)
    ours, theirs = make(tg).double(), make(torch).double()
    assert repr(ours) == repr(theirs)
    ours.load_state_dict({key: tg.tensor(value.numpy().copy()) for key, value in theirs.state_dict().items()})
    results = []
    for lib, model in ((tg, ours), (torch, theirs)):
        optimizer = lib.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        target, seen = lib.tensor(labels), []
        for _ in range(2):
            x = lib.tensor(pixels, requires_grad=True)
            optimizer.zero_grad()
            loss = lib.nn.functional.cross_entropy(model(x), target)
            (gradient,) = lib.autograd.grad(loss, x, create_graph=True)
            (loss + 10 * (gradient**2).sum()).backward()
            optimizer.step()
            seen += [loss.detach().numpy(), gradient.detach().numpy()]
        seen += [p.grad.numpy() for p in model.parameters()]
        with lib.no_grad():
            seen.append(model.eval()(lib.tensor(pixels)).numpy())
        results.append(seen + [value.numpy() for value in model.state_dict().values()])
    for found, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-9)
