"""Every phone has its published size, closed solids, and the slots of its colourways."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest

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
    """Phones by name, each built on first access; keypoints: of each phone by name."""

    def __init__(self, cased: bool = False):
        super().__init__()
        self.cased, self.keypoints = cased, {}

    def __missing__(self, name: str):
        description = PHONES[name].model_dump(mode="json")
        self[name], self.keypoints[name] = build_phone(description, self.cased)
        return self[name]


@pytest.fixture(scope="module")
def products():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return Built()


def vertices_mm(product) -> np.ndarray:
    flat = np.empty(3 * len(product.data.vertices), np.float32)
    product.data.vertices.foreach_get("co", flat)
    return 1000.0 * flat.reshape(-1, 3).astype(np.float64)


def slot_vertices_mm(product, slot: str) -> np.ndarray:
    names = [material.name.split(".")[0] for material in product.data.materials]
    faces = [face for face in product.data.polygons if names[face.material_index] == slot]
    return vertices_mm(product)[sorted({vertex for face in faces for vertex in face.vertices})]


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
    assert {face.material_index for face in mesh.polygons} == set(range(len(mesh.materials)))


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
    mesh = products[name].data
    faces = [tuple(face.vertices) for face in mesh.polygons]
    directed = {(start, end) for face in faces for start, end in zip(face, face[1:] + face[:1], strict=True)}
    assert len(directed) == sum(len(face) for face in faces)
    assert all((end, start) in directed for start, end in directed)
    volumes = solid_volumes_mm3(vertices_mm(products[name]), faces)
    assert len(volumes) > 25
    assert min(volumes.values()) > 0


def solid_volumes_mm3(places: np.ndarray, faces) -> dict[int, float]:
    """Signed volume of each connected solid, by the index of its first vertex."""
    parent = list(range(len(places)))

    def root(vertex):
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        return vertex

    for face in faces:
        for vertex in face[1:]:
            first, second = sorted((root(face[0]), root(vertex)))
            parent[second] = first
    solids: dict[int, list] = {}
    for face in faces:
        triangles = [(face[0], *pair) for pair in pairwise(face[1:])]
        solids.setdefault(root(face[0]), []).extend(triangles)
    return {first: signed_volume(places - places[first], triangles) for first, triangles in solids.items()}


def signed_volume(places, triangles) -> float:
    a, b, c = (places[[triangle[corner] for triangle in triangles]] for corner in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


@each_phone
def test_mesh_is_detailed_but_not_heavy(products, name):
    triangles = sum(len(face.vertices) - 2 for face in products[name].data.polygons)
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
    mesh = cased[name].data
    slot = [material.name.split(".")[0] for material in mesh.materials].index("case")
    faces = [tuple(face.vertices) for face in mesh.polygons if face.material_index == slot]
    directed = [(start, end) for face in faces for start, end in zip(face, face[1:] + face[:1], strict=True)]
    assert len(set(directed)) == len(directed) and {(b, a) for a, b in directed} == set(directed)
    assert min(solid_volumes_mm3(vertices_mm(cased[name]), faces).values()) > 0


@each_cased
def test_a_case_covers_neither_lenses_nor_display_nor_port(cased, name):
    from mathutils.bvhtree import BVHTree

    phone, product = PHONES[name], cased[name]
    faces = [tuple(face.vertices) for face in product.data.polygons]
    tree = BVHTree.FromPolygons(vertices_mm(product).tolist(), faces)
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
    from mathutils.bvhtree import BVHTree

    phone, product = PHONES[name], built[name]
    places = {keypoint.name: 1000 * np.array(keypoint.position_m) for keypoint in built.keypoints[name]}
    assert len(places) == 5
    faces = [tuple(face.vertices) for face in product.data.polygons]
    tree = BVHTree.FromPolygons(vertices_mm(product).tolist(), faces)
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
