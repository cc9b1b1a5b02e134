"""The `products` section: model files and families, their classes and colours."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from blendgen.errors import did_you_mean
from blendgen.files.names import nfc
from blendgen.geometry.color import hex_to_srgb
from blendgen.scene.vocabulary import CASE_COLORS, CLEAR, FAMILIES, Unit
from blendgen.spec.distributions import Choice, Constant, Distribution
from blendgen.spec.section import Section, ShortSection
from blendgen.system.entry_points import FAMILY_GROUP, plugin_names

Name = Annotated[str, AfterValidator(nfc)]


class ModelSource(Section):
    """Where 3D models come from."""

    catalog: str | None = Field(
        None,
        description="family of models: " + ", ".join(FAMILIES) + ", or one of another package",
    )
    directory: str | None = Field(None, description="folder of 3D models, relative to the spec file")
    models: list[Name] | None = Field(
        None,
        min_length=1,
        description="use only these models: names, or files of the directory such as mug.glb or "
        "*/visual/*.obj; default: all but collision meshes, which patterns match only if they say so, "
        "such as */collision/*",
    )
    names: Literal["file", "path"] = Field(
        "file",
        description="what names a model: file, its file, or its folder if the file is called scene or the "
        "like; path, all its folders and its file, joined by __",
    )
    unit: Unit | None = Field(
        None,
        description="unit of obj, stl, ply and off files (default m); overrides the unit of other formats",
    )
    up: Literal["x", "y", "z"] | None = Field(
        None, description="up axis of obj (default y), stl, ply, off, step and iges files (default z)"
    )
    follow_links: bool = Field(False, description="also use links that lead out of the directory")
    allow_outside: bool = Field(
        False, description="models may read textures and other files from outside of the directory"
    )
    bevel_mm: float | None = Field(
        None,
        ge=0,
        le=10,
        description="radius to which sharp edges of the models appear rounded, for CAD models; affects only "
        "the shading: outlines and masks stay exact; default: 0, and for STEP and IGES 0.3, or less if the "
        "model is small",
    )

    @field_validator("catalog")
    @classmethod
    def _known_family(cls, family: str | None) -> str | None:
        if family is not None and family not in FAMILIES:
            known = [*FAMILIES, *plugin_names(FAMILY_GROUP)]
            if family not in known:
                raise ValueError(f"{family!r} is not a family of models{did_you_mean(family, known)}")
        return family

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.catalog is None) == (self.directory is None):
            raise ValueError("give either catalog (a family of models) or directory (a folder of models)")
        if self.catalog is not None and (self.unit or self.up):
            raise ValueError("unit and up apply only to a directory; families need neither")
        if self.catalog is not None and self.follow_links:
            raise ValueError("follow_links applies only to a directory; families do not have links")
        if self.catalog is not None and self.allow_outside:
            raise ValueError("allow_outside applies only to a directory; families do not read other files")
        if self.catalog is not None and self.names != "file":
            raise ValueError(
                "names applies only to a directory; the models of a family have names of their own"
            )
        if self.catalog is not None and self.bevel_mm is not None:
            raise ValueError("bevel_mm applies only to a directory; families define their own edges")
        return self


class Finish(ShortSection):
    """Appearance of one part in one colourway; keys that are left out keep the model's values."""

    SHORT = ("color", {"type": "string"})

    color: str | None = Field(None, description="sRGB '#rrggbb'; replaces a texture")
    roughness: float | None = Field(None, ge=0, le=1, description="0 is a mirror, 1 is matte")
    metallic: float | None = Field(None, ge=0, le=1, description="1 for metal, 0 for everything else")
    transmission: float | None = Field(None, ge=0, le=1, description="0 is opaque, 1 is clear as glass")

    @field_validator("color")
    @classmethod
    def _is_hex(cls, value: str | None) -> str | None:
        if value is not None:
            hex_to_srgb(value)
        return value


class ProductSource(ModelSource):
    """Where products come from, and how their classes are defined."""

    colorways: list[Name] | None = Field(
        None, min_length=1, description="use only these colourways; default: all"
    )
    recolor: dict[Name, dict[str, Finish]] | None = Field(
        None,
        min_length=1,
        description="colourways that replace the models' own: name -> part pattern -> '#rrggbb' or "
        "{color, roughness, metallic, transmission}; {} keeps the model as it is",
    )
    recolor_table: str | None = Field(
        None, description="a YAML, JSON or CSV file with such a table, relative to the spec file"
    )
    label: Literal["model", "colorway", "model+colorway", "folder", "class"] | None = Field(
        None,
        description="what defines the class of an image; class: the class in each model's sidecar; default: "
        "class if every model has one, otherwise model",
    )
    case: float = Field(0.0, ge=0, le=1, description="fraction of the images in which a phone is in a case")
    case_colors: list[str] = Field(
        list(CASE_COLORS),
        min_length=1,
        description="colours of the cases, equally likely: '#rrggbb' (sRGB) or clear",
    )

    @field_validator("case_colors")
    @classmethod
    def _case_colors(cls, colors: list[str]) -> list[str]:
        for color in colors:
            if color != CLEAR:
                hex_to_srgb(color)
        return colors

    @model_validator(mode="after")
    def _class_of_a_directory(self) -> Self:
        if self.label == "class" and self.catalog in FAMILIES:
            raise ValueError(
                "label: class applies only to a directory, whose models have sidecars; use label: model"
            )
        return self

    @model_validator(mode="after")
    def _case_for_phones(self) -> Self:
        if self.case and self.catalog != "phones":
            raise ValueError("case applies only to catalog: phones")
        return self

    @property
    def case_distribution(self) -> Distribution:
        """The distribution of the case's colour; None means without a case."""
        if not self.case:
            return Constant(None)
        each = self.case / len(self.case_colors)
        return Choice((None, *self.case_colors), (1 - self.case, *(each for _ in self.case_colors)))

    @model_validator(mode="after")
    def _one_table(self) -> Self:
        if self.recolor is not None and self.recolor_table is not None:
            raise ValueError("give either recolor or recolor_table, not both")
        return self
