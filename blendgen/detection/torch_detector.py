"""Torch detector: a backbone and an SSDLite head as layers that torch trains, and back.

In: the Blocks of a backbone, or Layers. Out: TorchDetector, from (n, 3, side, side) levels from 0 to 1 to
offsets from the anchors, (n, a, 4), and scores of the background and the classes, (n, a, c + 1); and Layers
again, from which graph.py makes an ONNX model that computes the same within rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from blendgen.detection.anchors import PER_CELL
from blendgen.detection.layers import BOX_VALUES, Chain, Layers, feature_widths, head_width, tapped
from blendgen.learn.backbones import Preprocessing
from blendgen.learn.network import Block, Conv, Norm
from blendgen.learn.torch_network import TorchConv, TorchNetwork

_EPSILON, _MOMENTUM, _INITIAL_SPREAD = 1e-3, 0.03, 0.03  # source: torchvision, ssdlite.py


class TorchDetector(nn.Module):
    """layers: with the weights to start from"""

    def __init__(self, layers: Layers, pads_like_tensorflow: bool, expected: Preprocessing):
        super().__init__()
        self.pads_like_tensorflow = pads_like_tensorflow
        self.network = TorchNetwork(layers.blocks, pads_like_tensorflow)
        self._tapped = tapped(layers.blocks)
        self.extras = nn.ModuleList(self._chain(convs) for convs in layers.extras)
        self.boxes = nn.ModuleList(self._chain(convs) for convs in layers.boxes)
        self.classes = nn.ModuleList(self._chain(convs) for convs in layers.classes)
        self._mean, self._spread = (
            torch.tensor(values).reshape(1, 3, 1, 1) / 255 for values in (expected.mean, expected.spread)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        normalised = (images - self._mean.to(images.device)) / self._spread.to(images.device)
        features = self._features(normalised.contiguous(memory_format=torch.channels_last))
        return _flat(features, self.boxes, BOX_VALUES), _flat(features, self.classes, self._width)

    def heads(self) -> list[nn.Module]:
        """What starts with random weights."""
        return [self.extras, self.boxes, self.classes]

    def trained(self) -> Layers:
        """The layers with the weights as they are now."""
        extras, boxes, classes = (
            tuple(map(_trained, one)) for one in (self.extras, self.boxes, self.classes)
        )
        return Layers(tuple(self.network.trained()), extras, boxes, classes)

    @property
    def _width(self) -> int:
        chain: Any = self.classes[0]
        last = chain[-1]
        return int(last.conv.out_channels) // PER_CELL

    def _chain(self, convs: Chain) -> nn.Sequential:
        made = [TorchConv(conv, self.pads_like_tensorflow) for conv in convs]
        for one in made:
            one.norm.momentum = _MOMENTUM
        return nn.Sequential(*made[:-1], made[-1] if convs[-1].is_clipped else _Last(made[-1]))

    def _features(self, images: Tensor) -> list[Tensor]:
        value, features = images, []
        blocks: Any = self.network.blocks  # torch does not know what is in them
        for number, (block, source) in enumerate(zip(blocks, self.network.source, strict=True)):
            first = block[0](value)
            if number in self._tapped:
                features.append(first)
            result = block[1:](first)
            value = value + result if source.is_residual else result
        features.append(value)
        for extra in self.extras:
            features.append(extra(features[-1]))
        return features


class _Last(nn.Module):
    """A convolution of single pixels whose normalisation is no more than a bias."""

    def __init__(self, source: TorchConv):
        super().__init__()
        kernel = source.conv.weight
        self.source = source.source
        self.conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], 1)
        self.conv.load_state_dict({"weight": kernel.detach(), "bias": source.norm.bias.detach()})

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images)  # type: ignore[no-any-return]

    def trained(self) -> Conv:
        kernel, bias = (value.detach().cpu().numpy().copy() for value in self.conv.parameters())
        return Conv(kernel, _bias_norm(bias), 1, False)


def new_layers(blocks: Sequence[Block], classes: int, generator: Generator) -> Layers:
    """The backbone with a head of random weights."""
    widths = feature_widths(blocks)

    def conv(outputs: int, inputs: int, size: int, stride: int = 1, is_last: bool = False) -> Conv:
        kernel = torch.randn((outputs, inputs, size, size), generator=generator) * _INITIAL_SPREAD
        norm = _bias_norm(np.zeros(outputs, np.float32)) if is_last else _new_norm(outputs)
        return Conv(kernel.numpy(), norm, stride, not is_last)

    def extra(inputs: int, outputs: int) -> Chain:
        inner = outputs // 2
        return conv(inner, inputs, 1), conv(inner, 1, 3, 2), conv(outputs, inner, 1)

    def head(width: int) -> tuple[Chain, ...]:
        return tuple((conv(own, 1, 3), conv(width, own, 1, is_last=True)) for own in widths)

    extras = tuple(map(extra, widths[-3:-1], widths[-2:]))
    return Layers(tuple(blocks), extras, head(PER_CELL * BOX_VALUES), head(head_width(classes)))


def _flat(features: Sequence[Tensor], chains: nn.ModuleList, width: int) -> Tensor:
    parts = [chain(own).permute(0, 2, 3, 1) for chain, own in zip(chains, features, strict=True)]
    return torch.cat([part.reshape(len(part), -1, width) for part in parts], dim=1)


def _trained(chain: Any) -> Chain:
    return tuple(one.trained() for one in chain)


def _new_norm(width: int) -> Norm:
    one, zero = np.ones(width, np.float32), np.zeros(width, np.float32)
    return Norm(one, zero, zero, one, _EPSILON)


def _bias_norm(bias: np.ndarray) -> Norm:
    one, zero = np.ones(len(bias), np.float32), np.zeros(len(bias), np.float32)
    return Norm(one, bias, zero, one, 0.0)
