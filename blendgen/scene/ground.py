"""Ground: the surface, container and backdrop of a shot, as sampled.

Parts of a Shot (shot.py). Pictures are given by name; Catalog has their paths.
"""

from __future__ import annotations

from blendgen.scene.frozen import FrozenModel


class SurfacePhoto(FrozenModel):
    """A photo as the surface. image: a name of Catalog.photos; width_m: the real width that it shows."""

    image: str
    width_m: float
    roughness: float


class Surface(FrozenModel):
    """The surface that the products lie on; its top is the plane z = 0.

    kind: of kinds.surfaces.SURFACE_KINDS
    texture_offset_m: which place of the endless material is at the origin
    yaw_deg: direction of travel or grain against world +Y
    wear, dust: 0 (new, clean) to 1
    speed_m_per_s: of a belt, along its direction of travel
    stains: 0 to 1, None: as much as wear
    wetness: 0 (dry) to 1 (under a film of water)
    seams: visibility of joints, 0 to 1, None: the kind's default
    pitch_m: from one rod of a wire mesh to the next
    photo: of kinds that show one
    """

    kind: str
    texture_offset_m: tuple[float, float]
    yaw_deg: float
    width_m: float
    wear: float
    dust: float
    color_srgb: str | None
    speed_m_per_s: float = 0.0
    stains: float | None = None
    wetness: float = 0.0
    seams: float | None = None
    pitch_m: float = 0.0127
    photo: SurfacePhoto | None = None


class Container(FrozenModel):
    """An open box on the surface; its bottom is wall_m thick.

    kind: of kinds.containers.CONTAINER_KINDS; size_m: inner width, inner length, height of its walls
    middle_m: its x and y; yaw_deg: rotation about the vertical
    """

    kind: str
    size_m: tuple[float, float, float]
    wall_m: float
    middle_m: tuple[float, float]
    yaw_deg: float
    color_srgb: str


class Backdrop(FrozenModel):
    """A photo behind everything, visible to the camera but not a light source.

    image: a name of Catalog.backdrops
    zoom: 1 just fills the frame; offset: which part of it is visible, -1 to 1 to the right and up
    ev: at 0 the white of the photo is as bright as white paper
    """

    image: str
    zoom: float
    offset: tuple[float, float]
    ev: float
