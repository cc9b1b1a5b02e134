"""The `output` section: what is written for each image. Outputs that are off cost nothing."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from blendgen.spec.section import Section


class Output(Section):
    """What is written for each image."""

    format: Literal["png", "jpeg"] = Field("png", description="file format of the images")
    jpeg_quality: int = Field(92, ge=40, le=100, description="quality of the files with format: jpeg")
    container: Literal["files", "webdataset", "parquet"] = Field(
        "files",
        description="files: a file for each image; webdataset, parquet: few large files in data/, each with "
        "many images, for millions of them",
    )
    images_per_file: int | None = Field(
        None,
        ge=1,
        description="number of images that large files hold together, all splits; the default makes files of "
        "about 500 MB",
    )
    masks: bool = Field(True, description="instance masks as 16-bit PNG in masks/")
    clean: bool = Field(False, description="a copy of each image without sensor noise, in clean/")
    depth: bool | Literal["png", "exr"] = Field(
        False,
        description="depth along the optical axis in depth/: png (or true), 16 bit in steps of 0.1 mm; or "
        "exr, metres",
    )
    semantic: bool = Field(False, description="class of each pixel, label_id + 1, as PNG in semantic/")
    parts: bool = Field(False, description="part of the product at each pixel as 16-bit PNG in parts/")
    amodal_masks: bool = Field(
        False,
        description="whole silhouette of each product, also where it is hidden, as EXR in amodal_masks/",
    )
    soft_masks: bool = Field(
        False,
        description="fraction of each pixel that each product covers (Cryptomatte), as EXR in soft_masks/",
    )
    normals: bool = Field(False, description="surface normals in camera coordinates, as EXR in normals/")
    albedo: bool = Field(
        False, description="fraction of the light that the surfaces reflect, sRGB, as PNG in albedo/"
    )
    nocs: bool = Field(
        False, description="normalised object coordinates (NOCS) of each pixel, as EXR in nocs/"
    )
    keypoints: bool = Field(False, description="keypoints from the models' sidecars, in the manifest")
    truncation: bool = Field(
        False, description="fraction of each product outside of the image, in the manifest"
    )
    obb: bool = Field(
        False, description="rotated rectangle of least area around each product, in the manifest"
    )
    bbox_3d: bool = Field(
        False,
        description="corners of each product's box in camera coordinates and in pixels, in the manifest",
    )

    @field_validator("depth")
    @classmethod
    def _true_is_png(cls, depth: bool | Literal["png", "exr"]) -> bool | Literal["png", "exr"]:
        return "png" if depth is True else depth

    @model_validator(mode="after")
    def _container_holds_the_labels(self) -> Self:
        if self.container == "files" and self.images_per_file is not None:
            raise ValueError("images_per_file needs container: webdataset or parquet")
        if self.container == "parquet" and self._exr_labels:
            raise ValueError(
                f"container: parquet cannot hold EXR files ({', '.join(self._exr_labels)}), which its "
                "loaders do not read; choose container: webdataset, or leave them out"
            )
        return self

    @property
    def _exr_labels(self) -> list[str]:
        """The labels that are written as EXR files."""
        names = ("amodal_masks", "soft_masks", "normals", "nocs")
        return [name for name in names if getattr(self, name)] + (["depth"] if self.depth == "exr" else [])

    @property
    def depth_suffix(self) -> str:
        """Suffix of the depth files, if there are any."""
        return ".exr" if self.depth == "exr" else ".png"

    @property
    def surfaces(self) -> bool:
        """Whether a label describes the surface at each pixel's centre."""
        return self.normals or self.albedo
