"""Amodal masks: the pixels that each product would cover if nothing occluded it.

A second view layer with only the outlines of products, bare copies that share their meshes, renders one
sample, with a material that lets most light through; Cryptomatte then lists all products on the ray through
each pixel's centre. The picture layer does not change. Cryptomatte stores 16 objects of a ray; if all are in
use some may be missing, so such a shot is infeasible.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import bpy
import numpy as np

from blendgen.engine.blender.session.stage import exclude_all_but_outlines
from blendgen.engine.blender.shading.nodes import add_node, enable_nodes
from blendgen.errors import InfeasibleDraw, Reason

LAYER = "amodal"
_DEPTH = 16
_TRANSPARENT_BOUNCES = 256


def build_layer(scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    """The view layer. Every shot needs it: a belt's rail may occlude even a single product."""
    layer = scene.view_layers.new(LAYER)
    exclude_all_but_outlines(layer)
    layer.material_override = _see_through()
    layer.samples = 1
    layer.use_pass_cryptomatte_object = True
    layer.use_pass_z = False
    layer.cycles.use_denoising = False
    # without the minimum, Russian roulette ends some rays before they meet every product
    scene.cycles.min_transparent_bounces = _TRANSPARENT_BOUNCES
    scene.cycles.transparent_max_bounces = _TRANSPARENT_BOUNCES
    return layer


def make_room(layer: bpy.types.ViewLayer, products: int) -> None:
    """Make room for this many objects on a ray; every two cost a pass."""
    layer.pass_cryptomatte_depth = min(2 * (products // 2 + 1), _DEPTH)


def masks(passes: dict[str, np.ndarray], outlines: dict[int, str]) -> dict[int, np.ndarray]:
    """instance id -> (h, w) bool: the pixels whose central ray meets the outline; outlines: names by id.

    raises: InfeasibleDraw if a ray meets more objects than Cryptomatte stores
    """
    ranks = _ranks(passes)
    if (ranks[-1][..., -1] > 0).any():
        raise InfeasibleDraw(
            Reason.PRODUCTS_IN_LINE,
            f"more than {_DEPTH - 1} products are behind one another, so their amodal masks would be "
            "wrong; raise camera.elevation_deg or lower products_per_image",
        )
    covered = {instance_id: np.zeros(ranks[0].shape[:2], bool) for instance_id in outlines}
    for instance_id, pixels, _ in _shares(ranks, outlines):
        covered[instance_id].flat[pixels] = True
    return covered


def soft_masks(passes: dict[str, np.ndarray], names: dict[int, str]) -> dict[int, np.ndarray]:
    """instance id -> (h, w) float32: the share of each pixel that the object covers; names: by id."""
    ranks = _ranks(passes)
    covered = {instance_id: np.zeros(ranks[0].shape[:2], np.float32) for instance_id in names}
    for instance_id, pixels, shares in _shares(ranks, names):
        covered[instance_id].flat[pixels] += shares
    return {instance_id: share.clip(0, 1) for instance_id, share in covered.items()}


def _ranks(passes: dict[str, np.ndarray]) -> list[np.ndarray]:
    """(h, w, 4) each: id, share, id, share of two objects; the largest shares first."""
    return [passes[name] for name in sorted(passes) if name.startswith("CryptoObject")]


def _shares(ranks: list[np.ndarray], names: dict[int, str]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(instance id, indices of pixels (n,), the object's shares of them (n,)), once or more for each object.

    Each rank is searched once for all objects: there may be dozens in a large picture.
    """
    by_id = sorted((cryptomatte_id(name), instance_id) for instance_id, name in names.items())
    ids = np.array([one for one, _ in by_id], np.float32)
    for rank in ranks if by_id else ():
        for first in (0, 2):
            share = rank[..., first + 1].ravel()
            pixels = np.flatnonzero(share > 0)
            shown = rank[..., first].ravel()[pixels]
            place = np.searchsorted(ids, shown).clip(max=len(ids) - 1)
            own = np.flatnonzero(ids[place] == shown)
            own = own[np.argsort(place[own], kind="stable")]
            ends = np.searchsorted(place[own], np.arange(1, len(ids)))
            for (_, instance_id), part in zip(by_id, np.split(pixels[own], ends), strict=True):
                yield instance_id, part, share[part]


def _see_through() -> bpy.types.Material:
    material = bpy.data.materials.new("amodal")
    tree = enable_nodes(material)
    tree.nodes.clear()
    through, glow = add_node(tree, "ShaderNodeBsdfTransparent"), add_node(tree, "ShaderNodeEmission")
    mix = add_node(tree, "ShaderNodeMixShader", {"Fac": 0.3})
    shaders = [socket for socket in mix.inputs if socket.type == "SHADER"]
    tree.links.new(through.outputs[0], shaders[0])
    tree.links.new(glow.outputs[0], shaders[1])
    add_node(tree, "ShaderNodeOutputMaterial", {"Surface": mix.outputs[0]})
    material.use_fake_user = True
    return material


def cryptomatte_id(name: str) -> np.float32:
    """Cryptomatte's id of a name: MurmurHash3 (32 bit) as a finite float.

    source: Friedman and Jones, Fully automatic ID mattes (2015), specification 1.2.0
    """
    value = _murmur3(name.encode())
    if (value >> 23) & 255 in (0, 255):
        value ^= 1 << 23
    return np.float32(struct.unpack("<f", struct.pack("<I", value))[0])


def _murmur3(key: bytes) -> int:
    whole = len(key) // 4 * 4
    value = 0
    for i in range(0, whole, 4):
        value ^= _scramble(int.from_bytes(key[i : i + 4], "little"))
        value = (_rotate(value, 13) * 5 + 0xE6546B64) & 0xFFFFFFFF
    if len(key) > whole:
        value ^= _scramble(int.from_bytes(key[whole:], "little"))
    value ^= len(key)
    value = ((value ^ value >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    value = ((value ^ value >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    return value ^ value >> 16


def _scramble(word: int) -> int:
    return (_rotate((word * 0xCC9E2D51) & 0xFFFFFFFF, 15) * 0x1B873593) & 0xFFFFFFFF


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & 0xFFFFFFFF
