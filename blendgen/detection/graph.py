"""Graph: a detector as one ONNX file, which onnxruntime alone runs, from pictures to boxes.

In: Layers and the preprocessing of the backbone. Out: a model from `image`, (n, 3, side, side) float32, to
`picture` (k,) int64, which of the n; `boxes` (k, 4), x0, y0, x1, y1 in pixels of the square; `labels` (k,)
int64; `scores` (k,), the probability of the class. Boxes of a class that overlap a better one by an IoU above
0.5 are left out (non-maximum suppression). The classes and the preprocessing are in its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from blendgen.detection.anchors import WEIGHTS, anchors
from blendgen.detection.layers import BOX_VALUES, Chain, Layers, tapped
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.backbones import Preprocessing
from blendgen.learn.network import INPUT, chain_nodes, limits, model_of
from blendgen.learn.pixels import statement

PICTURE, BOXES, LABELS, SCORES = "picture", "boxes", "labels", "scores"
OUTPUTS = (PICTURE, BOXES, LABELS, SCORES)
CANDIDATES, PROBABILITIES = "candidates", "probabilities"  # before the suppression
MOST_PER_CLASS = 100  # boxes of a picture
MAX_OVERLAP = 0.5
LEAST_SCORE = 0.01
# source: torchvision, BoxCoder: a network that is not trained must not make infinite boxes
_MOST_GROWTH = float(np.log(1000 / 16))


def detector_model(
    layers: Layers, pads_like_tensorflow: bool, expected: Preprocessing, classes: Sequence[str],
    facts: dict[str, Any],
) -> bytes:  # fmt: skip
    """facts: more of the metadata"""
    from onnx import TensorProto, checker, helper

    graph = _Graph(pads_like_tensorflow)
    graph.constants += limits()
    features = graph.features(layers)
    offsets = graph.level_outputs(features, layers.boxes, "box", BOX_VALUES)
    scores = graph.level_outputs(features, layers.classes, "class", len(classes) + 1)
    graph.decode(offsets, anchors(expected.side_px), expected.side_px)
    graph.add("Softmax", [scores], PROBABILITIES, axis=2)
    graph.suppress(len(classes))
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", 3, *[expected.side_px] * 2])
    kinds = (TensorProto.INT64, TensorProto.FLOAT, TensorProto.INT64, TensorProto.FLOAT)
    made = [
        helper.make_tensor_value_info(name, kind, ["k", BOX_VALUES] if name == BOXES else ["k"])
        for name, kind in zip(OUTPUTS, kinds, strict=True)
    ]
    model = model_of(helper.make_graph(graph.nodes, "detector", [given], made, graph.constants))
    stated = {"classes": [*classes], "preprocessing": statement(expected), **facts}
    helper.set_model_props(model, {name: json.dumps(value) for name, value in stated.items()})
    checker.check_model(model)
    return bytes(model.SerializeToString())


class _Graph:
    """Nodes and constants that come together."""

    def __init__(self, pads_like_tensorflow: bool):
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._pads_like_tensorflow = pads_like_tensorflow

    def add(self, kind: str, inputs: Sequence[str], output: str, **options: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **options))
        return output

    def constant(self, name: str, value: Any, kind: type = np.float32) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def chain(self, convs: Chain, name: str, value: str) -> str:
        nodes, constants, result = chain_nodes(convs, name, value, self._pads_like_tensorflow)
        self.nodes += nodes
        self.constants += constants
        return result

    def features(self, layers: Layers) -> list[str]:
        """Names of the features of each level."""
        value, names = INPUT, []
        for number, block in enumerate(layers.blocks):
            start, value = value, self.chain(block.convs, f"block{number}", value)
            if block.is_residual:
                value = self.add("Add", [value, start], f"block{number}.sum")
            if number in tapped(layers.blocks):
                names.append(f"block{number}.conv0.clipped")
        names.append(value)
        for number, convs in enumerate(layers.extras):
            names.append(self.chain(convs, f"extra{number}", names[-1]))
        return names

    def level_outputs(self, features: Sequence[str], chains: Sequence[Chain], name: str, width: int) -> str:
        """(n, anchors, width): what all levels say of each anchor."""
        shape = self.constant(f"{name}.shape", [0, -1, width], np.int64)
        parts = []
        for number, (feature, convs) in enumerate(zip(features, chains, strict=True)):
            own = f"{name}{number}"
            last = self.add("Transpose", [self.chain(convs, own, feature)], f"{own}.last", perm=[0, 2, 3, 1])
            parts.append(self.add("Reshape", [last, shape], f"{own}.flat"))
        return self.add("Concat", parts, f"{name}.all", axis=1)

    def decode(self, offsets: str, own: AnyArray, side_px: int) -> None:
        """Corners of the boxes that the offsets from anchors state."""
        centre, side = own[:, :2], own[:, 2:]
        half = self.constant("decode.half", 0.5)
        ends = [self.constant(f"decode.end{number}", [number], np.int64) for number in (0, 2, 4)]
        axis = self.constant("decode.axis", [2], np.int64)
        moved = self.add("Slice", [offsets, ends[0], ends[1], axis], "decode.moved")
        grown = self.add("Slice", [offsets, ends[1], ends[2], axis], "decode.grown")
        step = self.constant("decode.step", side / np.array(WEIGHTS[:2]))
        moved = self.add("Mul", [moved, step], "decode.shift")
        centres = self.add("Add", [moved, self.constant("decode.centre", centre)], "decode.centres")
        grown = self.add("Div", [grown, self.constant("decode.weight", WEIGHTS[2:])], "decode.logarithm")
        limit = self.constant("decode.most_growth", _MOST_GROWTH)
        growth = self.add("Exp", [self.add("Min", [grown, limit], "decode.limited")], "decode.growth")
        sides = self.add("Mul", [growth, self.constant("decode.side", side)], "decode.sides")
        halves = self.add("Mul", [sides, half], "decode.halves")
        low = self.add("Sub", [centres, halves], "decode.low")
        high = self.add("Add", [centres, halves], "decode.high")
        both = self.add("Concat", [low, high], "decode.corners", axis=2)
        border = self.constant("decode.border", side_px)
        self.add("Clip", [both, "limit0", border], CANDIDATES)

    def suppress(self, classes: int) -> None:
        """The best box of those that overlap, for each class by itself."""
        by_class = self.add("Transpose", [PROBABILITIES], "nms.by_class", perm=[0, 2, 1])
        bounds = [self.constant(f"nms.{n}", [n], np.int64) for n in (1, classes + 1)]
        known = self.add("Slice", [by_class, *bounds, "nms.1"], "nms.known")
        limits = [
            self.constant("nms.most", [MOST_PER_CLASS], np.int64),
            self.constant("nms.overlap", [MAX_OVERLAP]),
            self.constant("nms.least", [LEAST_SCORE]),
        ]
        chosen = self.add("NonMaxSuppression", [CANDIDATES, known, *limits], "nms.chosen")
        places = [self.constant(f"nms.column{n}", n, np.int64) for n in (0, 1)]
        self.add("Gather", [chosen, places[0]], PICTURE, axis=1)
        self.add("Gather", [chosen, places[1]], LABELS, axis=1)
        self.add("GatherND", [known, chosen], SCORES)
        which = self.constant("nms.which", [0, 2], np.int64)
        self.add("GatherND", [CANDIDATES, self.add("Gather", [chosen, which], "nms.where", axis=1)], BOXES)
