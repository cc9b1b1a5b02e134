"""Camera: frames of a camera, of a video file or of a stream, as they come.

In: what OpenCV opens. Out: (h, w, 3) uint8 sRGB, one after the other. Needs the extra camera.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from blendgen.errors import SetupError, UsageError
from blendgen.files.names import printable
from blendgen.geometry.arrays import ImageHW3U8


def camera_frames(source: str) -> Iterator[ImageHW3U8]:
    """source: the number of a camera, a video file, or the URL of a stream; a camera has no last frame

    raises: SetupError without OpenCV, or if a camera cannot be opened or stops; UsageError for another source
    """
    if importlib.util.find_spec("cv2") is None:
        raise SetupError("a camera needs OpenCV: pip install 'blendgen[camera]'")
    is_camera = source.isascii() and source.isdecimal()
    return _frames(source, is_camera)


def _frames(source: str, is_camera: bool) -> Iterator[ImageHW3U8]:
    count = 0
    with _opened(source, is_camera) as capture:
        while True:
            is_read, frame = capture.read()
            if not is_read:
                break
            count += 1
            yield np.ascontiguousarray(frame[:, :, ::-1])
    if is_camera:
        raise SetupError(f"camera {source}: gives no more frames after {count}; see that it is connected")
    if not count:
        raise UsageError(f"{printable(source)}: has no frame that can be read")


@contextmanager
def _opened(source: str, is_camera: bool) -> Iterator[Any]:
    import cv2 as opencv

    cv2: Any = opencv
    logging = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # OpenCV 4, 5
    logging.setLogLevel(0)  # what it says about devices that are not there; ours says it in one line
    capture = cv2.VideoCapture(int(source) if is_camera else source)
    try:
        if not capture.isOpened():
            if is_camera:
                raise SetupError(
                    f"camera {source}: cannot be opened; see that it is connected, that no other program "
                    "uses it, and that you may use it (on Linux /dev/video*, often of the group video)"
                )
            raise UsageError(f"{printable(source)}: expected a number, a video file or the URL of a stream")
        yield capture
    finally:
        capture.release()
