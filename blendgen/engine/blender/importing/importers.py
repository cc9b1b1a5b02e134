"""Importers: one model file in, the objects that it added to the open Blender file out.

Afterwards one Blender unit is one metre and Z is up, for every format. OBJ, STL and PLY do not state a unit
(metres unless the options have one); for the others the options replace the file's own. Nothing in a file is
executed: a .blend is appended, never opened, and its drivers are removed.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import re
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import bpy
import numpy as np

from blendgen.engine.blender.importing.axes import (
    DEFAULT_UP,
    FORWARD_OF_UP,
    GLTF_TO_WORLD,
    axes_to_world,
    place_scene,
    scale_scene,
)
from blendgen.engine.blender.importing.blend_scene import rendered_scene
from blendgen.engine.blender.importing.converted import own_frame
from blendgen.engine.blender.importing.coordinates.mirror import Mirror
from blendgen.engine.blender.importing.coordinates.prepare import AT_REST, prepare
from blendgen.engine.blender.importing.executable import drop_executable
from blendgen.engine.blender.importing.fbx_bytes import stored_number, text_value
from blendgen.engine.blender.importing.fbx_shown import hide_unshown
from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.left_out import SHOWN, Choice
from blendgen.engine.blender.importing.looks import complete_look
from blendgen.engine.blender.importing.marks import forget_marks
from blendgen.engine.blender.importing.obj_objects import import_obj
from blendgen.engine.blender.importing.outside import keep_inside, usd_textures_outside
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.engine.blender.importing.textures import note_reason
from blendgen.engine.blender.importing.usd_shown import usd_shown
from blendgen.engine.blender.importing.usd_stage import layer_over, unit_fault
from blendgen.files.decimals import decimal
from blendgen.models.companions import Companions
from blendgen.models.scan import CONVERTED_SUFFIXES, UNITLESS_SUFFIXES, UPLESS_SUFFIXES, model_suffix
from blendgen.scene.vocabulary import METRES_PER_UNIT

SMOOTH_BELOW_DEG = 30.0
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_USD = ("usd", "usda", "usdc", "usdz")
_USD_SUBDIVISION = "import_subdivision" if bpy.app.version >= (5, 0, 0) else "import_subdiv"


def import_model(
    companions: Companions,
    suffix: str,
    unit: str | None,
    up: str | None,
    findings: Findings,
    choice: Choice = SHOWN,
) -> tuple[list[bpy.types.Object], np.ndarray]:
    """Import the model file of the companions; metres, Z up.

    findings: gets what a render will lack and what was left out
    returns: objects, and (3,) that was subtracted from the coordinates of the file, in its own axes and unit
    raises: ImportRefused if the file cannot be used; MemoryError, OSError if memory or disk space runs out
    """
    before = set(bpy.data.objects)
    with tempfile.TemporaryDirectory(prefix="blendgen-model-") as folder:
        mirror = Mirror(Path(os.path.realpath(folder)))
        prepared = prepare(companions, mirror, choice)
        importer = _importer(suffix, findings, choice)
        findings.lost += prepared.lost
        findings.notes += prepared.notes
        _call(importer, prepared.file, companions, unit, up)
        objects = [o for o in bpy.data.objects if o not in before]
        complete_look(suffix, prepared.file, companions, objects, findings)
        _name_originals(mirror)
    _note_refused(prepared.refused)
    if bpy.data.actions:
        findings.notes.append(AT_REST)
    drop_executable()
    keep_inside(companions)
    for owner in objects:
        if suffix in (*UNITLESS_SUFFIXES, *CONVERTED_SUFFIXES) and owner.type == "MESH":
            _smooth_unstated(owner.data)
    return objects, prepared.shift


def _importer(suffix: str, findings: Findings, choice: Choice) -> Callable:
    special = {
        "blend": partial(_import_blend, findings),
        "obj": partial(_import_obj, choice),
        **dict.fromkeys(_USD, partial(_import_usd, findings, choice)),
    }
    return special.get(suffix) or _IMPORTERS[suffix]


def _name_originals(mirror: Mirror) -> None:
    for image in bpy.data.images:
        path = mirror.original(image.filepath)
        if path != image.filepath and not image.packed_files:
            image.filepath = path


def _call(importer: Callable, file: Path, companions: Companions, unit: str | None, up: str | None) -> None:
    try:
        importer(file, companions, unit, up)
    except (ImportRefused, MemoryError):
        raise
    except Exception as error:  # the glTF importer is Python code and may raise anything
        message = first_message(str(error))
        if getattr(error, "errno", None) in _DISK_FULL:
            raise
        if message.partition(":")[0].endswith("MemoryError"):  # Blender raises it as a RuntimeError
            raise MemoryError(message) from error
        raise ImportRefused(f"the importer failed: {message}") from error


def first_message(text: str) -> str:
    """The most informative line of an importer's message, without Blender's prefixes."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if "Traceback" in text:  # raised in Python: the last line names the exception
        lines = [line for line in lines if not line.startswith("Location:")][-1:]
    line = lines[0] if lines else "without a message"
    return re.sub(r"^((Error|RuntimeError|Exception):\s*)+", "", line).rstrip(".")[:200]


def _import_gltf(file: Path, companions: Companions, unit: str | None, up: str | None) -> None:
    bpy.ops.import_scene.gltf(filepath=str(file), disable_bone_shape=True, loglevel=logging.WARNING)
    forget_marks()
    scale_scene(METRES_PER_UNIT[unit] if unit else 1.0)


def _note_refused(refused: dict[str, str]) -> None:
    """Note why image files were kept from the importer."""
    for image in bpy.data.images:
        note_reason(image, refused.get(Path(image.filepath).name, ""))


def _import_obj(choice: Choice, file: Path, companions: Companions, unit: str | None, up: str | None) -> None:
    import_obj(file, choice, **_unitless("obj", unit, up))


def _import_stl(file: Path, companions: Companions, unit: str | None, up: str | None) -> None:
    bpy.ops.wm.stl_import(filepath=str(file), **_unitless("stl", unit, up))


def _import_ply(file: Path, companions: Companions, unit: str | None, up: str | None) -> None:
    bpy.ops.wm.ply_import(filepath=str(file), **_unitless("ply", unit, up))


def _unitless(suffix: str, unit: str | None, up: str | None) -> dict:
    up = up or DEFAULT_UP[suffix]
    scale = METRES_PER_UNIT[unit or "m"]
    return {"global_scale": scale, "up_axis": up.upper(), "forward_axis": FORWARD_OF_UP[up]}


def _import_converted(file: Path, companions: Companions, unit: str | None, up: str | None) -> None:
    """The GLB of a converted file has the axes and the unit of the file; Blender turns it as if Y were up."""
    bpy.ops.import_scene.gltf(filepath=str(file), loglevel=logging.WARNING)
    suffix = model_suffix(companions.model)
    own_up, metres_per_unit = own_frame(companions.model, suffix)
    turned = axes_to_world((up if suffix in UPLESS_SUFFIXES else None) or own_up) @ GLTF_TO_WORLD.T
    place_scene((METRES_PER_UNIT[unit] if unit else metres_per_unit) * turned)


def _import_fbx(file: Path, companions: Companions, unit: str | None, up: str | None) -> None:
    bpy.ops.wm.fbx_import(filepath=str(file), use_anim=False)
    forget_marks()
    hide_unshown(file.read_bytes())
    if unit:
        scale_scene(METRES_PER_UNIT[unit] / (0.01 * fbx_centimetres_per_unit(file.read_bytes())))


def fbx_centimetres_per_unit(data: bytes) -> float:
    """UnitScaleFactor of an FBX file, binary or text; 1 if it has none.

    It is 100 if the factor is not a length: Blender then takes the unit for a metre.
    """
    binary = re.search(rb"S.{4}UnitScaleFactor(?:S.{4}[\w ]*?){3}D(.{8})", data, re.S)
    text = text_value(data, "UnitScaleFactor", b"1")
    factor = stored_number(data, "d", binary[1]) if binary else _number(text)
    return factor if 0 < factor < math.inf else 100.0


def _number(text: bytes) -> float:
    try:
        return decimal(text.decode("latin-1"))
    except ValueError:
        return math.nan


def _import_usd(
    findings: Findings, choice: Choice, file: Path, companions: Companions, unit: str | None, up: str | None
) -> None:
    fault = None if unit else unit_fault(file)
    if fault:
        raise ImportRefused(fault)
    elsewhere = usd_textures_outside(companions, str(file))
    with tempfile.TemporaryDirectory(prefix="blendgen-usd-") as folder:
        layer, is_subdivided = layer_over(file, companions, Path(folder))
        layer, options = usd_shown(layer, Path(folder), choice, findings)
        bpy.ops.wm.usd_import(
            filepath=str(layer),
            import_cameras=False,
            import_lights=False,
            create_world_material=False,
            set_frame_range=False,
            validate_meshes=True,
            apply_unit_conversion_scale=unit is None,
            import_textures_mode="IMPORT_NONE" if elsewhere else "IMPORT_PACK",
            **{_USD_SUBDIVISION: is_subdivided},
            **options,
        )
    forget_marks()
    scale_scene(METRES_PER_UNIT[unit] if unit else 1.0)


def _import_blend(
    findings: Findings, file: Path, companions: Companions, unit: str | None, up: str | None
) -> None:
    """Append the scene that Blender would render, and its unit; or, without a scene, all objects."""
    try:
        with bpy.data.libraries.load(str(file), link=False) as (source, target):
            target.scenes = rendered_scene(file, list(source.scenes), findings)
            target.objects = [] if source.scenes else source.objects
    except SystemError as error:  # of Python, from a name that is not UTF-8
        raise ImportRefused("names that are not UTF-8; open it in Blender and save it again") from error
    _refuse_linked(file)
    forget_marks()
    drop_executable()  # before anything is evaluated
    keep_inside(companions)
    if target.scenes:
        scene = target.scenes[0]
        own_unit = scene.unit_settings.scale_length if scene.unit_settings.system != "NONE" else 1.0
        scene.world = None
        bpy.context.window.scene = scene
    else:
        own_unit = 1.0
        for owner in target.objects:
            bpy.context.scene.collection.objects.link(owner)
    scale_scene(METRES_PER_UNIT[unit] if unit else own_unit)


def _refuse_linked(file: Path) -> None:
    """Blender links what it does not append, such as brushes, to the file itself: that is removed."""
    linked = [block for block in bpy.data.user_map() if block.library is not None]
    own = [block for block in linked if Path(block.library.filepath).resolve() == file.resolve()]
    linked = [block for block in linked if block not in own]
    bpy.data.batch_remove(own)
    if linked:
        name = Path(linked[0].library.filepath.replace("\\", "/")).name
        raise ImportRefused(f"depends on another file, {name!r}; append its data (Make Local) and save")


def _smooth_unstated(mesh: bpy.types.Mesh) -> None:
    """Smooth the shading of a file without normals, at edges below SMOOTH_BELOW_DEG."""
    smooth = np.zeros(len(mesh.polygons), dtype=bool)
    mesh.polygons.foreach_get("use_smooth", smooth)
    if not mesh.has_custom_normals and not smooth.any():
        mesh.shade_smooth()
        mesh.set_sharp_from_angle(angle=math.radians(SMOOTH_BELOW_DEG))


_IMPORTERS = {
    "glb": _import_gltf,
    "gltf": _import_gltf,
    "stl": _import_stl,
    "ply": _import_ply,
    "fbx": _import_fbx,
    "off": _import_ply,
    **dict.fromkeys(CONVERTED_SUFFIXES, _import_converted),
}
