"""Row: a finished image in numbers and names: its files, its labels, its camera, its Shot and its Exposure.

In: plain values, as a line of the manifest has them. Out: the same values by name, checked and typed.
dataset/rows.py makes Rows from lines and lines from Rows; docs/dataset.md explains every column. Bounds keep
out what no image can have, as a stranger may have written the line.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict

from blendgen.scene.shot import Exposure, Shot

MAX_SIDE_PX = 65_535
_MAX_NUMBER = 1e12
_MAX_PIXELS = 2**20
_MAX_AREA_PX = 2**40

_Sequence = Strict(False)  # arrays of JSON are lists; what is in them must have its exact type
Index = Annotated[int, Field(ge=0, le=10**15)]
Id = Annotated[int, Field(ge=0, le=2**31)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[float, Field(ge=-_MAX_NUMBER, le=_MAX_NUMBER, allow_inf_nan=False)]
# boxes and areas are whole numbers, which stay such; a person may have written others
Pixels = (
    Annotated[int, Field(ge=-_MAX_PIXELS, le=_MAX_PIXELS)]
    | Annotated[float, Field(ge=-_MAX_PIXELS, le=_MAX_PIXELS, allow_inf_nan=False)]
)
Area = (
    Annotated[int, Field(ge=0, le=_MAX_AREA_PX)]
    | Annotated[float, Field(ge=0, le=_MAX_AREA_PX, allow_inf_nan=False)]
)
Box = Annotated[tuple[Pixels, Pixels, Pixels, Pixels], _Sequence]
Point2 = Annotated[tuple[Number, Number], _Sequence]
Point3 = Annotated[tuple[Number, Number, Number], _Sequence]
Keypoint = Annotated[tuple[Number, Number, int], _Sequence]
_Line4 = Annotated[tuple[Number, Number, Number, Number], _Sequence]
Transform = Annotated[tuple[_Line4, _Line4, _Line4, _Line4], _Sequence]
Intrinsics = Annotated[tuple[Point3, Point3, Point3], _Sequence]
Distortion = Annotated[tuple[Number, Number, Number, Number, Number], _Sequence]
Texts = Annotated[tuple[str, ...], _Sequence]
Ids = Annotated[tuple[Id, ...], _Sequence]
Numbers = Annotated[tuple[Number, ...], _Sequence]
Boxes = Annotated[tuple[Box, ...], _Sequence]
Points3 = Annotated[tuple[Point3, ...], _Sequence]
Transforms = Annotated[tuple[Transform, ...], _Sequence]
_Pixel = Point2 | None


class _RowModel(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class RowFile(_RowModel):
    """A file of an image.

    name: relative to the data set, with "/"
    sha256: of its content, 64 hexadecimal digits; size_bytes: None where the line does not state them
    """

    name: str
    sha256: Digest | None = None
    size_bytes: Index | None = None


class RowHead(_RowModel):
    """What is needed to find the image and to know whether it is finished.

    index: number of the image; files: name of the label file (see dataset/label_registry.py) -> file
    """

    index: Index
    label: str
    split: str
    files: dict[str, RowFile]

    @property
    def image(self) -> RowFile:
        """The file of the image itself."""
        return self.files["image"]

    @property
    def file_names(self) -> list[str]:
        """Of all files of the image."""
        return [file.name for file in self.files.values()]


class Objects(_RowModel):
    """The labels of the visible products: parallel columns, one entry per product; None for what is off.

    bbox, bbox_amodal: x, y, width, height in pixels, of the visible part and as if nothing hid it
    area: visible pixels
    object_to_world, object_to_camera: 4x4, metres; size_m: extent of the box
    obb: corners (x, y) in pixels; keypoints: (x, y, visibility 0, 1 or 2)
    bbox_3d_m: corners (x, y, z) in the camera's frame; bbox_3d_px: (x, y), None where the lens cannot show it
    """

    bbox: Boxes
    bbox_amodal: Boxes
    category: Texts
    category_id: Ids
    area: Annotated[tuple[Area, ...], _Sequence]
    product: Texts
    colorway: Texts
    case: Annotated[tuple[str | None, ...], _Sequence] | None = None
    visible_fraction: Numbers
    instance_id: Ids
    object_to_world: Transforms
    object_to_camera: Transforms
    size_m: Points3
    truncation: Numbers | None = None
    obb: Annotated[tuple[Annotated[tuple[Point2, ...], _Sequence], ...], _Sequence] | None = None
    keypoints: Annotated[tuple[Annotated[tuple[Keypoint, ...], _Sequence], ...], _Sequence] | None = None
    bbox_3d_m: Annotated[tuple[Points3, ...], _Sequence] | None = None
    bbox_3d_px: Annotated[tuple[Annotated[tuple[_Pixel, ...], _Sequence], ...], _Sequence] | None = None

    def __len__(self) -> int:
        return len(self.bbox)

    def columns(self) -> dict[str, tuple[Any, ...]]:
        """The columns that there are, by name, in the order of the manifest."""
        return {name: values for name, values in vars(self).items() if values is not None}


class RowCamera(_RowModel):
    """The camera of an image: intrinsics 3x3 in pixels; world_to_camera 4x4, OpenCV (X right, Y down, Z
    forward), metres; distortion k1, k2, p1, p2, k3 as in OpenCV."""

    intrinsics: Intrinsics
    world_to_camera: Transform
    focal_length_mm: Number | None = None
    sensor_width_mm: Number | None = None
    distortion: Distortion


class Row(RowHead):
    """All that is known of a finished image.

    label, label_id: class of its subject; shot_index: number of its shot; width, height: pixels
    shot_values, exposure_values: `shot` and `exposure` as plain JSON
    """

    label_id: Id
    shot_index: Index
    width: Side
    height: Side
    objects: Objects
    camera: RowCamera
    shot_values: dict[str, Any] = Field(default_factory=dict, repr=False)
    exposure_values: dict[str, Any] = Field(default_factory=dict, repr=False)

    @cached_property
    def shot(self) -> Shot:
        """What was rendered; raises ValueError where the line does not hold a Shot."""
        return Shot.model_validate(self.shot_values)

    @cached_property
    def exposure(self) -> Exposure:
        """What was developed; raises ValueError where the line does not hold an Exposure."""
        return Exposure.model_validate(self.exposure_values)
