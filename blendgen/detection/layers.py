"""Layers: those of a detector, as plain arrays: a backbone, and an SSDLite head on it.

In: the Blocks of a backbone. Out: where its features are taken, and Layers, from which graph.py makes an ONNX
model and torch_detector.py what torch trains. Features of strides 8 and 16 are those of the wide layer in
the block that halves the image next, that of stride 32 is the last; smaller ones are made by extra layers.
source: Sandler et al. 2018, MobileNetV2, section 6.2 (SSDLite); torchvision, ssdlite.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blendgen.detection.anchors import PER_CELL
from blendgen.learn.network import Block, Conv

BOX_VALUES = 4
EXTRA_WIDTHS = (512, 256)  # of strides 64 and 128
Chain = tuple[Conv, ...]


@dataclass(frozen=True)
class Layers:
    """boxes, classes: of each level, a depthwise convolution and one of each pixel; see anchors.STRIDES"""

    blocks: tuple[Block, ...]
    extras: tuple[Chain, ...]
    boxes: tuple[Chain, ...]
    classes: tuple[Chain, ...]


def tapped(blocks: Sequence[Block]) -> tuple[int, int]:
    """The blocks whose first layer is the feature of stride 8, and of stride 16."""
    stride, tapped_blocks = 1, {}
    for number, block in enumerate(blocks):
        before = stride
        for conv in block.convs:
            stride *= conv.stride
        if stride > before:
            tapped_blocks[before] = number
    return tapped_blocks[8], tapped_blocks[16]


def feature_widths(blocks: Sequence[Block]) -> tuple[int, ...]:
    """Channels of the features of each level."""
    own = [blocks[number].convs[0] for number in tapped(blocks)]
    return (*(len(conv.kernel) for conv in (*own, blocks[-1].convs[-1])), *EXTRA_WIDTHS)


def head_width(classes: int) -> int:
    """Channels of what a level says of the classes; the first class is the background."""
    return PER_CELL * (classes + 1)
