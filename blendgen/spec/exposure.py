"""The `exposure` section: the strength of the lights, and the settings of the camera, in each image."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from blendgen.spec.distributions import Constant, Distribution, LogUniform, TruncatedNormal, Uniform
from blendgen.spec.fields import number
from blendgen.spec.section import Section


class ExposureSection(Section):
    """Light strengths and camera settings, sampled for each exposure of a shot."""

    environment_ev: Annotated[Distribution, number(-20, 20)] = Field(
        Uniform(-2.5, 0.5), description="brightness of the environment in stops"
    )
    lamp_ev: Annotated[Distribution, number(-20, 20)] = Field(
        Uniform(-1.0, 1.5),
        description="brightness of each lamp in stops; a flash at 0 equals a lamp at 0 that is on for 10 ms",
    )
    environment_temperature_k: Annotated[Distribution, number(1700, 25000)] = Field(
        Uniform(4500.0, 7500.0),
        description="colour temperature of the environment (black body)",
    )
    lamp_temperature_k: Annotated[Distribution, number(1700, 25000)] = Field(
        Uniform(2700.0, 6500.0), description="colour temperature of each lamp (black body)"
    )
    lamp_tint: Annotated[Distribution, number(-1, 1)] = Field(
        Constant(0.0),
        description="tint of each lamp away from the black body: -1 is magenta, 1 is green",
    )
    backlight_ev: Annotated[Distribution, number(-20, 20)] = Field(
        Uniform(-1.0, 0.3),
        description="brightness of a backlit_sheet in stops; at 0 it is as bright as white paper",
    )
    metering: Literal["incident", "manual"] = Field(
        "incident", description="incident: by the light that falls on the products; manual: a fixed exposure"
    )
    camera_ev: Annotated[Distribution, number(-20, 20)] = Field(
        TruncatedNormal(-0.2, 0.35, -1.0, 0.4), description="exposure compensation in stops"
    )
    white_balance_mode: Literal["incident", "gray_world", "fixed"] = Field(
        "incident",
        description="incident: for the light that falls on the products; gray_world: for the mean of the "
        "image, like automatic white balance; fixed: for white_balance_temperature_k",
    )
    white_balance: Annotated[Distribution, number(0, 1)] = Field(
        Uniform(0.6, 1.0), description="how much of the light's colour the camera corrects; 1 is all of it"
    )
    white_balance_temperature_k: Annotated[Distribution, number(1700, 25000)] = Field(
        Constant(5000.0), description="setting of the camera with white_balance_mode: fixed"
    )
    time_s: Annotated[Distribution, number(1e-6, 60)] = Field(
        LogUniform(0.002, 0.02),
        description="exposure time; metering compensates for it, but if a strobe fires, it decides how "
        "bright all other light is compared with the flash",
    )
    strobe_s: Annotated[Distribution, number(1e-7, 1)] = Field(
        LogUniform(2e-5, 5e-4),
        description="duration of a strobe's flash, in the middle of the exposure and at most as long",
    )
    gain_db: Annotated[Distribution, number(0, 48)] = Field(
        Uniform(0.0, 9.0), description="gain of the sensor; a higher gain is noisier"
    )
    grain: Annotated[Distribution, number(0, 1)] = Field(
        Constant(0.0), description="strength of film grain, added to the sensor noise"
    )
