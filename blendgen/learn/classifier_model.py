"""Classifier model: a backbone and a head as one ONNX file.

In: the file of a Backbone and a LinearHead. Out: a model from `image` to `scores` and `probabilities`. The
classes and the preprocessing are in its metadata, too, so that the file is enough.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from blendgen.learn.backbones import Backbone
from blendgen.learn.head import LinearHead
from blendgen.learn.network import FEATURES
from blendgen.learn.pixels import statement

SCORES, PROBABILITIES = "scores", "probabilities"


def classifier_model(backbone: Backbone, head: LinearHead, classes: Sequence[str]) -> bytes:
    """The temperature is part of `probabilities`, not of `scores`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_model_from_string(backbone.path.read_bytes())
    constants = {
        "head.weight": head.weight.astype(np.float32),
        "head.bias": head.bias.astype(np.float32),
        "head.temperature": np.array(head.temperature, np.float32),
    }
    graph = model.graph
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    graph.node.extend(
        [
            helper.make_node("Gemm", [FEATURES, "head.weight", "head.bias"], [SCORES]),
            helper.make_node("Div", [SCORES, "head.temperature"], ["head.tempered"]),
            helper.make_node("Softmax", ["head.tempered"], [PROBABILITIES], axis=1),
        ]
    )
    del graph.output[:]
    graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", len(classes)])
        for name in (SCORES, PROBABILITIES)
    )
    facts = {"classes": [*classes], "preprocessing": statement(backbone.preprocessing)}
    helper.set_model_props(model, {name: json.dumps(value) for name, value in facts.items()})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
