"""Product parts: the meshes of the open scene that are the product, without hulls, floors and the like."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import bpy

from blendgen.engine.blender.importing.findings import ALL_HIDDEN, Findings, left_out_note
from blendgen.engine.blender.importing.join import vertex_box
from blendgen.engine.blender.importing.left_out import Candidate, Choice, reasons_left_out
from blendgen.engine.blender.importing.marks import WHY_HIDDEN
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.engine.blender.importing.shown import Part, shown_parts
from blendgen.errors import did_you_mean
from blendgen.models.recolor import matches

_SOLID = {"MESH", "FONT", "SURFACE", "META"}
_NUMBER = re.compile(r"\.\d+$")  # of a name that was taken
# object -> the names of its collections, from the inside to the outside
_Collections = dict[bpy.types.Object, list[str]]


def product_meshes(choice: Choice, findings: Findings) -> list[bpy.types.Mesh]:
    """The meshes of what a render shows and is the product, in world coordinates.

    findings: gets the names of what was left out
    raises: ImportRefused if a pattern matches nothing, or if the choice leaves nothing
    """
    _refuse_unmatched(choice)
    collections = _collections()
    _reveal(choice, collections)
    parts = shown_parts(findings)
    if not _has_faces(parts) and _reveal(Choice(show=("*",)), collections):
        findings.notes.append(ALL_HIDDEN)
        parts = shown_parts(findings)
    _note_hidden(parts, findings)
    return [part.mesh for part in _product(parts, collections, choice, findings)]


def _product(parts: list[Part], collections: _Collections, choice: Choice, findings: Findings) -> list[Part]:
    candidates = [_candidate(part, collections) for part in parts]
    reasons = reasons_left_out(candidates, choice)
    stay = [part for part, reason in zip(parts, reasons, strict=True) if not reason]
    if _has_faces(parts) and not _has_faces(stay):
        stay = [part for part, one in zip(parts, candidates, strict=True) if not choice.hides(one.names)]
        if not _has_faces(stay):
            raise ImportRefused("hide: leaves no object of this model")
        looks = ", ".join(sorted({reason for reason in reasons if reason}))
        findings.notes.append(f"nothing else is in the file, so all of it is shown: {looks}")
        return stay
    for reason in dict.fromkeys(filter(None, reasons)):
        names = [one.names[0] for one, why in zip(candidates, reasons, strict=True) if why == reason]
        findings.notes.append(left_out_note(names, reason))
    return stay


def _has_faces(parts: list[Part]) -> bool:
    return any(len(part.mesh.polygons) for part in parts)


def _refuse_unmatched(choice: Choice) -> None:
    known = {block.name for kind in ("objects", "collections") for block in getattr(bpy.data, kind)}
    for key, patterns in (("hide", choice.hide), ("show", choice.show)):
        for pattern in patterns:
            if not any(matches(pattern, name) for name in known):
                advice = did_you_mean(pattern, known)
                raise ImportRefused(f"{key}: {pattern!r} matches no object of this model{advice}")


def _collections() -> _Collections:
    around = {child: outer for outer in bpy.data.collections for child in outer.children}
    collections: _Collections = defaultdict(list)
    for collection in bpy.data.collections:
        names, outer = [], collection
        while outer is not None:
            names.append(outer.name)
            outer = around.get(outer)
        for owner in collection.objects:
            collections[owner] += names
    return collections


def _names(owner: bpy.types.Object, collections: _Collections) -> Iterator[str]:
    """The names of an object, its parents and its collections."""
    inside: bpy.types.Object | None = owner
    while inside is not None:
        yield inside.name
        inside = inside.parent
    yield from collections.get(owner, ())


def _reveal(choice: Choice, collections: _Collections) -> bool:
    """Let a render show the objects that the choice shows; whether there are any."""
    scene = bpy.context.scene
    own = set(scene.objects)
    instanced = {inner for owner in own for inner in _instanced(owner)}
    candidates = [o for o in bpy.data.objects if o in own | instanced and _has_shape(o)]
    revealed = [o for o in candidates if choice.shows(_names(o, collections))]
    for owner in revealed:
        owner.hide_render = owner.is_shadow_catcher = owner.is_holdout = False
        owner.visible_camera = True
        if owner in own and owner.name not in scene.collection.objects:  # a collection may hide it
            scene.collection.objects.link(owner)
    return bool(revealed)


def _instanced(owner: bpy.types.Object) -> Iterator[bpy.types.Object]:
    if owner.instance_type == "COLLECTION" and owner.instance_collection is not None:
        yield from owner.instance_collection.all_objects


def _has_shape(owner: bpy.types.Object) -> bool:
    """Whether a render may show the object, or what it is an instance of; not a curve that is only a path."""
    if owner.type == "CURVE" and not owner.modifiers:
        faces = len(owner.to_mesh().polygons)
        owner.to_mesh_clear()
        return faces > 0
    return owner.type in {*_SOLID, "CURVE"} or any(map(_has_shape, _instanced(owner)))


def _family(owner: bpy.types.Object) -> str:
    """Metaballs whose names differ by their numbers alone are one surface, which one of them has."""
    return _NUMBER.sub("", owner.name) if owner.type == "META" else ""


def _note_hidden(parts: list[Part], findings: Findings) -> None:
    shown = {owner for part in parts for owner in (part.owner, part.source)}
    families = {_family(owner) for owner in shown} - {""}
    hidden = {
        owner: owner.get(WHY_HIDDEN, "not rendered")
        for owner in bpy.context.scene.objects
        if owner not in shown and _family(owner) not in families and _has_shape(owner)
    }
    for reason in sorted({*hidden.values()}):
        names = [owner.name for owner, why in hidden.items() if why == reason]
        findings.notes.append(left_out_note(names, reason))


def _candidate(part: Part, collections: _Collections) -> Candidate:
    names = dict.fromkeys(name for o in (part.source, part.owner) for name in _names(o, collections))
    return Candidate(tuple(names), vertex_box(part.mesh), not any(part.mesh.materials), part.unseen)
