"""Label registry: all kinds of them. To add one, see CONTRIBUTING.md; its record is here.

In: Frames. Out: the bytes of files, and what is wrong with them, in words. Each check derives
the numbers independently of the code that made them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from blendgen.dataset.label_array import DEPTH_M, IDS, MASKS, RGB_U8, SHARES, VECTORS, Channels
from blendgen.dataset.label_file import LabelFile
from blendgen.develop.encode import (
    DEPTH_STEP_M,
    SUFFIXES,
    encode_albedo,
    encode_depth,
    encode_image,
    encode_mask,
    encode_png,
    encode_semantic,
)
from blendgen.develop.exr import encode_exr, encode_vectors
from blendgen.geometry.arrays import AnyArray, IdsHW
from blendgen.geometry.projection import box_of_mask, distort, transform_points
from blendgen.optics.overscan import box_corners
from blendgen.scene.film import Frame, requested
from blendgen.scene.row import Row
from blendgen.spec.output import Output

_SLACK_PX = 1.0  # a distorting lens takes ids from the nearest pixel
_SLACK_M = 0.001
_ROUNDING = 2e-3
_FRACTION_ROUNDING = 1e-6  # of visible_fraction in a row
_MIN_PIXELS = 16  # of products that are not black
Record = Mapping[str, Any]


def _encode_depth(frame: Frame, output: Output) -> bytes:
    depth_m = frame.labels.depth_m
    return encode_exr({"Z": depth_m}) if output.depth == "exr" else encode_depth(depth_m)


def _check_depth(row: Row, record: Record, image: Channels, ids: IdsHW) -> Iterator[str]:
    """Each product's depth is within its box in space."""
    (values,) = image.values()
    whole_steps = values.dtype.kind in "iu"
    depth_m = values * DEPTH_STEP_M if whole_steps else values
    objects = row.objects
    for number, instance_id in enumerate(objects.instance_id):
        own = depth_m[(ids == instance_id) & ((values > 0) | (not whole_steps))]  # 0 is too far for a PNG
        corners = transform_points(objects.object_to_camera[number], box_corners(objects.size_m[number]))
        near, far = corners[:, 2].min() - _SLACK_M, corners[:, 2].max() + _SLACK_M
        if own.size and not (near <= own.min() and own.max() <= far):
            yield f"object {number} is {own.min():.4f} to {own.max():.4f} m away, outside its 3D box"


def _check_semantic(row: Row, record: Record, image: Channels, ids: IdsHW) -> Iterator[str]:
    objects, expected = row.objects, np.zeros_like(ids)
    for instance_id, label_id in zip(objects.instance_id, objects.category_id, strict=True):
        expected[ids == instance_id] = label_id + 1
    if not np.array_equal(image[""], expected):
        wrong = np.count_nonzero(image[""] != expected)
        yield f"{wrong} pixels have a class other than that of their instance"


def _check_parts(row: Row, record: Record, image: Channels, ids: IdsHW) -> Iterator[str]:
    parts = record.get("parts", ())
    if not np.array_equal(image[""] > 0, ids > 0):
        yield "parts are not where products are"
    if image[""].max(initial=0) > len(parts):
        yield f"part {image[''].max()} is not in dataset.json's list of {len(parts)}"


def _encode_planes(planes: Mapping[int, AnyArray]) -> bytes:
    """A channel for each product: instance id -> (h, w)."""
    return encode_exr({f"instance_{instance_id}": plane for instance_id, plane in planes.items()})


def _plane_faults(row: Row, image: Channels) -> Iterator[str]:
    """Whether there is a channel for each product of the shot, from 0 to 1."""
    expected = {f"instance_{placed.instance_id}" for placed in row.shot.products}
    if set(image) != expected:
        yield f"has the channels {sorted(image)}, expected {sorted(expected)}"
    for name, plane in image.items():
        if not (plane.min() >= 0 and plane.max() <= 1 + _ROUNDING):
            yield f"{name} is not between 0 and 1"


def _encode_amodal_masks(frame: Frame, output: Output) -> bytes:
    masks = frame.labels.amodal_masks
    return _encode_planes({instance_id: mask.astype(np.float16) for instance_id, mask in masks.items()})


def _check_amodal_masks(row: Row, record: Record, image: Channels, ids: IdsHW) -> Iterator[str]:
    """Each contains what is visible of its product, and has the box and the visible fraction of its row."""
    yield from _plane_faults(row, image)
    objects = row.objects
    for number, instance_id in enumerate(objects.instance_id):
        name, visible = f"instance_{instance_id}", ids == instance_id
        plane = image.get(name, visible)
        if not np.isin(plane, (0, 1)).all():
            yield f"{name} has values other than 0 and 1"
        mask = plane > 0
        if (visible & ~mask).any():
            yield f"{name} does not contain {np.count_nonzero(visible & ~mask)} visible pixels of its product"
        if box_of_mask(mask) != objects.bbox_amodal[number]:
            yield f"{name} has the box {box_of_mask(mask)}, but the row has {objects.bbox_amodal[number]}"
        share = np.count_nonzero(visible) / max(int(np.count_nonzero(mask)), 1)
        if abs(share - objects.visible_fraction[number]) > _FRACTION_ROUNDING:
            yield f"{share:.6f} of {name} is visible, but the row has {objects.visible_fraction[number]}"


def _check_soft_masks(row: Row, record: Record, image: Channels, ids: IdsHW) -> Iterator[str]:
    yield from _plane_faults(row, image)
    for instance_id in row.objects.instance_id:
        share = image.get(f"instance_{instance_id}")
        if share is not None and not (share[ids == instance_id] > 0).all():
            yield f"instance_{instance_id} does not cover a pixel that the mask assigns to it"


def _check_normals(row: Row, record: Record, image: Channels, ids: IdsHW) -> Iterator[str]:
    length = np.linalg.norm([image[name] for name in "RGB"], axis=0)
    if not np.isclose(length[ids > 0], 1, atol=_ROUNDING).all():
        yield "normals of products do not have length 1"


def _check_albedo(row: Row, record: Record, image: Channels, ids: IdsHW) -> Iterator[str]:
    """The blackest surface reflects some light; but one that shines by itself may reflect none."""
    products = ids > 0
    is_lit = any(channel[products].any() for channel in image.values())
    if np.count_nonzero(products) >= _MIN_PIXELS and not is_lit:
        yield "all products are black"


def _check_nocs(row: Row, record: Record, image: Channels, ids: IdsHW) -> Iterator[str]:
    """Scaled back and projected, each coordinate comes to its pixel."""
    coordinates = np.stack([image[name] for name in "RGB"], axis=-1).astype(float)
    if coordinates[ids == 0].any():
        yield "pixels without a product have coordinates"
    camera, objects = row.camera, row.objects
    intrinsics = np.array(camera.intrinsics)
    for number, instance_id in enumerate(objects.instance_id):
        own = ids == instance_id
        size_m = np.array(objects.size_m[number])
        points = (coordinates[own] - 0.5) * np.linalg.norm(size_m) + [0, 0, size_m[2] / 2]
        in_camera = transform_points(objects.object_to_camera[number], points)
        if not own.any() or in_camera[:, 2].min() <= 0:
            continue
        pixels = distort(in_camera[:, :2] / in_camera[:, 2:], camera.distortion) @ intrinsics[:2, :2].T
        rows, columns = np.nonzero(own)
        off_px = np.abs(pixels + intrinsics[:2, 2] - np.column_stack([columns, rows]) - 0.5).max()
        if off_px > _SLACK_PX:
            yield f"coordinates of object {number} are up to {off_px:.1f} px from their pixels"


IMAGE = LabelFile(
    name="image",
    folder="images",
    content="the image itself, 8-bit sRGB",
    suffixes=tuple(SUFFIXES.values()),
    suffix_of=lambda output: SUFFIXES[output.format],
    is_wanted=lambda output: True,
    encode=lambda frame, output: encode_image(frame.rgb_u8, output),
    array=RGB_U8,
)
MASK = LabelFile(
    name="mask",
    folder="masks",
    content="instance id of each pixel, 0 where there is no product; 16 bit",
    is_wanted=lambda output: output.masks,
    encode=lambda frame, output: encode_mask(frame.labels.instance_id),
    array=IDS,
)
DEPTH = LabelFile(
    name="depth",
    folder="depth",
    content="distance along the optical axis. `png` (or `true`): 16 bit in steps of 0.1 mm, 0 where nothing "
    "was hit or from 6.55 m on. `exr`: channel Z, metres, 32 bit, infinity where nothing was hit",
    suffixes=(".png", ".exr"),
    suffix_of=lambda output: output.depth_suffix,
    is_wanted=lambda output: bool(output.depth),
    encode=_encode_depth,
    array=DEPTH_M,
    check=_check_depth,
)
AMODAL_MASKS = LabelFile(
    name="amodal_masks",
    folder="amodal_masks",
    content="a channel `instance_1`, ... for each product of the shot: 1 where the product is, as if nothing "
    "hid it, else 0; 16-bit float. Masks overlap, and end at the border of the image",
    suffixes=(".exr",),
    is_wanted=lambda output: output.amodal_masks,
    encode=_encode_amodal_masks,
    array=MASKS,
    check=_check_amodal_masks,
)
_OTHERS = (
    LabelFile(
        name="clean",
        folder="clean",
        content="the same image without sensor noise",
        is_wanted=lambda output: output.clean,
        encode=lambda frame, output: encode_png(requested(frame.clean_u8)),
        array=RGB_U8,
    ),
    LabelFile(
        name="semantic",
        folder="semantic",
        content="`label_id` + 1 of the visible product, 0 for the rest; 8 bit up to 254 classes, else 16",
        is_wanted=lambda output: output.semantic,
        encode=lambda frame, output: encode_semantic(requested(frame.labels.semantic)),
        array=IDS,
        check=_check_semantic,
    ),
    LabelFile(
        name="parts",
        folder="parts",
        content="1 + the number of the part in `parts` of dataset.json, 0 for the rest; 16 bit. Parts are "
        "the materials of the model, or what its [sidecar](models.md) makes of them",
        is_wanted=lambda output: output.parts,
        encode=lambda frame, output: encode_mask(requested(frame.labels.parts)),
        array=IDS,
        check=_check_parts,
    ),
    AMODAL_MASKS,
    LabelFile(
        name="soft_masks",
        folder="soft_masks",
        content="a channel `instance_1`, ... for each product of the shot: the share of each pixel that it "
        "covers (Cryptomatte, all samples)",
        suffixes=(".exr",),
        is_wanted=lambda output: output.soft_masks,
        encode=lambda frame, output: _encode_planes(requested(frame.labels.soft_masks)),
        array=SHARES,
        check=_check_soft_masks,
    ),
    LabelFile(
        name="normals",
        folder="normals",
        content="channels R, G, B: X, Y, Z of the unit normal in the camera's frame (OpenCV: X right, "
        "Y down, Z forward), as shaded: scratches and grain show",
        suffixes=(".exr",),
        is_wanted=lambda output: output.normals,
        encode=lambda frame, output: encode_vectors(requested(frame.labels.normals)),
        array=VECTORS,
        check=_check_normals,
    ),
    LabelFile(
        name="albedo",
        folder="albedo",
        content="sRGB; the share of light that the surface reflects, mirrored light included, so metals are "
        "not black",
        is_wanted=lambda output: output.albedo,
        encode=lambda frame, output: encode_albedo(requested(frame.labels.albedo_linear)),
        array=RGB_U8,
        check=_check_albedo,
    ),
    LabelFile(
        name="nocs",
        folder="nocs",
        content="channels R, G, B: X, Y, Z of the normalised object coordinates (NOCS), the place on the "
        "product; the centre of its box is 0.5, its diagonal has the length 1; 0 for the rest",
        suffixes=(".exr",),
        is_wanted=lambda output: output.nocs,
        encode=lambda frame, output: encode_vectors(requested(frame.labels.nocs)),
        array=VECTORS,
        check=_check_nocs,
    ),
)
# in the order of their columns in a row
LABEL_FILES: dict[str, LabelFile] = {kind.name: kind for kind in (IMAGE, MASK, DEPTH, *_OTHERS)}
FOLDERS = tuple(kind.folder for kind in LABEL_FILES.values())


def encoded_files(frame: Frame, output: Output) -> dict[str, bytes]:
    """The files of an image that its spec asks for: name of the kind -> bytes."""
    wanted = [kind for kind in LABEL_FILES.values() if kind.is_wanted(output)]
    return {kind.name: kind.encode(frame, output) for kind in wanted}
