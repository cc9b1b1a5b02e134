"""The `products` section: where models come from, how they are coloured, what their class is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from blendgen.errors import did_you_mean
from blendgen.geometry.color import hex_to_srgb
from blendgen.scene.vocabulary import CASE_COLORS, CLEAR, FAMILIES, METRES_PER_UNIT
from blendgen.spec.distributions import Choice, Constant, Distribution, Integers, Uniform
from blendgen.spec.fields import number, whole_number
from blendgen.spec.section import Section, ShortSection


class ModelSource(Section):
    """Where 3D models come from."""

    catalog: str | None = Field(None, description="built-in family: " + ", ".join(FAMILIES))
    directory: str | None = Field(None, description="folder of 3D models, relative to the spec file")
    models: list[str] | None = Field(None, min_length=1, description="only these; default: all")
    unit: Literal[tuple(METRES_PER_UNIT)] | None = Field(
        None, description="unit of obj, stl and ply files (default m); overrides that of other formats"
    )
    up: Literal["x", "y", "z"] | None = Field(None, description="up axis of obj, stl and ply files")
    follow_links: bool = Field(
        False, description="take also what links in the directory lead to outside of it"
    )
    bevel_mm: float | None = Field(
        None,
        gt=0,
        le=10,
        description="radius to which the sharp edges of a directory's models look rounded, as CAD models "
        "need it; shading only: outline and masks stay exact",
    )

    @field_validator("catalog")
    @classmethod
    def _known_family(cls, family):
        if family is not None and family not in FAMILIES:
            raise ValueError(f"{family!r} is not a built-in family{did_you_mean(family, FAMILIES)}")
        return family

    @model_validator(mode="after")
    def _one_place(self):
        if (self.catalog is None) == (self.directory is None):
            raise ValueError("give either catalog (a built-in family) or directory (a folder of models)")
        if self.catalog is not None and (self.unit or self.up):
            raise ValueError("unit and up belong to a directory; a built-in family knows its size")
        if self.catalog is not None and self.follow_links:
            raise ValueError("follow_links belongs to a directory; a built-in family has no links")
        if self.catalog is not None and self.bevel_mm:
            raise ValueError("bevel_mm belongs to a directory; a built-in family has its own edges")
        return self


class Distractors(ModelSource):
    """Things that lie about and are no products: no label, no box, but a place, and shadows."""

    count: whole_number(0, 12) = Field(Integers(0, 3), description="how many, where they find room")
    gap_m: number(0, 1) = Field(Uniform(0.005, 0.1), description="room to what lies there already")


class Occluders(ModelSource):
    """Things that reach in between the camera and the subject, and hide a part of it."""

    count: whole_number(0, 4) = Field(Constant(1), description="how many; 0 for a free view")
    visible_fraction: number(0.05, 0.99) = Field(
        Uniform(0.5, 0.9),
        description="share of the subject that they leave visible; their place is solved for, and shots that "
        "miss the range are drawn again",
    )
    height_m: number(0, 5) = Field(
        Uniform(0.01, 0.12), description="their height over what lies there; less where the camera is lower"
    )


class ConditionSection(Section):
    """In what state the products are; 0 is factory new and switched off."""

    scratches: number(0, 1) = Field(Constant(0.0), description="fine scratches, more and deeper")
    fingerprints: number(0, 1) = Field(Constant(0.0), description="greasy smears that dull reflections")
    dust: number(0, 1) = Field(Constant(0.0), description="dust, specks and lint on what faces up")
    scuffs: number(0, 1) = Field(
        Constant(0.0), description="abraded, matt, lighter patches; first on edges and corners"
    )
    stickers: number(0, 1) = Field(
        Constant(0.0),
        description="labels, vinyl stickers and strips of tape on what faces up: the chance of each of "
        "four that may be there",
    )
    cracks: number(0, 1) = Field(
        Constant(0.0),
        description="cracked glass, further and finer (a phone's glass; parts named glass, screen, display "
        "or window)",
    )
    screen: number(0, 8) = Field(
        Constant(0.0),
        description="brightness of a screen (a part named display or screen) that shows something; 0 off, "
        "1 as white paper in unit light",
    )


class Finish(ShortSection):
    """How one part of a product looks in one colourway; what is left out stays as the model has it."""

    SHORT = ("color", {"type": "string"})

    color: str | None = Field(None, description="sRGB '#rrggbb'; takes the place of a texture")
    roughness: float | None = Field(None, ge=0, le=1, description="0 mirror to 1 matte")
    metallic: float | None = Field(None, ge=0, le=1, description="0 or 1")
    transmission: float | None = Field(None, ge=0, le=1, description="0 opaque to 1 clear as glass")

    @field_validator("color")
    @classmethod
    def _is_hex(cls, value):
        if value is not None:
            hex_to_srgb(value)
        return value


class ProductSource(ModelSource):
    """Where products come from, and what their class is."""

    colorways: list[str] | None = Field(None, min_length=1, description="only these; default: all")
    recolor: dict[str, dict[str, Finish]] | None = Field(
        None,
        min_length=1,
        description="colourways instead of the models' own: name -> part pattern -> '#rrggbb' or "
        "{color, roughness, metallic, transmission}; {} is the model as it is",
    )
    recolor_table: str | None = Field(
        None, description="the same from a YAML, JSON or CSV file, relative to the spec file"
    )
    label: Literal["model", "colorway", "model+colorway", "folder", "class"] | None = Field(
        None,
        description="what the class of an image is; class: as each model's sidecar says; default: class "
        "where every model has one, else model",
    )
    case: float = Field(0.0, ge=0, le=1, description="share of the images in which a phone wears a case")
    case_colors: list[str] = Field(
        list(CASE_COLORS), min_length=1, description="of cases, equally likely: '#rrggbb' (sRGB), or clear"
    )

    @field_validator("case_colors")
    @classmethod
    def _case_colors(cls, colors):
        for color in colors:
            if color != CLEAR:
                hex_to_srgb(color)
        return colors

    @model_validator(mode="after")
    def _class_of_a_directory(self):
        if self.label == "class" and self.catalog is not None:
            raise ValueError(
                "label: class belongs to a directory, whose models have sidecars; use label: model"
            )
        return self

    @model_validator(mode="after")
    def _case_for_phones(self):
        if self.case and self.catalog != "phones":
            raise ValueError("case belongs to catalog: phones; nothing else has cases")
        return self

    @property
    def case_distribution(self) -> Distribution:
        """The colour of a case, None for none."""
        if not self.case:
            return Constant(None)
        each = self.case / len(self.case_colors)
        return Choice((None, *self.case_colors), (1 - self.case, *(each for _ in self.case_colors)))

    @model_validator(mode="after")
    def _one_table(self):
        if self.recolor is not None and self.recolor_table is not None:
            raise ValueError("give either recolor or recolor_table")
        return self
