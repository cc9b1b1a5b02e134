"""Engine: turns a Shot into a Film. The interface to every renderer.

Every engine follows the conventions of geometry/ and scene/ and passes the conformance suite in tests/engine.
An engine makes no random choices: the same Shot gives the same Film, whatever was rendered before. A Film
holds each light group at unit gain (see scene/shot.py). Engines render pinhole cameras; `annotate` and
`develop` apply lens distortion and exposure to the Film later.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Protocol

from blendgen.errors import BlendgenError
from blendgen.optics.distortion import pinhole
from blendgen.scene.film import Film
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.shot import Lamp, Shot


class EngineError(BlendgenError):
    """Rendering failed; the message names the shot and quotes the renderer."""


class Engine(Protocol):
    """A renderer that is used for many shots."""

    def render(self, shot: Shot) -> Film:
        """The film of one shot, as the pinhole of its camera sees it (see optics/distortion.py).

        raises: EngineError; GeometryError for a lens without such a pinhole, and for a shot that
            cannot be labelled
        """
        ...

    def identity(self) -> dict[str, str]:
        """Engine, version, device and kernel that made the pixels; recorded in dataset.json."""
        ...


class AdjustableEngine(Engine, Protocol):
    """An engine whose number of samples can change from shot to shot."""

    def set_samples(self, samples_per_pixel: int) -> None:
        """Set the number of paths per pixel for the shots that follow."""
        ...


class PinholeEngine(ABC):
    """Base of the engines that can only render pinhole cameras."""

    def render(self, shot: Shot) -> Film:
        """See Engine."""
        return self.render_pinhole(shot.model_copy(update={"camera": pinhole(shot.camera)}))

    @abstractmethod
    def render_pinhole(self, shot: Shot) -> Film:
        """The film of a shot whose camera does not distort; raises EngineError, or InfeasibleDraw for a shot
        that cannot be labelled."""


def lamp_radiance(lamp: Lamp) -> float:
    """Radiance of a lamp's face at unit gain.

    Chosen so that a white patch on the lamp's axis at its reference distance, facing it, sends
    radiance 1: the inverse of the configuration factor from the patch to the lamp.
    source: Howell, A Catalog of Radiation Heat Transfer Configuration Factors, B-3 and B-13
    """
    kind = LAMP_KINDS[lamp.kind]
    if kind.sunlight:
        raise ValueError("sunlight has no face; it is measured by its irradiance, which is pi at unit gain")
    if kind.face in ("disk", "ring"):
        outer, inner = (side / 2 for side in lamp.size_m)
        return 1 / (_disk(outer, lamp) - (_disk(inner, lamp) if kind.face == "ring" else 0.0))
    a, b = (side / 2 / lamp.reference_distance_m for side in lamp.size_m)
    factor = _corner(a, b) + _corner(b, a)
    return math.pi / 2 / factor


def _disk(radius: float, lamp: Lamp) -> float:
    """Configuration factor from a patch to a disk that faces it on its axis."""
    return radius**2 / (radius**2 + lamp.reference_distance_m**2)


def _corner(a: float, b: float) -> float:
    slant = math.sqrt(1 + a * a)
    return a / slant * math.atan(b / slant)


def lamp_area_m2(lamp: Lamp) -> float:
    width, height = lamp.size_m
    return math.pi * width * height / 4 if LAMP_KINDS[lamp.kind].face == "disk" else width * height
