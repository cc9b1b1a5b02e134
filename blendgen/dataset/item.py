"""Item: one labelled image as a dictionary of arrays; indexing a Dataset gives it, and transforms get it."""

from __future__ import annotations

from typing import Required, TypedDict

import numpy as np

from blendgen.geometry.arrays import AnyArray, ImageHW3F32, ImageHW3U8, ImageHWF32, IntegersHW, IntegersN

_FloatsF32 = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


class Item(TypedDict, total=False):
    """One labelled image, with the fields that `Dataset.with_fields` names; without it, `image`, and `mask`
    if the data set has masks. n is the number of objects, all visible, in the order of the row.

    label_id: class of the subject, an index into Dataset.classes; index: number of the image in its data set
    """

    label_id: Required[int]
    index: Required[int]
    image: ImageHW3U8  # (h, w, 3) sRGB; likewise clean and albedo
    clean: ImageHW3U8
    albedo: ImageHW3U8
    mask: IntegersHW  # (h, w) int32 instance ids, 0 for the background
    semantic: IntegersHW  # (h, w) int32
    parts: IntegersHW  # (h, w) int32
    depth: ImageHWF32  # (h, w) metres, inf where nothing was hit
    normals: ImageHW3F32  # (h, w, 3)
    nocs: ImageHW3F32  # (h, w, 3)
    amodal_masks: AnyArray  # (n, h, w) bool
    soft_masks: _FloatsF32  # (n, h, w)
    bbox: _FloatsF32  # (n, 4) x, y, width, height; likewise bbox_amodal
    bbox_amodal: _FloatsF32
    category_id: IntegersN  # (n,) int64; likewise instance_id
    instance_id: IntegersN
    area: _FloatsF32  # (n,) visible pixels
    visible_fraction: _FloatsF32  # (n,); likewise truncation
    truncation: _FloatsF32
    object_to_world: _FloatsF32  # (n, 4, 4)
    object_to_camera: _FloatsF32  # (n, 4, 4)
    size_m: _FloatsF32  # (n, 3)
    obb: _FloatsF32  # (n, 4, 2) corners
    keypoints: _FloatsF32  # (n, k, 3) x, y, visibility; zeros after the last one of a class with fewer than k
    bbox_3d_m: _FloatsF32  # (n, 8, 3) corners
    bbox_3d_px: _FloatsF32  # (n, 8, 2) corners, NaN where the lens cannot show one
