"""Ground: what the products of a shot lie on, and what stands behind everything, as drawn.

Parts of a Shot (shot.py), which says how they are used. FrozenModel numbers and names; pictures are named,
and Catalog says where they lie.
"""

from __future__ import annotations

from blendgen.scene.frozen import FrozenModel


class SurfacePhoto(FrozenModel):
    """A photo as the surface. image: a name of Catalog.photos; width_m: real width that it shows."""

    image: str
    width_m: float
    roughness: float


class Surface(FrozenModel):
    """What the products lie on; its top is the plane z = 0.

    texture_offset_m: where on the endless material the scene stands
    yaw_deg: direction of travel or grain against world +Y
    wear, dust: 0 (new, clean) to 1
    speed_m_per_s: of a belt, along its direction of travel
    stains: 0 to 1, None for as much as wear
    wetness: 0 (dry) to 1 (under a film of water)
    seams: how visible joints are, 0 to 1, None for what is usual for the kind
    pitch_m: from one rod of a wire mesh to the next
    photo: of the kind photo
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
    """An open box that stands on the surface, its bottom wall_m thick.

    kind: of kinds.containers.CONTAINER_KINDS; size_m: inner width, inner length, height of its walls
    middle_m: where it stands, x and y; yaw_deg: turned about the vertical
    """

    kind: str
    size_m: tuple[float, float, float]
    wall_m: float
    middle_m: tuple[float, float]
    yaw_deg: float
    color_srgb: str


class Backdrop(FrozenModel):
    """A photo behind everything, seen and giving no light.

    image: a name of Catalog.backdrops
    zoom: 1 where it just fills the frame; offset: which part of it shows, -1 to 1 to the right and up
    ev: at 0 the white of the photo is as bright as white paper
    """

    image: str
    zoom: float
    offset: tuple[float, float]
    ev: float
