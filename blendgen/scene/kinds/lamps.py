"""Lamps and sunlight, by the value of `lighting.lamps.kind`.

A lamp with one of the faces below needs a record here and nothing else. A new face is built in
engine/blender/session/lights.py and measured in engine/base.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LampKind:
    """One kind of lamp.

    doc: its line in the documentation
    face: the outline of its face
    sides: (width, height) as shares of lighting.lamps.size_m; of a ring its outer and inner diameter
    sunlight: parallel light; it has no face, and an angle instead of a distance
    panes: of the opening through which sunlight falls, along each side; 0: there is no opening
    at_camera: shines where the camera looks, from where the camera is
    path_traced: light of this shape needs path tracing (render.engine: cycles)
    """

    name: str
    doc: str
    face: Literal["rectangle", "disk", "ring"] = "rectangle"
    sides: tuple[float, float] = (1.0, 1.0)
    sunlight: bool = False
    panes: int = 0
    at_camera: bool = False
    path_traced: bool = False


_KINDS = (
    LampKind("area", "square soft box"),
    LampKind("disk", "round soft lamp", face="disk"),
    LampKind("strip", "fluorescent tube or LED bar, 1 to 8", sides=(1.0, 1 / 8)),
    LampKind(
        "ring",
        "ring light round the lens; shines where the camera looks, whatever its other angles say",
        face="ring",
        sides=(1.0, 0.6),
        at_camera=True,
        path_traced=True,
    ),
    LampKind("sun", "sunlight: parallel, hard shadows", sunlight=True),
    LampKind(
        "door",
        "sunlight through an open door: a bright patch with straight edges, the rest in the shade",
        sides=(0.5, 1.0),
        sunlight=True,
        panes=1,
        path_traced=True,
    ),
    LampKind(
        "window",
        "sunlight through a window of nine panes",
        sides=(0.75, 1.0),
        sunlight=True,
        panes=3,
        path_traced=True,
    ),
)
LAMP_KINDS = {kind.name: kind for kind in _KINDS}
