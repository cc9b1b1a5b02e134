"""The `output` section: what is written for each image. What is not asked for costs nothing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from blendgen.spec.section import Section


class Output(Section):
    """What is written for each image."""

    format: Literal["png", "jpeg"] = Field("png", description="file format of the images")
    jpeg_quality: int = Field(92, ge=40, le=100, description="for jpeg")
    masks: bool = Field(True, description="instance masks as 16-bit PNG under masks/")
    clean: bool = Field(False, description="the same image without the sensor's noise, under clean/")
    depth: bool | Literal["png", "exr"] = Field(
        False,
        description="depth along the optical axis under depth/: png (or true), 16 bit, 0.1 mm a step; or "
        "exr, metres",
    )
    semantic: bool = Field(False, description="class of each pixel, label_id + 1, as PNG under semantic/")
    parts: bool = Field(False, description="part of the product at each pixel as 16-bit PNG under parts/")
    soft_masks: bool = Field(
        False,
        description="share of each pixel that each product covers (Cryptomatte), as EXR under soft_masks/",
    )
    normals: bool = Field(
        False, description="unit normals of what is seen, in the camera's frame, as EXR under normals/"
    )
    albedo: bool = Field(
        False, description="share of the light that surfaces send back, sRGB, as PNG under albedo/"
    )
    nocs: bool = Field(False, description="NOCS: where on its product each pixel lies, as EXR under nocs/")
    keypoints: bool = Field(False, description="keypoints that the models' sidecars declare, in the manifest")
    truncation: bool = Field(
        False, description="share of each product that the image's border cuts off, in the manifest"
    )
    obb: bool = Field(
        False, description="the turned rectangle of least area round each product, in the manifest"
    )
    bbox_3d: bool = Field(
        False, description="corners of each product's box in space and in the image, in the manifest"
    )

    @field_validator("depth")
    @classmethod
    def _one_word(cls, depth):
        return "png" if depth is True else depth

    @property
    def depth_suffix(self) -> str:
        """Of depth files, where there are any."""
        return ".exr" if self.depth == "exr" else ".png"

    @property
    def surfaces(self) -> bool:
        """Whether something is asked of the surface at each pixel's centre."""
        return self.normals or self.albedo
