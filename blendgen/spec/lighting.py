"""The `lighting` and `exposure` sections: where light comes from, and how bright it is in each image."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from blendgen.scene.vocabulary import ENVIRONMENTS, LAMP_KINDS
from blendgen.spec.distributions import Choice, Constant, LogUniform, TruncatedNormal, Uniform
from blendgen.spec.fields import direction_above, name_of, number, whole_number
from blendgen.spec.section import Section

# defaults of keys that exclude one another, and so cannot stand in their fields
AZIMUTH_DEG = Uniform(0.0, 360.0)
LAMP_ELEVATION_DEG = Uniform(25.0, 80.0)
ENVIRONMENT_IMAGE = Choice(("studio", "interior", "city"), (1.0,) * 3)


class EnvironmentSection(Section):
    """Light from all around."""

    image: name_of(ENVIRONMENTS) | None = Field(
        None, description=f"{', '.join(ENVIRONMENTS)} (default {ENVIRONMENT_IMAGE})"
    )
    directory: str | None = Field(
        None, description="instead: a folder of .hdr or .exr panoramas, relative to the spec file"
    )
    follow_links: bool = Field(False, description="also read links that lead out of the directory")
    rotation_deg: number() = Field(Uniform(0.0, 360.0), description="turn about the vertical")

    @model_validator(mode="after")
    def _one_source(self):
        if self.image is not None and self.directory is not None:
            raise ValueError("give either image or directory")
        return self


class LampsSection(Section):
    """Lamps and sunlight round the products; each is its own light group."""

    count: whole_number(0, 8) = Field(Choice((1, 2, 3), (1.0,) * 3), description="how many")
    kind: name_of(LAMP_KINDS) = Field(
        Choice(("area", "strip"), (1.0,) * 2), description=", ".join(LAMP_KINDS)
    )
    elevation_deg: number(5, 90) | None = Field(
        None, description=f"height over the horizon (default {LAMP_ELEVATION_DEG})"
    )
    azimuth_deg: number() | None = Field(None, description=f"compass direction (default {AZIMUTH_DEG})")
    direction: direction_above(5) | None = Field(None, description="instead of elevation and azimuth")
    distance_m: number(0.1, 50) = Field(Uniform(0.8, 2.0), description="lamp to the ball round the products")
    size_m: number(0.01, 10) = Field(
        Uniform(0.1, 0.6),
        description="longer side of the lamp, outer diameter of a ring, or height of a door or window "
        "across the sunlight",
    )
    sun_angle_deg: number(0.05, 20) = Field(
        Constant(0.53), description="how large the sun looks; larger is hazier, with softer shadows"
    )
    sunlit: number(0, 1) = Field(
        Uniform(0.0, 1.0),
        description="of a door or window: how far over the products its light reaches from one side; "
        "at 0 its edge just misses them, at 1 it is past them",
    )
    strobe: whole_number(0, 1) = Field(
        Constant(0), description="1: the lamp flashes, for exposure.strobe_s; 0: it burns all the time"
    )
    visible: bool = Field(False, description="whether the camera sees the lamps, not only their light")

    @model_validator(mode="after")
    def _one_way(self):
        if self.direction is not None and (self.elevation_deg or self.azimuth_deg):
            raise ValueError("direction replaces elevation_deg and azimuth_deg: give one or the others")
        return self


class Lighting(Section):
    environment: EnvironmentSection = EnvironmentSection()
    lamps: LampsSection = LampsSection()


class ExposureSection(Section):
    """What is drawn anew for each exposure of a shot: light strengths and camera settings."""

    environment_ev: number(-20, 20) = Field(Uniform(-2.5, 0.5), description="strength of the environment")
    lamp_ev: number(-20, 20) = Field(
        Uniform(-1.0, 1.5),
        description="strength of each lamp; a flash at 0 gives the light of a lamp at 0 in 10 ms",
    )
    environment_temperature_k: number(1700, 25000) = Field(
        Uniform(4500.0, 7500.0),
        description="colour of the environment's light, as a black body",
    )
    lamp_temperature_k: number(1700, 25000) = Field(
        Uniform(2700.0, 6500.0), description="colour of each lamp, as a black body"
    )
    lamp_tint: number(-1, 1) = Field(
        Constant(0.0),
        description="of each lamp, off the black body: -1 magenta, 1 green",
    )
    backlight_ev: number(-20, 20) = Field(
        Uniform(-1.0, 0.3), description="strength of a backlit_sheet; at 0 it is as bright as white paper"
    )
    metering: Literal["incident", "manual"] = Field(
        "incident", description="incident: exposed for the light that falls on the products; manual: fixed"
    )
    camera_ev: number(-20, 20) = Field(
        TruncatedNormal(-0.2, 0.35, -1.0, 0.4), description="brighter (+) or darker (-) than metered"
    )
    white_balance_mode: Literal["incident", "gray_world", "fixed"] = Field(
        "incident",
        description="how the camera knows the colour of the light: measured at the products; guessed from "
        "the image, as automatic white balance does; or set once for white_balance_temperature_k",
    )
    white_balance: number(0, 1) = Field(
        Uniform(0.6, 1.0), description="how far the camera corrects the colour of the light; 1 fully"
    )
    white_balance_temperature_k: number(1700, 25000) = Field(
        Constant(5000.0), description="for white_balance_mode: fixed"
    )
    time_s: number(1e-6, 60) = Field(
        LogUniform(0.002, 0.02),
        description="exposure time; brightness is metered apart from it, but beside a flash all other "
        "light counts by it",
    )
    strobe_s: number(1e-7, 1) = Field(
        LogUniform(2e-5, 5e-4),
        description="how long a strobe flashes, in the middle of the exposure and never beyond it",
    )
    gain_db: number(0, 48) = Field(Uniform(0.0, 9.0), description="gain of the sensor; more is noisier")
    grain: number(0, 1) = Field(Constant(0.0), description="film grain on top of the sensor's noise")
