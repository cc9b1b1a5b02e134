"""Classifier model: a backbone and a head as one ONNX file.

In: the graph of a network, a LinearHead and an OpenSet. Out: a model from `image` to `scores`,
`probabilities`, `familiarity` and `features`. The classes, the preprocessing and the threshold of the
familiarity are in its metadata, too, so that the file is enough.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from blendgen.learn.backbones import Preprocessing
from blendgen.learn.head import LinearHead
from blendgen.learn.network import FEATURES
from blendgen.learn.open_set import Familiarity, OpenSet
from blendgen.learn.pixels import statement

SCORES, PROBABILITIES, FAMILIARITY = "scores", "probabilities", "familiarity"


def classifier_model(
    graph_to_features: bytes, expected: Preprocessing, head: LinearHead, classes: Sequence[str],
    open_set: OpenSet,
) -> bytes:  # fmt: skip
    """The temperature is part of `probabilities`, not of `scores`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_model_from_string(graph_to_features)
    constants = {
        "head.weight": head.weight, "head.bias": head.bias, "head.temperature": head.temperature,
        **_constants(open_set.familiarity),
    }  # fmt: skip
    graph = model.graph
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()
    )
    graph.node.extend(
        [
            helper.make_node("Gemm", [FEATURES, "head.weight", "head.bias"], [SCORES]),
            helper.make_node("Div", [SCORES, "head.temperature"], ["head.tempered"]),
            helper.make_node("Softmax", ["head.tempered"], [PROBABILITIES], axis=1),
            *_familiarity_nodes(),
        ]
    )
    del graph.output[:]
    shapes: dict[str, list[str | int]] = {
        SCORES: ["n", len(classes)], PROBABILITIES: ["n", len(classes)], FAMILIARITY: ["n"],
        FEATURES: ["n", len(head.weight)],
    }  # fmt: skip
    graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()
    )
    facts = {
        "classes": [*classes], "preprocessing": statement(expected),
        "open_set": open_set.facts(),
    }  # fmt: skip
    helper.set_model_props(model, {name: json.dumps(value) for name, value in facts.items()})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _constants(familiarity: Familiarity) -> dict[str, Any]:
    return {
        "open.mean": familiarity.plane.mean, "open.basis": familiarity.plane.basis,
        "open.energy_weight": familiarity.energy_weight, "open.offset": familiarity.offset,
        "open.distance_weight": familiarity.distance_weight, "open.zero": 0.0,
    }  # fmt: skip


def _familiarity_nodes() -> list[Any]:
    """energy_weight * energy - distance_weight * distance + offset"""
    from onnx import helper

    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("ReduceLogSumExp", ["head.tempered"], "open.energy", {"axes": [1], "keepdims": 0}),
        ("Sub", [FEATURES, "open.mean"], "open.centred", {}),
        ("ReduceSumSquare", ["open.centred"], "open.all", {"axes": [1], "keepdims": 0}),
        ("MatMul", ["open.centred", "open.basis"], "open.inside", {}),
        ("ReduceSumSquare", ["open.inside"], "open.plane", {"axes": [1], "keepdims": 0}),
        ("Sub", ["open.all", "open.plane"], "open.square", {}),
        ("Max", ["open.square", "open.zero"], "open.positive", {}),
        ("Sqrt", ["open.positive"], "open.distance", {}),
        ("Mul", ["open.energy", "open.energy_weight"], "open.energetic", {}),
        ("Mul", ["open.distance", "open.distance_weight"], "open.distant", {}),
        ("Sub", ["open.energetic", "open.distant"], "open.difference", {}),
        ("Add", ["open.difference", "open.offset"], FAMILIARITY, {}),
    ]
    return [helper.make_node(kind, inputs, [output], **options) for kind, inputs, output, options in steps]
