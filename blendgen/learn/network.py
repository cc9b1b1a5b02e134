"""Network: an image network of inverted residual blocks as an ONNX graph, built from its weights.

In: name -> array, as EfficientNet-Lite or torchvision's MobileNetV2 names them. Out: an ONNX model from
(n, 3, h, w) float32 to (n, d) features, the mean of the last layer over the image. Widths, kernels and
expansions are those of the weights; only strides and padding are stated here. In the graph, batch
normalisation is part of the convolution before it; torch_network.py trains both.
source: Tan and Le 2019, EfficientNet; Sandler et al. 2018, MobileNetV2; the strides of their published code
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from blendgen.geometry.arrays import AnyArray

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET, IR_VERSION = 13, 8
INPUT, FEATURES = "image", "features"
_LITE_EPSILON, _MOBILENET_EPSILON = 1e-3, 1e-5
_LITE_STRIDES = (1, 2, 2, 2, 1, 2, 1)  # of the first block of each stage
_LITE0_REPEATS, _LITE12_REPEATS = (1, 2, 2, 3, 3, 4, 1), (1, 3, 3, 4, 4, 5, 1)
_MOBILENET_STRIDED = (2, 4, 7, 14)  # blocks that halve the image

Weights = Mapping[str, AnyArray]


@dataclass(frozen=True)
class Norm:
    """Batch normalisation with the statistics of its training; all (outputs,) float32."""

    weight: AnyArray
    bias: AnyArray
    mean: AnyArray
    variance: AnyArray
    epsilon: float


@dataclass(frozen=True)
class Conv:
    """A convolution and its normalisation; is_clipped: the result is limited to 0 to 6 (ReLU6)."""

    kernel: AnyArray
    norm: Norm
    stride: int
    is_clipped: bool

    @property
    def groups(self) -> int:
        """One for each channel where a channel of the kernel sees one channel of the image."""
        outputs, inputs = self.kernel.shape[:2]
        return outputs if inputs == 1 and outputs > 1 else 1

    def folded(self) -> tuple[AnyArray, AnyArray]:
        """Weight and bias, float32, of a convolution that does both."""
        norm = self.norm
        scale = norm.weight / np.sqrt(norm.variance.astype(np.float64) + norm.epsilon)
        weight = (self.kernel * scale[:, None, None, None]).astype(np.float32)
        return weight, (norm.bias - norm.mean.astype(np.float64) * scale).astype(np.float32)


@dataclass(frozen=True)
class Block:
    """Convolutions one after the other; is_residual: the input is added to the result."""

    convs: tuple[Conv, ...]

    @property
    def is_residual(self) -> bool:
        first, last = self.convs[0], self.convs[-1]
        inputs = first.kernel.shape[1] * first.groups
        is_same_size = all(conv.stride == 1 for conv in self.convs)
        return len(self.convs) > 1 and is_same_size and inputs == last.kernel.shape[0]


def lite_blocks(weights: Weights) -> list[Block]:
    """Blocks of EfficientNet-Lite; raises KeyError for other weights."""
    conv = _convs(weights, _LITE_EPSILON)
    blocks = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("_blocks."))
    repeats = _LITE0_REPEATS if blocks == sum(_LITE0_REPEATS) else _LITE12_REPEATS
    strides = [s for first, n in zip(_LITE_STRIDES, repeats, strict=True) for s in (first, *[1] * (n - 1))]
    result = [Block((conv("_conv_stem", "_bn0", 2, True),))]
    for number in range(blocks):
        own = f"_blocks.{number}"
        parts = [conv(f"{own}._depthwise_conv", f"{own}._bn1", strides[number], True)]
        if f"{own}._expand_conv.weight" in weights:
            parts.insert(0, conv(f"{own}._expand_conv", f"{own}._bn0", 1, True))
        result.append(Block((*parts, conv(f"{own}._project_conv", f"{own}._bn2", 1, False))))
    return [*result, Block((conv("_conv_head", "_bn1", 1, True),))]


def mobilenet_blocks(weights: Weights) -> list[Block]:
    """Blocks of MobileNetV2 as torchvision names them; raises KeyError for other weights."""
    conv = _convs(weights, _MOBILENET_EPSILON)
    last = max(int(name.split(".")[1]) for name in weights if name.startswith("features."))
    result = [Block((conv("features.0.0", "features.0.1", 2, True),))]
    for number in range(1, last):
        own, stride = f"features.{number}.conv", 2 if number in _MOBILENET_STRIDED else 1
        has_expansion = f"{own}.3.weight" in weights
        parts = [conv(f"{own}.0.0", f"{own}.0.1", 1 if has_expansion else stride, True)]
        if has_expansion:
            parts.append(conv(f"{own}.1.0", f"{own}.1.1", stride, True))
        end = len(parts)
        result.append(Block((*parts, conv(f"{own}.{end}", f"{own}.{end + 1}", 1, False))))
    return [*result, Block((conv(f"features.{last}.0", f"features.{last}.1", 1, True),))]


def _convs(weights: Weights, epsilon: float) -> Callable[[str, str, int, bool], Conv]:
    """Makes a Conv of the names of a convolution and of the normalisation behind it."""

    def conv(name: str, norm: str, stride: int, is_clipped: bool) -> Conv:
        parts = ("weight", "bias", "running_mean", "running_var")
        scale, shift, mean, variance = (weights[f"{norm}.{part}"] for part in parts)
        own = Norm(scale, shift, mean, variance, epsilon)
        return Conv(weights[f"{name}.weight"], own, stride, is_clipped)

    return conv


def feature_model(blocks: Sequence[Block], pads_like_tensorflow: bool, name: str) -> ModelProto:
    """pads_like_tensorflow: SAME, whose extra row is below and right; otherwise the same on all sides"""
    from onnx import TensorProto, checker, helper

    value = INPUT
    nodes: list[Any] = []
    constants: list[Any] = []
    for number, block in enumerate(blocks):
        start = value
        step, own, value = chain_nodes(block.convs, f"block{number}", start, pads_like_tensorflow)
        nodes += step
        constants += own
        if block.is_residual:
            nodes.append(helper.make_node("Add", [value, start], [f"block{number}.sum"]))
            value = f"block{number}.sum"
    nodes.append(helper.make_node("GlobalAveragePool", [value], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], [FEATURES]))
    width = blocks[-1].convs[-1].kernel.shape[0]
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", 3, "height", "width"])
    made = helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["n", width])
    graph = helper.make_graph(nodes, name, [given], [made], [*limits(), *constants])
    model = model_of(graph)
    checker.check_model(model)
    return model


def limits() -> list[Any]:
    """The constants of ReLU6, which every graph of these nodes needs."""
    from onnx import numpy_helper

    return [numpy_helper.from_array(np.array(value, np.float32), f"limit{value}") for value in (0, 6)]


def chain_nodes(
    convs: Sequence[Conv], name: str, value: str, pads_like_tensorflow: bool
) -> tuple[list[Any], list[Any], str]:
    """Nodes and constants of convolutions one after the other, and the name of the result.

    The result of the first one is `<name>.conv0`, or `<name>.conv0.clipped`, and so on.
    """
    nodes: list[Any] = []
    constants: list[Any] = []
    for place, conv in enumerate(convs):
        own = f"{name}.conv{place}"
        constants += _constants(conv, own)
        step, value = _conv_nodes(conv, own, value, pads_like_tensorflow)
        nodes += step
    return nodes, constants, value


def model_of(graph: Any) -> ModelProto:
    from onnx import helper

    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, producer_name="blendgen", opset_imports=opset, ir_version=IR_VERSION)


def _constants(conv: Conv, own: str) -> Iterator[Any]:
    from onnx import numpy_helper

    weight, bias = conv.folded()
    yield numpy_helper.from_array(weight, f"{own}.weight")
    yield numpy_helper.from_array(bias, f"{own}.bias")


def _conv_nodes(conv: Conv, own: str, value: str, pads_like_tensorflow: bool) -> tuple[list[Any], str]:
    from onnx import helper

    kernel = conv.kernel.shape[2]
    padding = {"auto_pad": "SAME_UPPER"} if pads_like_tensorflow else {"pads": [kernel // 2] * 4}
    inputs = [value, f"{own}.weight", f"{own}.bias"]
    nodes = [
        helper.make_node(
            "Conv", inputs, [own], strides=[conv.stride] * 2, group=conv.groups,
            kernel_shape=[kernel] * 2, **padding,
        )
    ]  # fmt: skip
    if not conv.is_clipped:
        return nodes, own
    nodes.append(helper.make_node("Clip", [own, "limit0", "limit6"], [f"{own}.clipped"]))
    return nodes, f"{own}.clipped"
