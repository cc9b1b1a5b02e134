"""Flat engine: a renderer in NumPy that casts one ray through each pixel centre.

In: Shots of any catalogue; a product of shape "sphere" is rendered as its sphere, every other one as its
bounding box. Out: a Film with exact ids, depth and amodal masks; light is Lambertian without shadows. It
replaces Blender in tests, where Blender would be too slow; data sets need a real renderer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from blendgen import __version__
from blendgen.engine.base import PinholeEngine
from blendgen.geometry.color import hex_to_linear
from blendgen.geometry.projection import inverse_rigid, pixel_rays, transform_points
from blendgen.models.product import Catalog, Product
from blendgen.optics.overscan import frame_within, overscan_camera
from blendgen.scene.film import Film, Overscan
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.kinds.surfaces import SURFACE_KINDS
from blendgen.scene.openings import reached
from blendgen.scene.shot import EMISSION_GROUP, ENVIRONMENT_GROUP, Distractor, PlacedProduct, Shot, lamp_group
from blendgen.spec.output import Output

_SURFACE_ALBEDO = (0.18, 0.18, 0.18)
_PRODUCT_ALBEDO = (0.5, 0.5, 0.5)
_DEFAULT_OUTPUT = Output()
_KEYPOINT_TOLERANCE = 1e-4  # of the distance to a keypoint: a hit so near is the keypoint itself


class FlatEngine(PinholeEngine):
    """Analytic boxes and spheres on the plane z = 0 (see engine/base.py for the protocol)."""

    def __init__(self, catalog: Catalog, output: Output = _DEFAULT_OUTPUT):
        self._catalog = catalog
        self._output = output

    def identity(self) -> dict[str, str]:
        return {"engine": "flat", "version": __version__, "device": "cpu", "kernel": "numpy"}

    def render_pinhole(self, shot: Shot) -> Film:
        origin, directions = _rays(shot)
        things: tuple[PlacedProduct | Distractor, ...] = (*shot.products, *shot.distractors, *shot.occluders)
        hits = [self._hit(thing, origin, directions) for thing in things]
        depth, normal, instance_id, albedo = self._nearest(shot, things, hits, origin, directions)
        film = Film(
            radiance_linear=_light(shot, origin, directions, depth, normal, albedo),
            depth_m=depth.astype(np.float32),
            instance_id=instance_id,
            amodal_masks={
                placed.instance_id: np.isfinite(hit_depth)
                for placed, (hit_depth, _) in zip(shot.products, hits, strict=False)
            },
        )
        return replace(film, **self._optional_fields(shot, film, normal, albedo))

    def _nearest(self, shot: Shot, things, hits, origin, directions):
        """Depth and instance id (h, w), normal and albedo (h, w, 3) at the first hit of each ray."""
        depth, normal = _plane_hit(origin, directions)
        if not SURFACE_KINDS[shot.surface.kind].solid:
            depth = np.full_like(depth, np.inf)
        instance_id = np.zeros(depth.shape, np.uint16)
        albedo = np.broadcast_to(np.array(_SURFACE_ALBEDO), (*depth.shape, 3)).copy()
        for thing, (hit_depth, hit_normal) in zip(things, hits, strict=True):
            nearer = hit_depth < depth
            depth = np.where(nearer, hit_depth, depth)
            normal = np.where(nearer[..., None], hit_normal, normal)
            instance_id[nearer] = getattr(thing, "instance_id", 0)
            albedo[nearer] = self._albedo(thing)
        return depth, normal, instance_id, albedo

    def _optional_fields(self, shot: Shot, film: Film, normal, albedo) -> dict[str, Any]:
        """The fields of the film that only some outputs need; each pixel is a single ray."""
        output, hit = self._output, np.isfinite(film.depth_m)[..., None]
        fields: dict[str, Any] = {}
        if output.parts:
            fields["part_slot"] = np.minimum(film.instance_id, 1)
        if output.soft_masks:
            ids = film.amodal_masks
            fields["soft_masks"] = {i: (film.instance_id == i).astype(np.float32) for i in ids}
        if output.surfaces:
            fields["central_normal_world"] = np.where(hit, normal, 0).astype(np.float32)
            fields["central_albedo_linear"] = np.where(hit, albedo, 0).astype(np.float32)
        if output.keypoints:
            fields["keypoint_seen"] = {p.instance_id: self._visible_keypoints(shot, p) for p in shot.products}
        if output.truncation:
            fields["overscan"] = self._overscan(shot)
        return fields

    def _visible_keypoints(self, shot: Shot, placed: PlacedProduct) -> np.ndarray:
        """(n,) bool: the keypoints that are not occluded."""
        points = [keypoint.position_m for keypoint in self._catalog.product_of(placed).keypoints]
        origin, _ = _rays(shot)
        towards = transform_points(placed.object_to_world, np.reshape(points, (-1, 3))) - origin
        nearest = np.full(len(points), np.inf)
        things: tuple[PlacedProduct | Distractor, ...] = (*shot.products, *shot.distractors, *shot.occluders)
        for thing in things:
            nearest = np.minimum(nearest, self._hit(thing, origin, towards)[0])
        return nearest > 1 - _KEYPOINT_TOLERANCE

    def _overscan(self, shot: Shot) -> Overscan:
        camera = overscan_camera(shot)
        origin, directions = _rays(shot.model_copy(update={"camera": camera}))
        whole = {p.instance_id: np.isfinite(self._hit(p, origin, directions)[0]) for p in shot.products}
        return Overscan(camera, whole, frame_within(shot.camera, camera))

    def _hit(self, placed: PlacedProduct | Distractor, origin, directions):
        """Depth (h, w), inf for a miss, and normal (h, w, 3) of a product on its own."""
        product = self._catalog.product_of(placed)
        object_to_world = np.array(placed.object_to_world)
        rotation = object_to_world[:3, :3]
        local_origin = (inverse_rigid(object_to_world) @ [*origin, 1.0])[:3]
        local_origin = local_origin - [0, 0, product.size_m[2] / 2]
        local_directions = directions @ rotation
        solve = _sphere_hit if product.measured.shape == "sphere" else _box_hit
        depth, normal = solve(product, local_origin, local_directions)
        return depth, normal @ rotation.T

    def _albedo(self, placed: PlacedProduct | Distractor) -> tuple[float, float, float]:
        overrides = self._catalog.product_of(placed).colorway(placed.colorway).materials.values()
        colors = [override.base_color_srgb for override in overrides if override.base_color_srgb]
        return hex_to_linear(colors[0]) if colors else _PRODUCT_ALBEDO


def _rays(shot: Shot):
    """Camera position (3,) and world directions (h, w, 3) with unit depth."""
    camera_to_world = inverse_rigid(shot.camera.world_to_camera)
    rays = pixel_rays(shot.camera.intrinsics, shot.camera.resolution)
    return camera_to_world[:3, 3], rays @ camera_to_world[:3, :3].T


def _plane_hit(origin, directions):
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = -origin[2] / directions[..., 2]
    depth = np.where((directions[..., 2] < 0) & (depth > 0), depth, np.inf)
    return depth, np.broadcast_to(np.array([0.0, 0.0, 1.0]), directions.shape)


def _sphere_hit(product: Product, origin, directions):
    """Hit with the sphere about the local origin; depth is the ray parameter."""
    radius = product.size_m[0] / 2
    a = np.sum(directions**2, axis=-1)
    b = directions @ origin
    discriminant = b * b - a * (origin @ origin - radius**2)
    depth = np.where(discriminant >= 0, (-b - np.sqrt(np.maximum(discriminant, 0))) / a, np.inf)
    depth = np.where(depth > 0, depth, np.inf)
    points = origin + np.where(np.isfinite(depth), depth, 0)[..., None] * directions
    return depth, points / radius


def _box_hit(product: Product, origin, directions):
    """Hit with the box about the local origin, by slabs."""
    half = np.array(product.size_m) / 2
    safe = np.where(np.abs(directions) < 1e-12, 1e-12, directions)
    first, second = (-half - origin) / safe, (half - origin) / safe
    entries = np.minimum(first, second)
    enter, leave = entries.max(axis=-1), np.maximum(first, second).min(axis=-1)
    depth = np.where((enter <= leave) & (enter > 0), enter, np.inf)
    axis = entries.argmax(axis=-1)
    normal = np.zeros(directions.shape)
    np.put_along_axis(normal, axis[..., None], 1.0, axis=-1)
    return depth, normal * -np.sign(directions)


def _light(shot: Shot, origin, directions, depth, normal, albedo) -> dict[str, np.ndarray]:
    """Radiance by light group: a uniform environment, and lamps as points."""
    hit = np.isfinite(depth)[..., None]
    points = origin + np.where(hit, depth[..., None], 0) * directions
    groups = {
        ENVIRONMENT_GROUP: np.where(hit, albedo, 1.0).astype(np.float32),
        EMISSION_GROUP: np.zeros(albedo.shape, np.float32),
    }
    for number, lamp in enumerate(shot.lamps):
        lamp_to_world = np.array(lamp.lamp_to_world)
        towards = lamp_to_world[:3, 3] - points
        distance = np.linalg.norm(towards, axis=-1, keepdims=True)
        towards = towards / distance
        at_surface = np.maximum(np.sum(towards * normal, axis=-1, keepdims=True), 0)
        at_lamp = np.maximum(towards @ lamp_to_world[:3, 2], 0)[..., None]
        falloff = (lamp.reference_distance_m / distance) ** 2
        kind = LAMP_KINDS[lamp.kind]
        if kind.sunlight:
            at_surface = np.maximum(normal @ lamp_to_world[:3, 2], 0)[..., None]
            at_lamp, falloff = 1.0, 1.0
        if kind.panes:
            at_lamp = reached(lamp, points)[..., None]
        radiance = albedo * at_surface * at_lamp * falloff
        groups[lamp_group(number)] = np.where(hit, radiance, 0).astype(np.float32)
    return groups
