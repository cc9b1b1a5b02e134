"""The schema of a scene spec: what may vary, with types, bounds and defaults.

Every field that is a `Distribution` is a constant or a distribution (docs/spec.md). The models are
frozen, unknown keys are refused, and a field's description is its documentation: the JSON
Schema and docs/spec.md are made from here. Reading YAML is load.py's business.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from blendgen.files.names import checked_name
from blendgen.scene.vocabulary import PATH_TRACED_LAMPS
from blendgen.spec.backdrop import BackdropSection
from blendgen.spec.camera import CameraSection
from blendgen.spec.distributions import Choice, Constant, SameAs
from blendgen.spec.fields import whole_number
from blendgen.spec.lighting import ExposureSection, Lighting
from blendgen.spec.output import Output
from blendgen.spec.placement import ContainerSection, Placement
from blendgen.spec.presets import RenderSettings, checked_resolution
from blendgen.spec.products import ConditionSection, Distractors, Occluders, ProductSource
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

    blendgen: Literal[1] = Field(description="version of this format")
    name: Name = Field(description="name of the data set")
    seed: int = Field(0, ge=0, lt=2**63, description="everything random follows from it")
    images: int = Field(1000, ge=1, le=100_000_000, description="how many; -n overrides")
    resolution: tuple[int, int] = Field((224, 224), description="width and height in pixels")
    sampling: Literal["independent", "low_discrepancy"] = Field(
        "independent",
        description="independent: each image is sampled on its own; low_discrepancy: scrambled sequences "
        "cover the range of each parameter evenly, which matters for small data sets",
    )
    splits: dict[str, float] = Field(
        {"train": 0.8, "val": 0.1, "test": 0.1}, min_length=1, description="share of the shots of each"
    )
    hold_out: dict[str, dict[str, list[str | float | int]]] = Field(
        {},
        description="what only one split is to have: split -> parameter, product or colorway -> its values "
        "(names), or [low, high] of a number; the other shots go to the other splits",
    )
    products: list[ProductSource] = Field(min_length=1)
    condition: ConditionSection = ConditionSection()
    distractors: Distractors | None = Field(None, description="things that lie about and are no products")
    occluders: Occluders | None = Field(None, description="things that hide a part of the subject")
    products_per_image: whole_number(1, 40) = Field(Constant(1), description="products in one image")
    placement: Placement = Placement()
    container: ContainerSection | None = Field(None, description="an open box in which the products lie")
    surface: SurfaceSection = SurfaceSection()
    backdrop: BackdropSection | None = Field(None, description="photos behind everything")
    camera: CameraSection = CameraSection()
    lighting: Lighting = Lighting()
    exposures_per_shot: int = Field(1, ge=1, le=64, description="images developed from one path tracing")
    exposure: ExposureSection = ExposureSection()
    sensor: SensorSettings = Field(description="a preset of configs/sensors, or its fields")
    render: RenderSettings = Field(description="a preset of configs/render, or its fields")
    output: Output = Output()

    @field_validator("resolution", mode="before")
    @classmethod
    def _sane_resolution(cls, value):
        return checked_resolution(value)

    @field_validator("splits")
    @classmethod
    def _sane_splits(cls, value):
        for split, share in value.items():
            if not split.isidentifier():
                raise ValueError(f"the split {split!r} must be one word of letters and digits")
            checked_name(split)
            if not 0 <= share <= 1:
                raise ValueError(f"the share of {split} must be from 0 to 1, got {share:g}")
        if abs(sum(value.values()) - 1) > 1e-6:
            raise ValueError(f"the shares must sum to 1, got {sum(value.values()):g}")
        return value

    @model_validator(mode="after")
    def _boxes_hold_piles(self):
        if self.container is not None and self.placement.arrangement != "pile":
            raise ValueError("a container holds a pile: set placement.arrangement: pile")
        return self

    @model_validator(mode="after")
    def _engine_has_the_lamps(self):
        kind = self.lighting.lamps.kind
        kinds = {Constant: lambda: (kind.value,), Choice: lambda: kind.possible()}.get(type(kind), tuple)()
        lacking = [lamp for lamp in PATH_TRACED_LAMPS if lamp in kinds]
        lacking += ["visible lamps"] if self.lighting.lamps.visible else []
        if self.render.engine == "eevee" and lacking:
            raise ValueError(
                f"render.engine: eevee has no {' and no '.join(lacking)}; change "
                "lighting.lamps, or set engine: cycles"
            )
        return self

    @model_validator(mode="after")
    def _something_is_seen(self):
        least, largest = self.placement.visible_fraction
        if self.occluders is not None and not isinstance(self.occluders.visible_fraction, SameAs):
            low, high = self.occluders.visible_fraction.support()
            if low >= largest or high <= least:
                raise ValueError(
                    f"occluders.visible_fraction from {low:g} to {high:g} leaves nothing of "
                    f"placement.visible_fraction [{least:g}, {largest:g}]"
                )
        return self
