"""Scene: the solids of a row: its products from their assets, everything else from the engine.

In: a Row, its Catalog, the engine's own meshes of the shot, and a function that reads an asset. Products
have the names and the object_to_world of the row's objects, so that a product that was rendered elsewhere,
or another product, is detected. Products that the row does not list, because they are not visible, come from
the shot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from blendgen.geometry.mesh import Mesh
from blendgen.models.product import Catalog, Product
from blendgen.scene.row import Row
from blendgen.scene.shot import PlacedProduct, Shot
from blendgen.verification.rays.cast import RayScene, Solid
from blendgen.verification.rays.pixel_rays import lens_rays, pixel_size

AssetReader = Callable[[Product], Mesh]
NameOf = Callable[[int], str]


def row_solids(
    row: Row, shot: Shot, catalog: Catalog, engine_meshes: Sequence[Mesh], read: AssetReader, name_of: NameOf
) -> list[Solid]:
    """Everything that the labels of the row describe.

    name_of: instance id -> the engine's name of that product
    """
    rendered = {mesh.name: mesh for mesh in engine_meshes}
    solids = []
    for placed in listed_products(row, shot):
        own = rendered.pop(name_of(placed.instance_id), None)
        mesh = _with_materials_of(own, read(catalog.product_of(placed)))
        solids.append(Solid(placed.instance_id, mesh, np.array(placed.object_to_world)))
    return [*solids, *(Solid(0, mesh, mesh.object_to_world) for mesh in rendered.values())]


def row_scene(row: Row, solids: Sequence[Solid]) -> RayScene:
    """The scene of these solids, as seen by the camera of the row."""
    reach = np.abs(lens_rays(row)).reshape(-1, 2).max(axis=0) + 2 * pixel_size(row)
    return RayScene(solids, row.camera.world_to_camera, reach)


def listed_products(row: Row, shot: Shot) -> list[PlacedProduct]:
    """The products of a shot; where the row lists one, the values of the row replace those of the shot."""
    objects = row.objects
    numbers = {instance_id: number for number, instance_id in enumerate(objects.instance_id)}
    products = []
    for placed in shot.products:
        number = numbers.get(placed.instance_id)
        if number is not None:
            listed = {
                "product": objects.product[number],
                "colorway": objects.colorway[number],
                "case": objects.case[number] if objects.case is not None else None,
                "object_to_world": objects.object_to_world[number],
            }
            placed = PlacedProduct.model_validate(placed.model_dump() | listed)
        products.append(placed)
    return products


def _with_materials_of(rendered: Mesh | None, asset: Mesh) -> Mesh:
    """The asset, transparent where its materials in this shot are."""
    if rendered is None:
        return asset
    return replace(asset, see_through=rendered.see_through)
