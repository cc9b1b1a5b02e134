"""Product: everything that is known about one model before sampling and rendering.

Models are measured once, in a separate process, and cached; `draw` and the engines read these numbers
instead of asking Blender. Product frame: metres, Z up, the bounding box centred on the origin in x and y
and standing on z = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import ConfigDict

from blendgen.scene.shot import Distractor, PlacedProduct

# the colourway of a product that has no other
AS_MODELLED = "default"

# what a part is, for wear; a screen is glass too
GLASS, SCREEN = "glass", "screen"

# between the name of a texture that is not used and the reason, in missing_textures
REASON_FOLLOWS = ": "

# in the reason for refusing a model that is too large in the unit of its file
OVERSIZED_ADVICE = "state its unit, such as unit: mm"

# rows
Matrix4 = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class StablePose:
    """One way in which a product rests on a level surface.

    rotation: (3, 3) rows as tuples, product frame -> world orientation before any yaw
    probability: how often it comes to rest in this pose; those of a product sum to 1
    """

    rotation: tuple[tuple[float, float, float], ...]
    probability: float


@dataclass(frozen=True)
class MaterialOverride:
    """New values for one material slot; None keeps the value of the model.

    material: another material of the same asset that replaces it before the values change
    """

    base_color_srgb: str | None = None
    roughness: float | None = None
    metallic: float | None = None
    transmission: float | None = None
    material: str | None = None


@dataclass(frozen=True)
class Colorway:
    """A named finish: overrides by material-slot name (empty: the model as it is)."""

    name: str
    materials: dict[str, MaterialOverride]


@dataclass(frozen=True)
class Keypoint:
    """A named point on the surface of a product.

    position_m: product frame
    mirrored: the keypoint that takes its name when an image is mirrored (left for right), None for itself
    """

    name: str
    position_m: tuple[float, float, float]
    mirrored: str | None = None


@dataclass(frozen=True)
class Symmetries:
    """Rotations under which a product looks the same; poses that differ by one of them are equally right.

    continuous: (axis, offset_m) pairs: any rotation about that axis through that point, product frame
    discrete: (4, 4) rows as tuples, product frame -> product frame, without the identity
    source: BOP dataset format, models_info.json
    """

    continuous: tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...] = ()
    discrete: tuple[Matrix4, ...] = ()


@dataclass(frozen=True)
class Soundness:
    """What may be wrong with the mesh of a model file, as numbers; the defaults are those of a sound one.

    bulk_m: the largest side without parts that are far away from the rest; None if no part is
    inside_share: of rays from all around that hit the product, those that hit its inside, through a hole
    has_colors: it has a texture, vertex colours, or a material that is not grey
    """

    bulk_m: float | None = None
    inside_share: float = 0.0
    has_colors: bool = True


@dataclass(frozen=True, eq=False)
class Measured:
    """The measured values of one model, before its sidecar or a spec changes anything.

    shape: "mesh", or "box" | "sphere" for the analytic shapes that the flat engine draws exactly
    size_m: (3,) extent of the bounding box in the product frame
    hull_m: (n, 3) float64 vertices of the convex hull, product frame
    stable_poses: most probable first
    colorways: the model's own
    parts: material-slot names
    missing_textures: images that the model names and that could not be used
    lost: what else the file declares about its look and a render lacks, one line each
    notes: what was left out or assumed on purpose, one line each
    keypoints: on the surface; of a model file the `points` of its source's options, named "0", "1", ...
    file_to_product: (4, 4) to the product frame from the coordinates in the model file or, where its sidecar
        says so, from those that Blender shows; None without a file, or if its axes are unknown
    convex_parts_m: of a hollow product, convex bodies that together enclose its surface, each (n, 3) float64
        vertices, product frame; empty for a product that its hull describes, and where its source's options
        do not ask for them
    soundness: of its mesh, if it is that of a model file
    """

    __pydantic_config__ = ConfigDict(arbitrary_types_allowed=True)  # for the arrays

    shape: str
    size_m: tuple[float, float, float]
    hull_m: np.ndarray
    stable_poses: tuple[StablePose, ...]
    colorways: tuple[Colorway, ...]
    parts: tuple[str, ...]
    triangles: int
    missing_textures: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    keypoints: tuple[Keypoint, ...] = ()
    file_to_product: Matrix4 | None = None
    convex_parts_m: tuple[np.ndarray, ...] = ()
    soundness: Soundness = Soundness()

    @property
    def lost_look(self) -> tuple[str, ...]:
        """What the file declares about its look and a render lacks, textures first, as messages."""
        return (*map(missing_texture_text, self.missing_textures), *self.lost)


@dataclass(frozen=True, eq=False)
class Product:
    """One measured model, with the values in use: those measured, unless a sidecar or a spec replaces them.

    name: unique in its catalogue, usable as a folder name
    folder: sub-folder or family that it came from ("" at the top of a folder)
    asset_path: the cached .blend that holds one object called "product"
    content_hash: sha256 over the source's bytes and the options that it was read with
    stable_poses: most probable first; their probabilities sum to 1
    keypoints: by name
    part_names: what each of `parts` is called in part labels; several may share a name; empty: as in parts
    part_kinds: GLASS, SCREEN or "" for each of `parts`, as its sidecar states; empty: it states none
    symmetries: for pose estimation
    model_class: the class that its sidecar states
    """

    name: str
    folder: str
    asset_path: Path
    content_hash: str
    measured: Measured
    stable_poses: tuple[StablePose, ...]
    colorways: tuple[Colorway, ...]
    keypoints: tuple[Keypoint, ...] = ()
    part_names: tuple[str, ...] = ()
    part_kinds: tuple[str, ...] = ()
    symmetries: Symmetries = Symmetries()
    model_class: str | None = None

    @property
    def size_m(self) -> tuple[float, float, float]:
        return self.measured.size_m

    @property
    def hull_m(self) -> np.ndarray:
        return self.measured.hull_m

    @property
    def parts(self) -> tuple[str, ...]:
        return self.measured.parts

    def part_name(self, slot: int) -> str:
        """What the part of a material slot is called in part labels."""
        return (self.part_names or self.parts)[slot]

    def part_kind(self, slot: int) -> str:
        """GLASS, SCREEN or ""."""
        return self.part_kinds[slot] if self.part_kinds else ""

    def colorway(self, name: str) -> Colorway:
        return next(colorway for colorway in self.colorways if colorway.name == name)


def missing_texture_text(texture: str) -> str:
    """The message about an entry of missing_textures: a name, perhaps with REASON_FOLLOWS and a reason."""
    name, _, reason = texture.partition(REASON_FOLLOWS)
    problem = f"is not used: {reason}" if reason else "is missing"
    return f"texture {name!r} {problem}; the plain colour is shown"


@dataclass(frozen=True)
class Refusal:
    """A file or catalogue entry that was left out, and why, in one line.

    crash: how the importer ended without an answer; "" if it gave one, or if something else ended it
    """

    source: str
    reason: str
    crash: str = ""

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


@dataclass(frozen=True, eq=False)
class Catalog:
    """All models of a spec, in the order of its sections, and the ones that were left out.

    environments: the user's panoramas, by file name
    photos: the user's photos of surfaces, by file name; backdrops: those of backdrops
    distractors: models without labels that may lie next to the products
    occluders: models without labels that may hang before the products
    products_in_case: the products that may have a case, measured in it, by the product's name
    """

    products: tuple[Product, ...]
    refusals: tuple[Refusal, ...] = ()
    environments: Mapping[str, Path] = field(default_factory=dict)
    distractors: tuple[Product, ...] = ()
    occluders: tuple[Product, ...] = ()
    photos: Mapping[str, Path] = field(default_factory=dict)
    backdrops: Mapping[str, Path] = field(default_factory=dict)
    products_in_case: Mapping[str, Product] = field(default_factory=dict)

    @property
    def models(self) -> tuple[Product, ...]:
        """Everything that may be in a picture, without cases."""
        return (*self.products, *self.distractors, *self.occluders)

    def product(self, name: str, case: str | None = None) -> Product:
        """A product, a distractor or an occluder by its name; in its case if one is given."""
        if case is not None:
            return self.products_in_case[name]
        return next(product for product in self.models if product.name == name)

    def product_of(self, placed: PlacedProduct | Distractor) -> Product:
        """The product of something placed in a shot."""
        return self.product(placed.product, getattr(placed, "case", None))
