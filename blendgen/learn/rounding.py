"""Rounding: a float model with 8-bit integers, in the simplest way that loses little.

In: an ONNX file, inputs that say which values occur in the network (calibration), and how good a model is.
Out: another ONNX file. quantize.py does this for classifiers, detection/quantize.py for detectors.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.network import INPUT

MOST_LOST = 0.01  # of the accuracy
_TIMED, _WARM_UP = 20, 3
_QUANTIZED_TYPES = ["Conv", "Clip", "Add", "GlobalAveragePool"]  # the head is small, and stays as it is

# onnxruntime warns without it; our graphs have nothing to fold
_PREPARED = {"onnx.quant.pre_process": "onnxruntime.quant"}

T = TypeVar("T")


@dataclass(frozen=True)
class Rounding:
    """is_per_channel: each channel of a layer has its own steps; keeps_ends: first and last stay float"""

    is_per_channel: bool
    keeps_ends: bool

    def facts(self) -> dict[str, Any]:
        float_layers = ["first", "last"] if self.keeps_ends else []
        return {"per_channel": self.is_per_channel, "float_layers": float_layers}


ROUNDINGS = (Rounding(False, False), Rounding(True, False), Rounding(True, True))


def least_lossy(
    source: Path, calibrating: Sequence[AnyArray], before: float, measure: Callable[[Path], T],
    value: Callable[[T], float], scratch: Path,
) -> tuple[Path, Rounding, T]:  # fmt: skip
    """The first way of rounding that loses little; else the one that loses the least.

    measure: of a model; value: of what that gives, such as its accuracy; before: value of the float model
    """
    tried = []
    for number, rounding in enumerate(ROUNDINGS):
        path = scratch / f"{number}.onnx"
        rounded(source, path, calibrating, rounding)
        after = measure(path)
        if before - value(after) <= MOST_LOST:
            return path, rounding, after
        tried.append((path, rounding, after))
    return max(tried, key=lambda one: value(one[2]))


def rounded(source: Path, path: Path, calibrating: Sequence[AnyArray], rounding: Rounding) -> None:
    """Write the model at path; calibrating: inputs of pictures"""
    import onnx
    from onnx import helper
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # has no types
        def __init__(self) -> None:
            self.rest = iter(calibrating)

        def get_next(self) -> dict[str, AnyArray] | None:
            image = next(self.rest, None)
            return None if image is None else {INPUT: image[None]}

    model = onnx.load_model(source)
    for node in model.graph.node:
        node.name = node.output[0]
    layers = [node.name for node in model.graph.node if node.op_type == "Conv"]
    stated = [*model.metadata_props]
    helper.set_model_props(model, _PREPARED)
    quantize_static(
        model, path, Reader(), quant_format=QuantFormat.QDQ, per_channel=rounding.is_per_channel,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        op_types_to_quantize=_QUANTIZED_TYPES,
        nodes_to_exclude=[layers[0], layers[-1]] if rounding.keeps_ends else [],
    )  # fmt: skip
    made = onnx.load_model(path)
    del made.metadata_props[:]
    made.metadata_props.extend(stated)
    onnx.save_model(made, path)


def latency_ms(infer: Callable[[AnyArray], object], images: Sequence[AnyArray]) -> float:
    """Median of one picture, without reading it; images: inputs of the model"""
    times = []
    for number in range(_WARM_UP + _TIMED):
        image = images[number % len(images)]
        began = time.perf_counter()
        infer(image)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times[_WARM_UP:])
