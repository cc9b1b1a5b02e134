"""OBJ materials: gives an imported OBJ file the materials that Blender's importer did not find or understand.

Such materials are written into one library, with Blender's keywords, and imported with it. So Blender makes
the same material of a statement wherever it stands.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import bpy

from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.obj_libraries import (
    MtlMaterial,
    ObjStatements,
    means_none,
    read_materials,
    read_statements,
)
from blendgen.files.names import some_of
from blendgen.models.companions import Companions


@dataclass(frozen=True)
class _Defined:
    material: MtlMaterial
    by_blender: bool


def complete_obj_materials(
    file: Path, companions: Companions, objects: Iterable[bpy.types.Object], findings: Findings
) -> None:
    """Complete the materials of the objects of an OBJ file or its copy, and report those that are lost."""
    statements = read_statements(file, companions)
    defined = _defined(statements)
    meshes = [owner.data for owner in objects if owner.type == "MESH"]
    used = {name: one for name in statements.used if (one := _lookup(name, defined))}
    if statements.used:
        _replace(meshes, statements.used, {n: one for n, one in used.items() if _is_misread(n, one)})
    elif len(defined) == 1:
        used = dict(defined)
        _assign(meshes, next(iter(defined.values())).material)
    _report(statements, used, defined, findings)


def _defined(statements: ObjStatements) -> dict[str, _Defined]:
    """The materials of all libraries by name; as in Blender, the last one of a name counts."""
    defined = {}
    for library in statements.libraries:
        try:
            materials = read_materials(library.file) if library.file else []
        except OSError:
            materials, library.file = [], None
        for material in materials:
            defined[material.name] = _Defined(material, library.by_blender)
    return defined


def _lookup(name: str, defined: dict[str, _Defined]) -> _Defined | None:
    if name in defined:
        return defined[name]
    alike = [one for other, one in defined.items() if other.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def _is_misread(name: str, one: _Defined) -> bool:
    return one.material.changed or not one.by_blender or one.material.name != name


def _replace(meshes: list[bpy.types.Mesh], used: list[str], misread: dict[str, _Defined]) -> None:
    slots = {name: _slots(meshes, used, name) for name in misread}
    made = _imported([one.material for one in misread.values()])
    for name, new in zip(misread, made, strict=True):
        for old in slots[name]:
            label = old.name
            old.user_remap(new)
            bpy.data.materials.remove(old)
            new.name = label


def _slots(meshes: list[bpy.types.Mesh], used: list[str], name: str) -> set[bpy.types.Material]:
    """The imported material of a name. Blender shortens names, but keeps their order in a single object."""
    if len(meshes) == 1 and len(meshes[0].materials) == len(used):
        return {meshes[0].materials[used.index(name)]} - {None}
    return {m for mesh in meshes for m in mesh.materials if m is not None and m.name == name}


def _assign(meshes: list[bpy.types.Mesh], material: MtlMaterial) -> None:
    (made,) = _imported([material])
    made.name = material.name.encode("utf-8", "replace").decode()
    for mesh in meshes:
        mesh.materials.clear()
        mesh.materials.append(made)


def _imported(materials: list[MtlMaterial]) -> list[bpy.types.Material]:
    """What Blender's importer makes of materials."""
    if not materials:
        return []
    before = set(bpy.data.objects)
    with tempfile.TemporaryDirectory(prefix="blendgen-mtl-") as folder:
        library, obj = Path(folder, "m.mtl"), Path(folder, "m.obj")
        text = "".join(f"newmtl blendgen{i}\n{_text(m)}\n" for i, m in enumerate(materials))
        library.write_text(text, encoding="utf-8", errors="surrogateescape")
        faces = "".join(f"usemtl blendgen{i}\nf 1 2 3\n" for i in range(len(materials)))
        obj.write_text(f"mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\n{faces}")
        bpy.ops.wm.obj_import(filepath=str(obj), use_split_objects=False)
    (carrier,) = set(bpy.data.objects) - before
    made = list(carrier.data.materials)
    bpy.data.meshes.remove(carrier.data)  # with its object
    return made


def _text(material: MtlMaterial) -> str:
    return "\n".join(material.lines)


def _report(
    statements: ObjStatements, used: dict[str, _Defined], defined: dict[str, _Defined], findings: Findings
) -> None:
    undefined = [n for n in statements.used if n not in used and not means_none(n)]
    missing = [library.name for library in statements.libraries if library.file is None]
    if missing and (undefined or not used):
        of = f" of {some_of(undefined)}" if undefined else ""
        findings.lost.append(
            f"the material library{of} is missing: {some_of(missing)}; put it next to the model"
        )
    elif undefined:
        findings.lost.append(f"material {some_of(undefined)}: no library defines it; plain grey is shown")
    elif not statements.used and len(defined) > 1:
        materials = some_of(list(defined))
        findings.lost.append(
            f"material {materials}: no face uses it (usemtl is missing); plain grey is shown"
        )
    for name, one in used.items():
        findings.lost += [
            f"material {name!r}: {statement!r} is not used" for statement in one.material.unused
        ]
