"""The name of a product depends on the path of its own file alone."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path, PurePath

import pytest

from blendgen.files.names import name_fault
from blendgen.models.product_names import GENERIC_WORDS, folder_name, is_collision_mesh, product_name

FORBIDDEN = set('/\\:*?"<>|')


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("mug.obj", "mug"),
        ("mugs/red.obj", "red"),
        ("ace/ace_of_clubs.glb", "ace_of_clubs"),
        # Sketchfab, and others that call every file alike
        ("blender/scene.gltf", "blender"),
        ("kettle/source/model.fbx", "kettle"),
        ("toaster/Untitled.blend", "toaster"),
        ("Stuhl/Ohne Titel.blend", "Stuhl"),
        ("杯子/模型.obj", "杯子"),
        ("scene.gltf", "scene"),
        ("gltf/scene.gltf", "scene"),
        # YCB, Google Scanned Objects, ShapeNet, URDF, Khronos
        ("003_cracker_box/google_16k/textured.obj", "003_cracker_box"),
        ("Mist_Wipe_Warmer/meshes/model.obj", "Mist_Wipe_Warmer"),
        ("02691156/1021a0914a72/models/model_normalized.obj", "1021a0914a72"),
        ("gripper/meshes/visual/finger.dae", "finger"),
        ("Duck/glTF-Draco/Duck.gltf", "Duck"),
        ("kettle/LOD0/mesh.fbx", "kettle"),
        # numbers in each folder: ModelNet, BOP, exports
        ("chair/train/chair_0001.off", "chair_0001"),
        ("chair/1.obj", "chair__1"),
        ("lm/models/obj_000001.ply", "lm__obj_000001"),
        ("models/obj_000001.ply", "obj_000001"),
        ("kettle/model2.obj", "kettle__model2"),
        ("kettle/1/model.obj", "kettle__1"),
        # collision meshes
        ("003_cracker_box/google_16k/textured_vhacd.stl", "003_cracker_box__collision"),
        ("gripper/meshes/collision/finger.stl", "finger__collision"),
    ],
)  # fmt: skip
def test_a_file_is_named_after_what_says_most(file, name):
    assert product_name(PurePath(file)) == name


def test_a_path_names_every_file_apart():
    assert product_name(PurePath("king/clubs.glb"), "path") == "king__clubs"
    assert product_name(PurePath("a/scene.gltf"), "path") == "a__scene"


def test_names_are_composed():
    for naming in ("file", "path"):
        name = product_name(PurePath(unicodedata.normalize("NFD", "größe/été.obj")), naming)
        assert name == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "stem", ["SCENE", "Model", "ｍｏｄｅｌ", "Modèle", unicodedata.normalize("NFD", "Modèle"), "lod 0"]
)
def test_letter_case_width_and_normal_form_of_a_generic_name_do_not_count(stem):
    assert product_name(PurePath(f"kettle/{stem}.glb")) == "kettle"


def test_only_what_names_a_collision_mesh_is_one():
    assert is_collision_mesh(PurePath("a/mug_vhacd_3.obj")) and is_collision_mesh(
        PurePath("collision_geometry.obj")
    )
    assert is_collision_mesh(PurePath("mug/Collision_Meshes/part.stl"))
    for file in ("collision_sensor.glb", "collision warning light/model.obj", "mug.obj"):
        assert not is_collision_mesh(PurePath(file))


COLLISION_MESHES = f"""
collision_01.obj mug/collision_01/x.obj mug/collision_lod0/x.obj Collision.001/x.stl mug/hulls_coacd/0.obj
mug_collision_lod0.glb mug_collision_mesh.obj mug_collision_part_3.obj mug_collision_hull03.obj
UCX_01.fbx mug/ucx_mug_00.obj UBX_crate.fbx MugCollision.obj MugCollider2.fbx mug_CoACD_3.obj
mug-convcolonly.glb tasse/Kollision/a.stl 杯子/碰撞体/a.obj
{unicodedata.normalize("NFD", "taza_colisión.obj")}
"""


@pytest.mark.parametrize("file", COLLISION_MESHES.split())
def test_numbers_writers_and_languages_of_collision_meshes(file):
    assert is_collision_mesh(PurePath(file))


def test_what_only_looks_like_the_name_of_a_collision_mesh_is_none():
    for file in ("UBX-M8030.step", "pre_collision_system.obj", "hull_01.obj", "mug_parts/collided.obj"):
        assert not is_collision_mesh(PurePath(file))


def test_a_collision_mesh_of_unreal_is_named_after_its_folder():
    assert product_name(PurePath("mug/UCX_01.fbx")) == "mug__UCX_01__collision"


@pytest.mark.parametrize("letter", ["a", "é", "茶"])
def test_names_that_are_too_long_are_cut_and_stay_different(letter):
    folders = [letter * (250 // len(letter.encode()))] * 3
    names = [product_name(PurePath(*folders, f"{last}.obj"), "path") for last in "ab"]
    collision = product_name(PurePath(f"{'a' * 240}_collision.obj"))
    for name in (*names, collision):
        assert name_fault(name) is None and len(name.encode()) > 240
    assert len({*names}) == 2 and all(name.startswith(letter * 70) for name in names)
    assert names[0] == product_name(PurePath(*folders, "a.glb"), "path")
    assert product_name(PurePath(f"{'a' * 251}.obj")) == "a" * 251


def test_names_of_random_paths_are_usable_as_one_folder_name():
    draw = random.Random(0)
    words = ["a", "A", "b", "textured", "glTF", "..x", "con", "é", "mug 1", "q?", "tail. ", "7", "collision"]
    for _ in range(2000):
        folders = (draw.choice(words) for _ in range(draw.randint(0, 3)))
        name = product_name(PurePath(*folders, f"{draw.choice(words)}.obj"))
        assert name_fault(name) is None and not FORBIDDEN & set(name)
        assert name == name.strip(" ").rstrip(".")
        assert not name.startswith(".") and name.casefold() != "con"


def test_the_documentation_lists_the_generic_words():
    text = Path(__file__).parents[2].joinpath("docs", "models.md").read_text(encoding="utf-8")
    listed = text[text.index("\n3d, 3dmodel, ") :].strip().partition(".")[0]
    assert listed.replace("\n", " ").split(", ") == sorted(GENERIC_WORDS)


def test_other_letters_and_inner_spaces_are_kept():
    assert folder_name("Tasse größer 茶 1") == "Tasse größer 茶 1"
    assert folder_name(' .a/b:c*"x". ') == "a_b_c__x_"
    assert folder_name("...") == "_"


def test_marks_that_nobody_sees_do_not_make_a_model_unusable():
    assert folder_name("\u200f\u05db\u05d5\u05e1") == "\u05db\u05d5\u05e1"
    assert folder_name("a\x1b[2J\x9bb\u202ec") == "a_[2J_bc"
    assert name_fault(folder_name("\ud800\u2028\n\ufffe")) is None
