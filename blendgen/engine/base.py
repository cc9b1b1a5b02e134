"""Engine: what turns a Shot into a Film. The border to whatever renders.

Every engine honours the conventions of geometry.py and shot.py and passes the conformance suite
in tests/engine. An engine holds no chance: the same Shot gives the same Film, whatever was
rendered before. Light groups come at unit gain (see shot.py); exposures are not its business.
"""

from __future__ import annotations

import math
from typing import Protocol

from blendgen.errors import BlendgenError
from blendgen.scene.film import Film
from blendgen.scene.shot import Lamp, Shot
from blendgen.scene.vocabulary import SUNLIGHT


class EngineError(BlendgenError):
    """Rendering failed; the text names the shot and what the engine said."""


class Engine(Protocol):
    """A renderer that lives through many shots."""

    def render(self, shot: Shot) -> Film:
        """Measure one shot; raises EngineError."""
        ...

    def identity(self) -> dict[str, str]:
        """What made the pixels: engine, version, device, kernel; recorded in dataset.json."""
        ...


def lamp_radiance(lamp: Lamp) -> float:
    """Radiance of a lamp's face at unit gain.

    Chosen so that a white patch on the lamp's axis at its reference distance, facing it, sends
    radiance 1: the inverse of the configuration factor from the patch to the lamp.
    source: Howell, A Catalog of Radiation Heat Transfer Configuration Factors, B-3 and B-13
    """
    if lamp.kind in SUNLIGHT:
        raise ValueError("sunlight has no face; it is measured by its irradiance, which is pi at unit gain")
    if lamp.kind in ("disk", "ring"):
        outer, inner = (side / 2 for side in lamp.size_m)
        return 1 / (_disk(outer, lamp) - (_disk(inner, lamp) if lamp.kind == "ring" else 0.0))
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
    return math.pi * width * height / 4 if lamp.kind == "disk" else width * height
