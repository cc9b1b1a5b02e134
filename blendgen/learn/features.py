"""Features: what a backbone says about pictures, once for each content.

In: Pictures and a Backbone. Out: a PictureSet. What the cache has is not computed again, so a run that was
stopped goes on, and a second run takes seconds. Pictures that cannot be read are left out with a message.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from blendgen.errors import DatasetError, SetupError
from blendgen.files.photos import IMAGE_ERRORS, image_fault
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.backbones import Backbone
from blendgen.learn.feature_cache import FeatureCache
from blendgen.learn.network import FEATURES, INPUT
from blendgen.learn.pictures import Picture, PictureSet
from blendgen.learn.pixels import PIXELS_VERSION, network_input
from blendgen.models.measuring.cache import cache_folder
from blendgen.system.machine import cores
from blendgen.system.progress import Progress

_BATCH = 32

Forward = Callable[[AnyArray], AnyArray]


def computed_features(
    pictures: Sequence[Picture],
    classes: tuple[str, ...],
    backbone: Backbone,
    progress: Progress,
    left_out: list[str],
) -> PictureSet:
    """left_out: a message is added for each picture that cannot be read

    raises: DatasetError for an image of a data set that cannot be read; SetupError
    """
    cache = FeatureCache(cache_folder() / "features" / f"{backbone.digest[:32]}-{PIXELS_VERSION}.sqlite")
    by_key = cache.get(list(dict.fromkeys(picture.key for picture in pictures)))
    missing = [picture for picture in pictures if picture.key not in by_key]
    if missing:
        progress.begin(len(missing), "image")
        forward = opened(backbone)
        for batch in _batches(missing, _BATCH):
            new = _features_of(batch, backbone, forward, left_out)
            cache.put(new)
            by_key |= new
            progress.advance(len(batch))
    chosen = [picture for picture in pictures if picture.key in by_key]
    width = len(next(iter(by_key.values()))) if by_key else 0
    rows = [by_key[picture.key] for picture in chosen]
    return PictureSet(tuple(chosen), np.array(rows, np.float32).reshape(len(rows), width), classes)


def opened(backbone: Backbone) -> Forward:
    """(n, 3, side, side) -> (n, d), on all cores of this process; raises SetupError."""
    session = inference_session(backbone.path.read_bytes())

    def forward(batch: AnyArray) -> AnyArray:
        return np.asarray(session.run([FEATURES], {INPUT: batch})[0])

    return forward


def inference_session(model: bytes, threads: int | None = None) -> Any:
    """A session of onnxruntime on the CPU; threads: None for as many as this process has cores."""
    try:
        import onnxruntime
    except ImportError as error:
        raise SetupError(f"onnxruntime cannot be loaded: {error}") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads or cores(), 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _features_of(
    batch: Sequence[Picture], backbone: Backbone, forward: Forward, left_out: list[str]
) -> dict[str, AnyArray]:
    inputs: dict[str, AnyArray] = {}
    with ThreadPoolExecutor(cores()) as readers:
        for picture, result in zip(batch, readers.map(_read(backbone), batch), strict=True):
            if isinstance(result, str):
                left_out.append(f"{picture.name}: cannot be read: {result}")
            else:
                inputs[picture.key] = result
    if not inputs:
        return {}
    values = forward(np.stack([*inputs.values()]))
    return dict(zip(inputs, values, strict=True))


def _read(backbone: Backbone) -> Callable[[Picture], AnyArray | str]:
    """Reads a picture as the backbone wants it; a text where that fails."""

    def read(picture: Picture) -> AnyArray | str:
        try:
            return network_input(picture.read(), backbone.preprocessing)
        except DatasetError:
            raise
        except IMAGE_ERRORS as error:
            return image_fault(error)

    return read


def _batches(pictures: Iterable[Picture], size: int) -> Iterator[list[Picture]]:
    iterator = iter(pictures)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
