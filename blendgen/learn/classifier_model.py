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
from blendgen.learn.open_set import OpenSet
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
        "open.basis": open_set.plane.basis, "open.smallest": 1e-12,
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


def _familiarity_nodes() -> list[Any]:
    """The length of the features in the plane, as a share of their length."""
    from onnx import helper

    lengths = {"axes": [1], "keepdims": 0}
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("MatMul", [FEATURES, "open.basis"], "open.inside", {}),
        ("ReduceL2", ["open.inside"], "open.length_inside", lengths),
        ("ReduceL2", [FEATURES], "open.length", lengths),
        ("Max", ["open.length", "open.smallest"], "open.positive", {}),
        ("Div", ["open.length_inside", "open.positive"], FAMILIARITY, {}),
    ]
    return [helper.make_node(kind, inputs, [output], **options) for kind, inputs, output, options in steps]
