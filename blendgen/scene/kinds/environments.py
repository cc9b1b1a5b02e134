"""Built-in light from all around, by the value of `lighting.environment.image`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EnvironmentKind:
    """One built-in environment.

    doc: its line in the documentation
    panorama: its file among the CC0 panoramas by Poly Haven that come with Blender
        (datafiles/studiolights/world); None: even white light
    """

    name: str
    doc: str
    panorama: str | None


_KINDS = (
    EnvironmentKind("studio", "photo studio with soft boxes", "studio.exr"),
    EnvironmentKind("interior", "living room with windows", "interior.exr"),
    EnvironmentKind("city", "street between buildings, overcast", "city.exr"),
    EnvironmentKind("courtyard", "open courtyard, daylight", "courtyard.exr"),
    EnvironmentKind("forest", "under trees, green light", "forest.exr"),
    EnvironmentKind("night", "street at night, lamps", "night.exr"),
    EnvironmentKind("sunrise", "low sun", "sunrise.exr"),
    EnvironmentKind("sunset", "low warm sun", "sunset.exr"),
    EnvironmentKind("dome", "even white light from everywhere, as a dome light gives it", None),
)
ENVIRONMENTS = {kind.name: kind for kind in _KINDS}
