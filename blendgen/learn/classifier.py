"""Classifier: a model that `train` made, as a function of pictures.

In: a run, or an ONNX file that has its classes and preprocessing in its metadata. Out: Classifier.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.errors import DatasetError
from blendgen.files.names import printable
from blendgen.files.regular_file import read_bounded
from blendgen.geometry.arrays import AnyArray, ImageHW3U8
from blendgen.learn.backbones import Preprocessing, require_features_extra
from blendgen.learn.classifier_model import FAMILIARITY, PROBABILITIES
from blendgen.learn.features import inference_session
from blendgen.learn.network import INPUT
from blendgen.learn.pixels import PIXELS_VERSION, network_input
from blendgen.learn.run_folder import INT8_MODEL, MODEL, read_run

_MAX_MODEL_BYTES = 2**30
_OUTPUTS = [PROBABILITIES, FAMILIARITY]


@dataclass(frozen=True)
class Classifier:
    """threshold: of familiarity, below which a picture is of none of the classes; None: none is"""

    path: Path
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float | None
    forward: Callable[[AnyArray], list[AnyArray]]

    def input(self, image: ImageHW3U8) -> AnyArray:
        """(3, side, side) float32"""
        return network_input(image, self.preprocessing)

    def __call__(self, images: Sequence[AnyArray]) -> tuple[AnyArray, AnyArray]:
        """Probabilities (n, c) and familiarity (n,) of inputs."""
        probabilities, familiarity = self.forward(np.stack(images))
        return probabilities, familiarity


def opened_classifier(place: Path, threads: int | None = None) -> Classifier:
    """place: a run, or one of its ONNX files; threads: None for all cores

    raises: DatasetError, SetupError
    """
    path = read_run(place).model if place.is_dir() else place
    require_features_extra()
    session = opened_session(path, threads, _not_ours(path))
    facts = _metadata(path, session)
    return Classifier(path, *facts, lambda images: session.run(_OUTPUTS, {INPUT: images}))


def opened_session(path: Path, threads: int | None, expected: str) -> Any:
    """A session of a file; expected: how an error begins, with the path; raises DatasetError"""
    try:
        model = read_bounded(path, _MAX_MODEL_BYTES)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{printable(str(path))}: cannot be read: {error}") from None
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    try:
        return inference_session(model, threads)
    except (errors.Fail, errors.InvalidProtobuf, errors.InvalidGraph, errors.InvalidArgument,
            errors.NotImplemented, errors.RuntimeException) as error:  # fmt: skip
        raise DatasetError(f"{expected}: {str(error).splitlines()[0]}") from None


def _metadata(path: Path, session: Any) -> tuple[tuple[str, ...], Preprocessing, float | None]:
    try:
        stated = session.get_modelmeta().custom_metadata_map
        values = {name: json.loads(stated[name]) for name in ("classes", "preprocessing", "open_set")}
        expected = stated_preprocessing(values["preprocessing"])
        threshold = values["open_set"]["threshold"]
        classes = tuple(map(str, values["classes"]))
        return classes, expected, None if threshold is None else float(threshold)
    except KeyError as error:
        raise DatasetError(f"{_not_ours(path)}: it does not state {error}; train again") from None
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{_not_ours(path)}: {error}; train again") from None


def stated_preprocessing(stated: dict[str, Any]) -> Preprocessing:
    """What the metadata of a model say; raises KeyError, TypeError, ValueError"""
    if stated["version"] != PIXELS_VERSION:
        raise ValueError("its preprocessing is of another version of blendgen")
    return Preprocessing(int(stated["side_px"]), tuple(stated["mean"]), tuple(stated["spread"]))


def _not_ours(path: Path) -> str:
    return f"{printable(str(path))}: expected a run of `blendgen train`, or its {MODEL} or {INT8_MODEL}"
