"""Phone: the description of one phone model, as in its YAML file.

In: the mapping of assets/phones/<name>.yaml. Out: a frozen, checked `Phone`.
Lengths are in millimetres. Positions on the back are [from the left, from the top] as seen from behind; left
and right of buttons and bottom holes are as seen from the front. Colours are sRGB hex values. There are no
meshes or materials here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from blendgen.geometry.color import hex_to_srgb


def _checked_hex(text: str) -> str:
    hex_to_srgb(text)
    return text


Millimetres = Annotated[float, Field(gt=0, lt=300, allow_inf_nan=False)]
Place = tuple[Millimetres, Millimetres]
HexColor = Annotated[str, AfterValidator(_checked_hex)]
Finish = Literal["glass_glossy", "glass_matte"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Body(_Part):
    width_mm: Millimetres
    height_mm: Millimetres
    depth_mm: Millimetres
    corner_radius_mm: Millimetres


class Frame(_Part):
    """shape: rounded (half-round edge), flat (small bevel), contoured (flat with softer edges)"""

    shape: Literal["rounded", "flat", "contoured"]
    material: Literal["aluminium", "stainless_steel", "titanium"]


class Back(_Part):
    finish: Finish
    emblem_from_top_mm: Millimetres
    emblem_diameter_mm: Millimetres = 12.0


class Island(_Part):
    """The raised plateau that carries the lenses; rim_mm: width of a metal rim around it."""

    shape: Literal["pill", "rounded_square"]
    center_mm: Place
    size_mm: Place
    corner_radius_mm: Millimetres
    height_mm: Millimetres
    finish: Finish
    rim_mm: Annotated[float, Field(ge=0, lt=3)] = 0.0


class Lens(_Part):
    """height_mm: above the island, or above the back without an island."""

    center_mm: Place
    diameter_mm: Millimetres
    height_mm: Millimetres
    ring_mm: Millimetres = 0.9


class Spot(_Part):
    center_mm: Place
    diameter_mm: Millimetres


class Button(_Part):
    kind: Literal["mute_switch", "action", "volume_up", "volume_down", "power", "camera_control"]
    side: Literal["left", "right"]
    center_from_top_mm: Millimetres
    length_mm: Millimetres


class Front(_Part):
    """bezel_mm: from the edge of the body to the lit area; bezel_top_mm where top and bottom differ."""

    kind: Literal["home_button", "notch", "dynamic_island"]
    display: Literal["lcd", "oled"]
    bezel_mm: Millimetres
    bezel_top_mm: Millimetres | None = None
    cutout_mm: Place | None = None

    @model_validator(mode="after")
    def _cutout_fits_kind(self):
        if (self.kind == "home_button") != (self.cutout_mm is None):
            raise ValueError("cutout_mm is required for a notch or dynamic_island, and not allowed otherwise")
        return self

    @property
    def cutout(self) -> Place:
        """(width, height) of the notch or island in millimetres; raises ValueError if there is none."""
        if self.cutout_mm is None:
            raise ValueError("a front with a home button has no cutout")
        return self.cutout_mm


class Bottom(_Part):
    port: Literal["lightning", "usb_c"]
    holes_left: Annotated[int, Field(ge=0, le=8)]
    holes_right: Annotated[int, Field(ge=0, le=8)]


class Antennas(_Part):
    """Centres of the antenna lines: from the top on the long sides, else from the front's left."""

    left_mm: tuple[Millimetres, ...] = ()
    right_mm: tuple[Millimetres, ...] = ()
    top_mm: tuple[Millimetres, ...] = ()
    bottom_mm: tuple[Millimetres, ...] = ()


class Finishes(_Part):
    """Colours of one colourway; the optional ones follow from back and frame."""

    back: HexColor
    frame: HexColor
    island: HexColor | None = None
    bezel: HexColor | None = None
    lens_ring: HexColor | None = None
    emblem: HexColor | None = None
    antenna: HexColor | None = None


class Phone(_Part):
    """One phone model; see the module header for its coordinates."""

    title: Annotated[str, Field(min_length=1)]
    year: Annotated[int, Field(ge=2007, le=2100)]
    body: Body
    frame: Frame
    back: Back
    island: Island | None = None
    lenses: Annotated[tuple[Lens, ...], Field(min_length=1)]
    flash: Spot
    microphone: Spot | None = None
    lidar: Spot | None = None
    buttons: tuple[Button, ...]
    front: Front
    antennas: Antennas
    bottom: Bottom
    colorways: Annotated[dict[str, Finishes], Field(min_length=1)]

    @model_validator(mode="after")
    def _corner_fits_body(self):
        shortest_mm = min(self.body.width_mm, self.body.height_mm)
        if 2 * self.body.corner_radius_mm >= shortest_mm:
            raise ValueError(f"body.corner_radius_mm must be below half of {shortest_mm} mm")
        return self

    @model_validator(mode="after")
    def _parts_lie_on_back(self):
        for field, place, half_size in self._footprints():
            limits = (self.body.width_mm, self.body.height_mm)
            for axis in (0, 1):
                low, high = place[axis] - half_size[axis], place[axis] + half_size[axis]
                if low < 0 or high > limits[axis]:
                    raise ValueError(f"{field} extends beyond the edge of the body ({low:g} to {high:g} mm)")
        return self

    def _footprints(self):
        if self.island:
            yield "island", self.island.center_mm, [size / 2 for size in self.island.size_mm]
        for number, lens in enumerate(self.lenses):
            yield f"lenses.{number}", lens.center_mm, [lens.diameter_mm / 2] * 2
        for field in ("flash", "microphone", "lidar"):
            spot = getattr(self, field)
            if spot:
                yield field, spot.center_mm, [spot.diameter_mm / 2] * 2
