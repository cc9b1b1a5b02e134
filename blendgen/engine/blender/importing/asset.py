"""Asset: one Source in, one cache entry on disk out. Runs only in the measuring process.

The open Blender file is emptied before each source, so that names and memory do not accumulate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np

from blendgen.engine.blender.importing.bevel import round_edges
from blendgen.engine.blender.importing.convex_parts import convex_parts
from blendgen.engine.blender.importing.file_frame import file_to_world, shown_to_world
from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.importers import ImportRefused, import_model
from blendgen.engine.blender.importing.join import join_product, vertex_positions
from blendgen.engine.blender.importing.keypoints import at_points, on_surface
from blendgen.engine.blender.importing.left_out import Choice
from blendgen.engine.blender.importing.near import move_near
from blendgen.engine.blender.importing.product_parts import product_meshes
from blendgen.engine.blender.importing.shapes import build_shape
from blendgen.engine.blender.importing.soundness import soundness
from blendgen.engine.blender.importing.textures import pack_images
from blendgen.engine.blender.importing.variants import Variants, take_variants
from blendgen.engine.blender.importing.visibility import refuse_invisible
from blendgen.geometry.hull import convex_hull
from blendgen.models.companions import Companions
from blendgen.models.measuring.entry import ASSET_FILE, write_measured, write_refusal
from blendgen.models.product import (
    AS_MODELLED,
    OVERSIZED_ADVICE,
    Colorway,
    Keypoint,
    MaterialOverride,
    Measured,
    Soundness,
    StablePose,
)
from blendgen.models.scan import CAD_SUFFIXES, model_suffix
from blendgen.models.source import AS_SHOWN, Source
from blendgen.models.stable_poses import stable_poses

MIN_EXTENT_M = 0.0002
MAX_EXTENT_M = 20.0
# the middle of 0.1 to 0.5 mm, by which the edge in the first example of ISO 13715 is broken
_CAD_BEVEL_M = 0.0003
# of the largest side: at most 2 pixels of a part that is 400 long, so that a small one does not look melted
_CAD_BEVEL_SHARE = 0.005
# of the convex hull: each draw projects all of them
_MOST_CORNERS = 20_000
_AS_MODELLED = (Colorway(AS_MODELLED, {}),)
# limp items lie as they were modelled: in another pose they would have to bend
_LIMP = (StablePose(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), 1.0),)


@dataclass(frozen=True)
class _Built:
    """A product as an object of the open file, and the values that only its builder knows; as in Measured."""

    product: bpy.types.Object
    colorways: tuple[Colorway, ...]
    keypoints: tuple[Keypoint, ...] = ()
    file_to_product: np.ndarray | None = None
    findings: Findings = field(default_factory=Findings)


def measure_source(source: Source, folder: Path) -> str | None:
    """Fill `folder` with the entry of a source; returns the reason if it is refused."""
    empty_blender()
    return fill_entry(source, folder)


def fill_entry(source: Source, folder: Path) -> str | None:
    """As measure_source, if the open Blender file is empty already."""
    companions = Companions.of(source.options) if source.kind == "mesh" else None
    try:
        built = _build_mesh(source, companions) if companions else _BUILDERS[source.kind](source)
        _write_entry(source, built, companions, folder)
    except ImportRefused as refused:
        write_refusal(folder, str(refused), companions.looked_for if companions else ())
        return str(refused)
    return None


def empty_blender() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


def _build_mesh(source: Source, companions: Companions) -> _Built:
    path = companions.model
    unit, up = source.options.get("unit"), source.options.get("up")
    findings = Findings()
    suffix = model_suffix(path)
    choice = Choice(*(tuple(source.options.get(key, ())) for key in ("hide", "show")))
    objects, shift = import_model(companions, suffix, unit, up, findings, choice)
    file_to_product = np.eye(4)
    own_to_world = file_to_world(path, suffix, unit, up)
    shown = source.options.get("coordinates") == AS_SHOWN
    linear = shown_to_world(path, suffix, unit, up) if shown else own_to_world
    variants = take_variants(objects)
    near_m = move_near()
    product, moved_m = join_product(product_meshes(choice, findings))
    colorways = _variant_colorways(product, variants) or _AS_MODELLED
    radius_m = _bevel_m(source.options.get("bevel_mm"), suffix, product)
    if radius_m:
        swapped_in = [other for swaps in variants.values() for other in swaps.values()]
        round_edges([*product.data.materials, *swapped_in], radius_m)
    if linear is None:
        return _Built(product, colorways, findings=findings)
    file_to_product[:3, :3], file_to_product[:3, 3] = linear, moved_m - near_m - own_to_world @ shift
    keypoints = at_points(source.options.get("points", ()), file_to_product)
    return _Built(product, colorways, on_surface(product, keypoints), file_to_product, findings)


def _bevel_m(stated_mm: float | None, suffix: str, product: bpy.types.Object) -> float:
    """As stated; otherwise CAD models have the edges of parts that were broken by hand or by a machine."""
    if stated_mm is not None or suffix not in CAD_SUFFIXES:
        return (stated_mm or 0.0) / 1000
    return min(_CAD_BEVEL_M, _CAD_BEVEL_SHARE * max(product.dimensions))


def _variant_colorways(product: bpy.types.Object, variants: Variants) -> tuple[Colorway, ...]:
    parts = set(product.data.materials)
    return tuple(
        Colorway(
            name, {m.name: MaterialOverride(material=other.name) for m, other in swaps.items() if m in parts}
        )
        for name, swaps in variants.items()
    )


def _build_phone(source: Source) -> _Built:
    from blendgen.engine.blender.phones import build_phone
    from blendgen.models.families.phones import Phone, phone_colorways

    description = {key: value for key, value in source.options.items() if key != "in_case"}
    product, keypoints = build_phone(description, source.options.get("in_case", False))
    return _Built(product, phone_colorways(Phone.model_validate(description)), keypoints)


def _build_clutter(source: Source) -> _Built:
    from blendgen.engine.blender.clutter import build_clutter
    from blendgen.models.families.clutter import clutter_colorways

    return _Built(build_clutter(source.options), clutter_colorways(source.options["colorways"]))


def _build_shape(source: Source) -> _Built:
    return _Built(build_shape(source.options), _AS_MODELLED)


_BUILDERS = {"phone": _build_phone, "clutter": _build_clutter, "shape": _build_shape}


def _write_entry(source: Source, built: _Built, companions: Companions | None, folder: Path) -> None:
    product, colorways, frame = built.product, built.colorways, built.file_to_product
    vertices, triangles = vertex_positions(product.data), _triangles(product.data)
    size_m = np.ptp(vertices, axis=0)
    _refuse_size(size_m, source)
    _refuse_no_area(vertices, triangles)
    swapped_in = {one.material for c in colorways for one in c.materials.values() if one.material}
    materials = [*product.data.materials, *(bpy.data.materials[name] for name in sorted(swapped_in))]
    missing = pack_images(materials, companions, built.findings)
    blocks = {product, *(bpy.data.materials[name] for name in swapped_in)}
    bpy.data.libraries.write(str(folder / ASSET_FILE), blocks, fake_user=True, compress=True)
    sound = soundness(product, vertices, triangles) if source.kind == "mesh" else Soundness()
    if source.kind == "mesh":  # after the file is written, which does not get the scene of the views
        refuse_invisible(product, vertices, triangles, built.findings)
    hull_m = convex_hull(vertices, _MOST_CORNERS)
    wanted = source.options.get("convex_parts")
    parts_m = convex_parts(vertices, triangles, hull_m, built.findings) if wanted else ()
    measured = Measured(
        shape=source.options["shape"] if source.kind == "shape" else "mesh",
        size_m=tuple(size_m.tolist()),
        hull_m=hull_m,
        stable_poses=_LIMP if source.options.get("limp") else stable_poses(vertices, triangles, hull_m),
        colorways=tuple(colorways),
        parts=tuple(material.name for material in product.data.materials),
        triangles=len(triangles),
        missing_textures=tuple(missing),
        lost=tuple(dict.fromkeys(built.findings.lost)),
        notes=tuple(dict.fromkeys(built.findings.notes)),
        keypoints=built.keypoints,
        file_to_product=None if frame is None else tuple(map(tuple, frame.tolist())),
        convex_parts_m=parts_m,
        soundness=sound,
    )
    write_measured(folder, measured, companions.looked_for if companions else ())


def _triangles(mesh: bpy.types.Mesh) -> np.ndarray:
    mesh.calc_loop_triangles()
    corners = np.empty(len(mesh.loop_triangles) * 3, dtype=np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    return corners.reshape(-1, 3)


def _refuse_size(size_m: np.ndarray, source: Source) -> None:
    largest, unit = float(size_m.max()), source.options.get("unit")
    if largest == 0:
        raise ImportRefused("all vertices are in one place")
    if MIN_EXTENT_M <= largest <= MAX_EXTENT_M:
        return
    if largest < MIN_EXTENT_M:
        advice = "products measure at least 0.2 mm; is its unit right?"
    elif unit is None:
        advice = OVERSIZED_ADVICE
    else:
        advice = f"products measure at most {MAX_EXTENT_M:g} m; is unit: {unit} right?"
    raise ImportRefused(f"largest side is {largest:.4g} m; {advice}")


def _refuse_no_area(vertices: np.ndarray, triangles: np.ndarray) -> None:
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    if area <= 1e-9 * np.ptp(vertices, axis=0).max() ** 2:
        raise ImportRefused("no surface: every face has zero area")
