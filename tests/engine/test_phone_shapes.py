"""Every phone has its published size, closed solids, and the slots of its colourways."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

bpy = pytest.importorskip("bpy")

from blendgen.engine.blender.phones import build_phone  # noqa: E402
from blendgen.engine.blender.phones.case import FIT_MM, LIP_MM, PLATE_MM, WALL_MM  # noqa: E402
from blendgen.models.families.phones import load_phones, phone_colorways  # noqa: E402

PHONES = load_phones()
# one phone per frame always, all phones in slow tests
USUAL = ("iphone_8", "iphone_x", "iphone_12", "iphone_15_pro")
each_phone = pytest.mark.parametrize(
    "name", [name if name in USUAL else pytest.param(name, marks=pytest.mark.slow) for name in PHONES]
)
BUTTON_MM = 0.6


class Built(dict):
    """Phones by name, each built on first access; keypoints, and trees in mm, of each by name."""

    def __init__(self, cased: bool = False):
        super().__init__()
        self.cased, self.keypoints, self.trees = cased, {}, {}

    def __missing__(self, name: str):
        description = PHONES[name].model_dump(mode="json")
        self[name], self.keypoints[name] = build_phone(description, self.cased)
        return self[name]

    def tree(self, name: str):
        from mathutils.bvhtree import BVHTree

        if name not in self.trees:
            corners = corners_of(self[name])
            vertices, starts = corners.vertices.tolist(), [*corners.starts.tolist(), len(corners.vertices)]
            faces = [vertices[start:end] for start, end in pairwise(starts)]
            self.trees[name] = BVHTree.FromPolygons(vertices_mm(self[name]).tolist(), faces)
        return self.trees[name]


@pytest.fixture(scope="module")
def products():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return Built()


def vertices_mm(product) -> np.ndarray:
    flat = np.empty(3 * len(product.data.vertices), np.float32)
    product.data.vertices.foreach_get("co", flat)
    return 1000.0 * flat.reshape(-1, 3).astype(np.float64)


class Corners(NamedTuple):
    """The corners of all faces, one face after the other."""

    vertices: np.ndarray  # the vertex of each corner
    following: np.ndarray  # the vertex of the next corner of the same face
    faces: np.ndarray  # the face of each corner
    starts: np.ndarray  # the first corner of each face

    def of_faces(self, chosen: np.ndarray) -> Corners:
        """Those of some faces; chosen: a bool for each face."""
        here = chosen[self.faces]
        numbers = np.cumsum(chosen)[self.faces[here]] - 1
        starts = np.searchsorted(numbers, np.arange(chosen.sum()))
        return Corners(self.vertices[here], self.following[here], numbers, starts)


def of_each(items, name: str) -> np.ndarray:
    values = np.empty(len(items), np.int32)
    items.foreach_get(name, values)
    return values


def corners_of(product) -> Corners:
    mesh = product.data
    vertices = of_each(mesh.attributes[".corner_vert"].data, "value")
    starts, counts = of_each(mesh.polygons, "loop_start"), of_each(mesh.polygons, "loop_total")
    assert (starts == np.cumsum(counts) - counts).all()
    following = np.roll(vertices, -1)
    following[starts + counts - 1] = vertices[starts]
    return Corners(vertices, following, np.repeat(np.arange(len(counts)), counts), starts)


def faces_of_slot(product, slot: str) -> np.ndarray:
    """Whether each face has the material."""
    names = [material.name.split(".")[0] for material in product.data.materials]
    return np.array([name == slot for name in names])[of_each(product.data.polygons, "material_index")]


def slot_vertices_mm(product, slot: str) -> np.ndarray:
    corners = corners_of(product).of_faces(faces_of_slot(product, slot))
    return vertices_mm(product)[np.unique(corners.vertices)]


@each_phone
def test_object_is_one_mesh_called_product(products, name):
    product = products[name]
    assert product.name.split(".")[0] == "product"
    assert product.type == "MESH"
    assert product.name in bpy.context.scene.collection.objects


@each_phone
def test_size_is_the_published_size(products, name):
    phone, product = PHONES[name], products[name]
    whole, glass = np.ptp(vertices_mm(product), axis=0), slot_vertices_mm(product, "back")
    frame = np.ptp(slot_vertices_mm(product, "frame"), axis=0)
    assert frame[0] == pytest.approx(phone.body.width_mm, abs=0.1)
    assert frame[1] == pytest.approx(phone.body.height_mm, abs=0.1)
    assert 0 <= whole[0] - phone.body.width_mm <= 2 * BUTTON_MM
    assert whole[1] == pytest.approx(phone.body.height_mm, abs=0.1)
    island_mm = phone.island.height_mm if phone.island else 0
    highest = phone.body.depth_mm + island_mm + max(lens.height_mm for lens in phone.lenses)
    assert whole[2] == pytest.approx(highest, abs=0.1)
    far_from_camera = glass[glass[:, 1] < 0]
    assert far_from_camera[:, 2].max() == pytest.approx(phone.body.depth_mm, abs=0.05)


@each_phone
def test_is_centred_on_the_ground_with_its_back_up(products, name):
    product, places = products[name], vertices_mm(products[name])
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    assert middle[:2] == pytest.approx([0, 0], abs=1e-3)
    assert places[:, 2].min() == pytest.approx(0, abs=1e-6)
    lens = slot_vertices_mm(product, "lens_ring")
    assert lens[:, 2].max() > PHONES[name].body.depth_mm
    assert lens[:, 1].min() > 0
    assert lens[:, 0].min() < 0


@each_phone
def test_every_face_has_a_material(products, name):
    mesh = products[name].data
    assert all(material is not None for material in mesh.materials)
    assert {*of_each(mesh.polygons, "material_index").tolist()} == set(range(len(mesh.materials)))


@each_phone
def test_colorways_find_their_slots_with_a_plain_base_color(products, name):
    materials = {material.name.split(".")[0]: material for material in products[name].data.materials}
    for colorway in phone_colorways(PHONES[name]):
        for slot in colorway.materials:
            nodes = materials[slot].node_tree.nodes
            principled = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
            assert not principled.inputs["Base Color"].is_linked


@each_phone
def test_solids_are_closed_and_face_outwards(products, name):
    corners = corners_of(products[name])
    check_closed(corners)
    volumes = solid_volumes_mm3(vertices_mm(products[name]), corners)
    assert len(volumes) > 25
    assert volumes.min() > 0


def check_closed(corners: Corners):
    """Each edge has one face on each side, which pass it in opposite directions."""
    edges = np.stack([corners.vertices, corners.following], axis=1)
    directed = np.unique(edges, axis=0)
    assert len(directed) == len(edges)
    np.testing.assert_array_equal(np.unique(edges[:, ::-1], axis=0), directed)


def solid_volumes_mm3(places: np.ndarray, corners: Corners) -> np.ndarray:
    """Signed volume of each connected solid."""
    edges = coo_array(
        (np.ones(len(corners.vertices)), (corners.vertices, corners.following)), (len(places),) * 2
    )
    _, solids = connected_components(coo_array(edges, (len(places),) * 2), directed=False)
    used, of_corner = np.unique(solids[corners.vertices], return_inverse=True)
    origins = places[np.unique(solids, return_index=True)[1]][solids]  # the first vertex of each solid
    first = corners.vertices[corners.starts][corners.faces]
    a, b, c = ((places - origins)[vertex] for vertex in (first, corners.vertices, corners.following))
    sixfold = np.einsum(
        "ij,ij->i", a, np.cross(b, c)
    )  # of the fan of triangles from the first corner of a face
    return np.bincount(of_corner, sixfold, len(used)) / 6


@each_phone
def test_mesh_is_detailed_but_not_heavy(products, name):
    triangles = (of_each(products[name].data.polygons, "loop_total") - 2).sum()
    assert 10_000 <= triangles <= 45_000


def digest(product) -> str:
    return hashlib.sha256(vertices_mm(product)).hexdigest()


@pytest.mark.slow
def test_no_two_models_have_the_same_mesh(products):
    alike = {"iphone_se_3"}  # has the same shape as the iPhone SE 2
    assert len({digest(products[name]) for name in PHONES}) == len(set(PHONES) - alike)


def test_building_again_gives_the_same_mesh(products):
    again = build_phone(PHONES["iphone_12"].model_dump(mode="json"))[0]
    assert digest(again) == digest(products["iphone_12"])


CASED = ("iphone_8", "iphone_xr", "iphone_12", "iphone_15_pro")
each_cased = pytest.mark.parametrize(
    "name", [name if name in CASED else pytest.param(name, marks=pytest.mark.slow) for name in PHONES]
)


@pytest.fixture(scope="module")
def cased(products):
    """Phones in their cases."""
    return Built(cased=True)


@each_cased
def test_a_case_adds_its_thickness_on_every_side(cased, name):
    body = PHONES[name].body
    case = slot_vertices_mm(cased[name], "case")
    width, height, depth = np.ptp(case, axis=0)
    assert height == pytest.approx(body.height_mm + 2 * WALL_MM, abs=0.1)
    assert 0 <= width - (body.width_mm + 2 * WALL_MM) <= 2 * BUTTON_MM
    far_from_camera = case[case[:, 1] < 0]
    assert np.ptp(far_from_camera[:, 2]) == pytest.approx(body.depth_mm + LIP_MM + FIT_MM + PLATE_MM, abs=0.1)
    assert depth < np.ptp(far_from_camera[:, 2]) + 2.5


@each_cased
def test_a_case_is_closed_and_faces_outwards(cased, name):
    corners = corners_of(cased[name]).of_faces(faces_of_slot(cased[name], "case"))
    check_closed(corners)
    assert solid_volumes_mm3(vertices_mm(cased[name]), corners).min() > 0


@each_cased
def test_a_case_covers_neither_lenses_nor_display_nor_port(cased, name):
    phone, product, tree = PHONES[name], cased[name], cased.tree(name)
    names = [material.name.split(".")[0] for material in product.data.materials]

    def first_slot(place, direction) -> str:
        return names[product.data.polygons[tree.ray_cast(place, direction)[2]].material_index]

    spots = [*phone.lenses, *filter(None, (phone.flash, phone.microphone, phone.lidar))]
    for spot in spots:
        for turn in np.linspace(0, 2 * np.pi, 12):
            x = spot.center_mm[0] - phone.body.width_mm / 2 + 0.49 * spot.diameter_mm * np.cos(turn)
            y = phone.body.height_mm / 2 - spot.center_mm[1] + 0.49 * spot.diameter_mm * np.sin(turn)
            assert first_slot((x, y, 99.0), (0, 0, -1)) != "case"
    half = phone.body.width_mm / 2 - phone.front.bezel_mm, phone.body.height_mm / 2 - phone.front.bezel_mm
    for x in np.linspace(-half[0], half[0], 9):
        assert first_slot((x, 0.0, -99.0), (0, 0, 1)) != "case"
    straight = half[1] - phone.body.corner_radius_mm
    for y in np.linspace(-straight, straight, 9):
        assert first_slot((half[0], y, -99.0), (0, 0, 1)) != "case"
    assert first_slot((0.5, -99.0, LIP_MM + phone.body.depth_mm / 2), (0, 1, 0)) in ("port", "port_tongue")
    assert first_slot((0.0, 0.0, 99.0), (0, 0, -1)) == "case"


def check_keypoints(built: Built, name: str):
    phone, tree = PHONES[name], built.tree(name)
    places = {keypoint.name: 1000 * np.array(keypoint.position_m) for keypoint in built.keypoints[name]}
    assert len(places) == 5
    assert max(tree.find_nearest(place)[3] for place in places.values()) < 1e-3
    lens = phone.lenses[0].center_mm
    middle = (lens[0] - phone.body.width_mm / 2, phone.body.height_mm / 2 - lens[1])
    # a button on one side moves the centre of the box
    assert places["main_camera"][:2] == pytest.approx(middle, abs=BUTTON_MM)
    assert places["main_camera"][2] > phone.body.depth_mm - 0.1
    for keypoint in built.keypoints[name][:4]:
        x, y, z = places[keypoint.name]
        assert (y > 0) == ("top" in keypoint.name)
        assert (x > 0) == ("left" in keypoint.name)  # as seen from below, where the front is
        assert abs(y) > 0.44 * phone.body.height_mm and abs(x) > 0.4 * phone.body.width_mm
        assert z < (LIP_MM + 0.1 if built.cased else 0.1)
        np.testing.assert_allclose(places[keypoint.mirrored], (-x, y, z), atol=2 * BUTTON_MM)
    return places


@each_phone
def test_keypoints_are_the_corners_of_the_front_and_the_main_camera(products, name):
    check_keypoints(products, name)


@each_cased
def test_a_case_moves_no_keypoint_on_the_phone(products, cased, name):
    bare, in_case = check_keypoints(products, name), check_keypoints(cased, name)
    moved = np.array([in_case[key] - bare[key] for key in bare])
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=0.01)
