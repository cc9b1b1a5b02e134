"""Torch network: the blocks of a backbone as layers that torch trains, and back.

In: Blocks with their weights, and a LinearHead. Out: TorchClassifier, from (n, 3, side, side) levels from 0
to 1 to scores (n, c), and Blocks and a LinearHead again, from which network.py and classifier_model.py make
an ONNX graph. Both compute the same within rounding. Imported only where torch is needed (extra `learn`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.backbones import Preprocessing
from blendgen.learn.head import LinearHead
from blendgen.learn.network import Block, Conv, Norm


class TorchConv(nn.Module):
    """A convolution, its normalisation, and ReLU6 where the block has it."""

    def __init__(self, conv: Conv, pads_like_tensorflow: bool):
        super().__init__()
        outputs, inputs, kernel, _ = conv.kernel.shape
        self.source, self._pads_like_tensorflow = conv, pads_like_tensorflow
        padding = 0 if pads_like_tensorflow else kernel // 2
        self.conv = nn.Conv2d(
            inputs * conv.groups, outputs, kernel, conv.stride, padding, groups=conv.groups, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs, conv.norm.epsilon)
        self._fill()

    def forward(self, images: Tensor) -> Tensor:
        if self._pads_like_tensorflow:
            images = functional.pad(images, [*self._pads(images.shape[3]), *self._pads(images.shape[2])])
        result = self.norm(self.conv(images))
        return functional.relu6(result) if self.source.is_clipped else result

    def trained(self) -> Conv:
        """The Conv with the weights as they are now."""
        own = self.norm
        parts = (own.weight, own.bias, own.running_mean, own.running_var)
        scale, shift, mean, variance = map(_array, parts)
        norm = Norm(scale, shift, mean, variance, self.source.norm.epsilon)
        return replace(self.source, kernel=_array(self.conv.weight), norm=norm)

    def _pads(self, side: int) -> tuple[int, int]:
        """SAME: the result has side / stride pixels; the odd one is on the right or below."""
        kernel, stride = self.source.kernel.shape[2], self.source.stride
        spare = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        return spare // 2, spare - spare // 2

    def _fill(self) -> None:
        norm = self.source.norm
        values = {
            "conv.weight": self.source.kernel, "norm.weight": norm.weight, "norm.bias": norm.bias,
            "norm.running_mean": norm.mean, "norm.running_var": norm.variance,
        }  # fmt: skip
        filled = {name: torch.tensor(value, dtype=torch.float32) for name, value in values.items()}
        self.load_state_dict(filled | {"norm.num_batches_tracked": torch.tensor(0)})


class TorchNetwork(nn.Module):
    """All blocks, one after the other, and the mean over the image."""

    def __init__(self, blocks: Sequence[Block], pads_like_tensorflow: bool):
        super().__init__()
        self.source = tuple(blocks)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(TorchConv(conv, pads_like_tensorflow) for conv in block.convs))
            for block in blocks
        )

    def forward(self, images: Tensor) -> Tensor:
        value = images
        for block, source in zip(self.blocks, self.source, strict=True):
            result = block(value)
            value = value + result if source.is_residual else result
        return value.mean((2, 3))

    def trained(self) -> list[Block]:
        """Blocks with the weights as they are now."""
        return [
            replace(source, convs=tuple(conv.trained() for conv in _convs(block)))
            for block, source in zip(self.blocks, self.source, strict=True)
        ]


class TorchClassifier(nn.Module):
    """A network and a linear head; levels from 0 to 1 are normalised as the network expects them."""

    def __init__(
        self, blocks: Sequence[Block], pads_like_tensorflow: bool, head: LinearHead, expected: Preprocessing
    ):
        super().__init__()
        self.network = TorchNetwork(blocks, pads_like_tensorflow)
        width, classes = head.weight.shape
        self.head = nn.Linear(width, classes)
        scaled = head.weight.T / head.temperature, head.bias / head.temperature
        weight, bias = (torch.tensor(value, dtype=torch.float32) for value in scaled)
        self.head.load_state_dict({"weight": weight, "bias": bias})
        self._mean, self._spread = (
            torch.tensor(values).reshape(1, 3, 1, 1) / 255 for values in (expected.mean, expected.spread)
        )

    def features(self, images: Tensor) -> Tensor:
        """(n, d) of images of any device"""
        normalised = (images - self._mean.to(images.device)) / self._spread.to(images.device)
        return self.network(normalised.contiguous(memory_format=torch.channels_last))  # type: ignore[no-any-return]

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))  # type: ignore[no-any-return]

    def linear_head(self) -> LinearHead:
        weight, bias = (_array(value).astype(np.float64) for value in (self.head.weight, self.head.bias))
        return LinearHead(weight.T, bias)


def _convs(block: Any) -> list[TorchConv]:
    return [*block]


def _array(value: Any) -> AnyArray:
    return value.detach().cpu().numpy().copy()  # type: ignore[no-any-return]
