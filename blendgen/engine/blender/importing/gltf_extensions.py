"""glTF extensions: rewrites a document with extensions of materials and textures for Blender's importer.

The importer fails if a file requires an extension that it does not know. Those of materials and textures only
change the look: the file is then imported without them, and what that loses is reported. Does not load bpy.
source: Khronos, glTF 2.0 extensions
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_LOOK = ("KHR_materials_", "EXT_materials_", "KHR_texture_", "EXT_texture_", "MSFT_texture_")
_UNLIT = "KHR_materials_unlit"
# all versions of Blender read these
_READ_MATERIALS = (
    "KHR_materials_anisotropy", "KHR_materials_clearcoat", "KHR_materials_emissive_strength",
    "KHR_materials_ior", "KHR_materials_pbrSpecularGlossiness", "KHR_materials_sheen",
    "KHR_materials_specular", "KHR_materials_transmission", _UNLIT, "KHR_materials_variants",
    "KHR_materials_volume",
)  # fmt: skip
_READ = (*_READ_MATERIALS, "KHR_texture_transform", "EXT_texture_webp")
# images in other formats, which Blender can or cannot decode
_OTHER_IMAGES = ("KHR_texture_basisu", "MSFT_texture_dds", "EXT_texture_avif")


def adapt_extensions(content: dict) -> bool:
    """Rewrite a document in place; returns whether it has changed."""
    required = content.get("extensionsRequired", [])
    readable = [name for name in required if not name.startswith(_LOOK) or name in _READ]
    if readable != required:
        content["extensionsRequired"] = readable
    lit = [_make_lit(material) for material in content.get("materials", ())]
    sourced = [_state_source(texture) for texture in content.get("textures", ())]
    return readable != required or any(lit) or any(sourced)


def _make_lit(material: dict) -> bool:
    """Make an unlit material one of a diffuse surface, which the light of the scene falls on."""
    if _UNLIT not in (material.get("extensions") or {}):
        return False
    del material["extensions"][_UNLIT]
    surface = material.setdefault("pbrMetallicRoughness", {})
    surface.setdefault("metallicFactor", 0.0)
    surface.setdefault("roughnessFactor", 0.9)
    return True


def _state_source(texture: dict) -> bool:
    """Let a texture that only has an image in another format use that."""
    extensions = texture.get("extensions") or {}
    sources = [extensions[name]["source"] for name in _OTHER_IMAGES if name in extensions]
    if "source" in texture or "EXT_texture_webp" in extensions or not sources:
        return False
    texture["source"] = sources[0]
    return True


def lost_of_materials(content: dict, also_read: tuple[str, ...]) -> Iterator[str]:
    """Messages about extensions of used materials that are not read; also_read: by this Blender."""
    for name, material in _used_materials(content):
        for extension in material.get("extensions") or ():
            if extension.startswith(_LOOK) and extension not in (*_READ_MATERIALS, *also_read):
                yield f"material {name!r}: {extension} is not read"


def unlit_materials(content: dict) -> list[str]:
    """The names of used materials that are unlit."""
    return [
        name for name, material in _used_materials(content) if _UNLIT in (material.get("extensions") or {})
    ]


def _used_materials(content: dict) -> Iterator[tuple[str, dict]]:
    materials = content.get("materials", [])
    used: dict[int, None] = {}
    for primitive in (one for mesh in content.get("meshes", ()) for one in mesh.get("primitives", ())):
        variants: Any = (primitive.get("extensions") or {}).get("KHR_materials_variants", {})
        for user in (primitive, *variants.get("mappings", ())):
            if user.get("material") is not None:
                used[user["material"]] = None
    for number in used:
        yield materials[number].get("name", f"{number}"), materials[number]
