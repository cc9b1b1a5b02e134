"""The meshes of the engine: those that a camera ray can hit, their positions, and their transparency."""

import numpy as np
import pytest

from blendgen.geometry.projection import pixel_rays, transform_points
from blendgen.verification.rays.cast import RayScene, Solid
from blendgen.verification.rays.compare import at_silhouette
from tests.engine import conformance

bpy = pytest.importorskip("bpy")
BELTS = ("belt_modular", "belt_mesh")


def everything(stock, **changes):
    """Two products, a visible ring lamp and an invisible lamp."""
    ring = conformance.overhead_lamp(0.3).model_copy(
        update={"kind": "ring", "size_m": (0.2, 0.1), "visible": True}
    )
    products = [conformance.place(1, stock.product("box"), yaw_deg=20),
                conformance.place(2, stock.product("sphere"), x=0.09, y=0.02)]  # fmt: skip
    lamps = (ring, ring.model_copy(update={"visible": False}), conformance.overhead_lamp())
    return conformance.make_shot(products, lamps=lamps).model_copy(update=changes)


def test_the_meshes_of_a_shot_are_those_that_a_camera_ray_can_hit(stock, engine):
    meshes = {mesh.name: mesh for mesh in engine.scene_meshes(everything(stock))}
    assert set(meshes) == {"product_1", "product_2", "surface.paper", "lamp_0"}
    box = meshes["product_1"]
    world = transform_points(box.object_to_world, box.vertices_m)
    assert np.ptp(world, axis=0)[2] == pytest.approx(0.03, abs=1e-6) and len(box.triangles) >= 12
    assert not any(mesh.may_be_passed.any() for mesh in meshes.values())


@pytest.mark.slow
def test_no_mesh_of_a_scene_is_left(stock, engine):
    before = engine.render(everything(stock))
    counts = len(bpy.context.scene.objects), len(bpy.data.meshes)
    for _ in range(2):
        engine.scene_meshes(everything(stock))
    assert (len(bpy.context.scene.objects), len(bpy.data.meshes)) == counts
    after = engine.render(everything(stock))
    assert np.array_equal(after.instance_id, before.instance_id)
    assert np.array_equal(after.radiance_linear["lamp_2"], before.radiance_linear["lamp_2"])


def test_an_asset_is_read_in_its_own_frame_and_removed_again(stock, engine):
    from blendgen.engine.blender.session.meshes import asset_mesh

    engine.render(everything(stock))  # everything that stays loaded from shot to shot is there now
    before = [set(blocks) for blocks in (bpy.data.objects, bpy.data.meshes, bpy.data.materials)]
    mesh = asset_mesh(stock.product("box"))
    assert [set(blocks) for blocks in (bpy.data.objects, bpy.data.meshes, bpy.data.materials)] == before
    assert mesh.vertices_m.min(axis=0) == pytest.approx((-0.05, -0.03, 0), abs=1e-6)
    assert mesh.vertices_m.max(axis=0) == pytest.approx((0.05, 0.03, 0.03), abs=1e-6)


@pytest.mark.parametrize("kind", ["paper", *(pytest.param(k, marks=pytest.mark.slow) for k in BELTS)])
def test_rays_hit_what_cycles_renders(stock, engine, kind):
    pytest.importorskip("embreex")
    shot = everything(stock)
    shot = shot.model_copy(
        update={"surface": shot.surface.model_copy(update={"kind": kind, "color_srgb": None})}
    )
    film, camera = engine.render(shot), shot.camera
    ids = {"product_1": 1, "product_2": 2}
    solids = [Solid(ids.get(mesh.name, 0), mesh, mesh.object_to_world) for mesh in engine.scene_meshes(shot)]
    rays = pixel_rays(camera.intrinsics, camera.resolution)[..., :2]
    hits = RayScene(solids, camera.world_to_camera, (1, 1)).first_hits(rays)
    wrong = hits.instance_id != film.instance_id
    assert wrong.mean() < 1e-4 and not (wrong & ~at_silhouette(hits.instance_id)).any()
    both = np.isfinite(film.depth_m) & np.isfinite(hits.depth_m)
    assert np.mean(np.isfinite(film.depth_m) != np.isfinite(hits.depth_m)) < 1e-3
    # also in the gaps of a belt, except for pixels at its edges
    assert np.mean(np.abs(film.depth_m - hits.depth_m)[both] > 1e-4) < 2e-3


def test_rays_pass_alpha_and_hit_glass():
    from blendgen.engine.blender.phones.case_material import case_material
    from blendgen.engine.blender.session.meshes import may_be_seen_through
    from blendgen.engine.blender.shading.nodes import add_node, new_material

    solid, tree, principled = new_material("solid", Transmission_Weight=1.0)
    assert not may_be_seen_through(solid) and not may_be_seen_through(case_material("clear"))
    veil = new_material("veil", Alpha=0.4)[0]
    picture = add_node(tree, "ShaderNodeValue")
    tree.links.new(picture.outputs[0], principled.inputs["Alpha"])
    assert may_be_seen_through(veil) and may_be_seen_through(solid)
