"""Detector: a model that `train --task detect` made, as a function of pictures.

In: a run, or an ONNX file that has its classes and preprocessing in its metadata. Out: Detector, and what it
finds in a picture: Boxes in pixels of that picture, the surest first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.detection.graph import OUTPUTS
from blendgen.detection.run import read_detector_run
from blendgen.detection.square import Square
from blendgen.errors import DatasetError
from blendgen.files.names import printable
from blendgen.geometry.arrays import AnyArray, ImageHW3U8
from blendgen.learn.backbones import Preprocessing, require_features_extra
from blendgen.learn.classifier import opened_session, stated_preprocessing
from blendgen.learn.features import inference_session
from blendgen.learn.network import INPUT
from blendgen.learn.pixels import network_input
from blendgen.learn.run_folder import INT8_MODEL, MODEL


@dataclass(frozen=True, eq=False)
class Boxes:
    """boxes: (k, 4) as x0, y0, x1, y1 in pixels; labels: (k,) int64; scores: (k,), falling"""

    boxes: AnyArray
    labels: AnyArray
    scores: AnyArray

    def above(self, score: float) -> Boxes:
        """Those with at least this score."""
        keep = self.scores >= score
        return Boxes(self.boxes[keep], self.labels[keep], self.scores[keep])


@dataclass(frozen=True)
class Detector:
    """threshold: the score from when on a box counts, if nothing else is asked for"""

    classes: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float
    forward: Callable[[AnyArray], list[AnyArray]]

    def input(self, image: ImageHW3U8) -> AnyArray:
        """(3, side, side) float32"""
        return network_input(image, self.preprocessing)

    def boxes_of(self, given: AnyArray, size_px: tuple[int, int]) -> Boxes:
        """What is in a picture; given: its input; size_px: its width and height, for the boxes"""
        _, boxes, labels, scores = self.forward(given[None])
        order = np.argsort(-scores, kind="stable")
        placed = Square(size_px, self.preprocessing.side_px).back(boxes.astype(np.float64))[order]
        is_inside = (placed[:, 2:] > placed[:, :2]).all(axis=1)  # not in what fills the square
        return Boxes(placed[is_inside], labels[order][is_inside], scores[order][is_inside])

    def __call__(self, image: ImageHW3U8) -> Boxes:
        height, width = image.shape[:2]
        return self.boxes_of(self.input(image), (width, height))


def opened_detector(place: Path, threads: int | None = None) -> Detector:
    """place: a run, or one of its ONNX files; threads: None for all cores; raises DatasetError, SetupError"""
    path = read_detector_run(place).model if place.is_dir() else place
    require_features_extra()
    expected = (
        f"{printable(str(path))}: expected a run of `blendgen train --task detect`, or its {MODEL} or "
        f"{INT8_MODEL}"
    )
    return _detector(opened_session(path, threads, expected), expected)


def detector_of(model: bytes, threads: int | None = None) -> Detector:
    """A model in memory."""
    return _detector(inference_session(model, threads), "the model in memory")


def _detector(session: Any, expected: str) -> Detector:
    stated = session.get_modelmeta().custom_metadata_map
    try:
        classes = tuple(map(str, json.loads(stated["classes"])))
        threshold = float(json.loads(stated["threshold"]))
        preprocessing = stated_preprocessing(json.loads(stated["preprocessing"]))
    except KeyError as error:
        raise DatasetError(f"{expected}: it does not state {error}") from None
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{expected}: {error}; train again") from None
    return Detector(
        classes, preprocessing, threshold, lambda images: session.run([*OUTPUTS], {INPUT: images})
    )
