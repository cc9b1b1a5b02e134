"""The schema of a scene spec: what may vary, with types, bounds and defaults.

A field of type `Distribution` takes a constant or a distribution (docs/spec.md). The models are frozen
and unknown keys are errors. A field's description is its documentation: the JSON Schema and docs/spec.md
are generated from it. load.py reads YAML.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from blendgen.files.names import checked_name, nfc
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.split_names import same_split_fault, split_name_fault
from blendgen.spec.backdrop import BackdropSection
from blendgen.spec.camera import CameraSection
from blendgen.spec.condition import ConditionSection
from blendgen.spec.container import ContainerSection
from blendgen.spec.distractors import Distractors
from blendgen.spec.distributions import Constant, Distribution, SameAs, possible_values
from blendgen.spec.exposure import ExposureSection
from blendgen.spec.fields import whole_number
from blendgen.spec.lighting import Lighting
from blendgen.spec.occluders import Occluders
from blendgen.spec.output import Output
from blendgen.spec.placement import Placement
from blendgen.spec.products import ProductSource
from blendgen.spec.render import RenderSettings, checked_resolution
from blendgen.spec.section import Section
from blendgen.spec.sensor import SensorSettings
from blendgen.spec.surface import SurfaceSection

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[^\s/\\:*?\"<>|.][^/\\:*?\"<>|]*$", max_length=100),
    AfterValidator(checked_name),
]


class Spec(Section):
    """What may vary in a data set: the root of a spec file."""

    blendgen: Literal[1] = Field(description="version of the spec format")
    name: Name = Field(description="name of the data set")
    seed: int = Field(0, ge=0, lt=2**63, description="seed of all random numbers")
    images: int = Field(1000, ge=1, le=100_000_000, description="number of images; `-n` overrides it")
    resolution: tuple[int, int] = Field((224, 224), description="[width, height] of the images in pixels")
    sampling: Literal["independent", "low_discrepancy"] = Field(
        "independent",
        description="independent: each image is sampled on its own; low_discrepancy: scrambled sequences "
        "cover the range of each parameter evenly, which matters for small data sets",
    )
    splits: dict[str, float] = Field(
        {"train": 0.8, "val": 0.1, "test": 0.1},
        min_length=1,
        description="share of the shots in each split; the shares sum to 1",
    )
    hold_out: dict[str, dict[str, list[str | float | int]]] = Field(
        {},
        description="values that only one split contains: split -> parameter, `product` or `colorway` -> "
        "list of names, or [low, high] for a number; all other shots go to the other splits",
    )
    products: list[ProductSource] = Field(
        min_length=1, description="where the products come from, and their classes"
    )
    condition: ConditionSection = ConditionSection()
    distractors: Distractors | None = Field(None, description="objects that are not products")
    occluders: Occluders | None = Field(None, description="objects that hide part of the subject")
    products_per_image: Annotated[Distribution, whole_number(1, 40)] = Field(
        Constant(1), description="number of products in an image"
    )
    placement: Placement = Placement()
    container: ContainerSection | None = Field(None, description="an open box that holds the products")
    surface: SurfaceSection = SurfaceSection()
    backdrop: BackdropSection | None = Field(None, description="photos behind everything else")
    camera: CameraSection = CameraSection()
    lighting: Lighting = Lighting()
    exposures_per_shot: int = Field(
        1, ge=1, le=64, description="number of images developed from one path-traced shot"
    )
    exposure: ExposureSection = ExposureSection()
    sensor: SensorSettings = Field(
        description="name of a preset of configs/sensors, or a mapping of its fields"
    )
    render: RenderSettings = Field(
        description="name of a preset of configs/render, or a mapping of its fields"
    )
    output: Output = Output()

    @field_validator("resolution", mode="before")
    @classmethod
    def _resolution(cls, value: Any) -> tuple[int, int]:
        return checked_resolution(value)

    @field_validator("hold_out")
    @classmethod
    def _names_of_models(
        cls, value: dict[str, dict[str, list[str | float | int]]]
    ) -> dict[str, dict[str, list[str | float | int]]]:
        """Those of products and colourways in NFC; the names of pictures are those of their files."""
        return {
            split: {
                key: [
                    nfc(one) if key in ("product", "colorway") and isinstance(one, str) else one for one in of
                ]
                for key, of in conditions.items()
            }
            for split, conditions in value.items()
        }

    @field_validator("splits")
    @classmethod
    def _splits(cls, value: dict[str, float]) -> dict[str, float]:
        for split, share in value.items():
            if not split.isidentifier():
                raise ValueError(f"the name of a split must be one word of letters and digits, got {split!r}")
            checked_name(split)
            fault = split_name_fault(split)
            if fault:
                raise ValueError(f"{split!r} {fault}")
            if not 0 <= share <= 1:
                raise ValueError(f"the share of {split} must be from 0 to 1, got {share:g}")
        fault = same_split_fault(value)
        if fault:
            raise ValueError(fault)
        if abs(sum(value.values()) - 1) > 1e-6:
            raise ValueError(f"the shares must sum to 1, got {sum(value.values()):g}")
        return value

    @model_validator(mode="after")
    def _container_needs_a_pile(self) -> Self:
        if self.container is not None and self.placement.arrangement != "pile":
            raise ValueError("container needs placement.arrangement: pile")
        return self

    @model_validator(mode="after")
    def _engine_supports_the_lamps(self) -> Self:
        kind = self.lighting.lamps.kind
        kinds = possible_values(kind)
        unsupported = [
            f"kind: {kind}" for kind in LAMP_KINDS if kind in kinds and LAMP_KINDS[kind].path_traced
        ]
        unsupported += ["visible: true"] if self.lighting.lamps.visible else []
        if self.render.engine == "eevee" and unsupported:
            raise ValueError(
                f"render.engine: eevee does not support {' or '.join(unsupported)} in lighting.lamps; change "
                "that, or set render.engine: cycles"
            )
        return self

    @model_validator(mode="after")
    def _visible_fractions_overlap(self) -> Self:
        least, largest = self.placement.visible_fraction
        if self.occluders is not None and not isinstance(self.occluders.visible_fraction, SameAs):
            low, high = self.occluders.visible_fraction.support()
            if low >= largest or high <= least:
                raise ValueError(
                    f"occluders.visible_fraction, {low:g} to {high:g}, does not overlap "
                    f"placement.visible_fraction [{least:g}, {largest:g}]; change one of them"
                )
        return self
