"""A folder of files becomes sources with unique, usable names in an order that is always the same."""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import blendgen.models.scan as scan_module
from blendgen.errors import CatalogError
from blendgen.files.names import name_fault
from blendgen.models.scan import MODEL_SUFFIXES, folder_name, product_names, scan_directory

FORBIDDEN = set('/\\:*?"<>|')


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def scan(root: Path, unit=None, up=None):
    return scan_directory(root, "models", unit, up)


def names(root: Path) -> list[str]:
    return [source.name for source in scan(root)]


def test_every_model_suffix_is_found_in_any_letter_case_and_nothing_else(tmp_path):
    touch(tmp_path, *(f"m{i}.{suffix}" for i, suffix in enumerate(MODEL_SUFFIXES)))
    touch(tmp_path, "upper.STL", "a.mtl", "a.bin", "a.png", "readme.md", "noext", "x.blend1", "y.abc")
    assert len(names(tmp_path)) == len(MODEL_SUFFIXES) + 1


def test_the_order_ignores_letter_case_and_the_order_of_creation(tmp_path):
    files = ["b/x.obj", "A/y.obj", "a2.obj", "B3.obj", "c.obj"]
    first = names(touch(tmp_path / "1", *files))
    assert first == names(touch(tmp_path / "2", *reversed(files))) == ["y", "a2", "x", "B3", "c"]


def test_hidden_files_and_folders_are_skipped(tmp_path):
    touch(tmp_path, ".a.obj", ".git/b.obj", "__MACOSX/c.obj", "d.obj", "sub/._d.obj")
    assert names(tmp_path) == ["d"]


def test_a_link_back_to_a_folder_above_ends(tmp_path):
    touch(tmp_path, "sub/a.obj")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    (tmp_path / "broken.obj").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path) == ["a"]


def test_the_first_folder_below_the_root_is_the_folder_of_a_source(tmp_path):
    touch(tmp_path, "top.obj", "mugs/red.obj", "mugs/old/blue.obj")
    assert {source.name: source.folder for source in scan(tmp_path)} == {
        "top": "",
        "red": "mugs",
        "blue": "mugs",
    }


def test_a_source_carries_its_options_an_absolute_path_and_the_path_as_written(tmp_path, monkeypatch):
    touch(tmp_path, "models/sub/a.obj")
    monkeypatch.chdir(tmp_path)
    (source,) = scan_directory(Path("models"), "models", "mm", "y")
    assert source.kind == "mesh"
    assert source.options == {
        "path": str(tmp_path / "models/sub/a.obj"),
        "root": str(tmp_path / "models"),
        "unit": "mm",
        "up": "y",
    }
    assert source.display == str(Path("models/sub/a.obj"))


def test_files_of_one_name_are_distinguished_by_their_folder(tmp_path):
    touch(tmp_path, "003_cracker_box/textured.obj", "025_mug/textured.obj")
    assert names(tmp_path) == ["003_cracker_box", "025_mug"]


def test_a_folder_named_after_a_format_or_shared_by_all_does_not_name_a_product(tmp_path):
    touch(tmp_path, "003_cracker_box/google_16k/textured.obj", "025_mug/google_16k/textured.obj")
    assert names(tmp_path) == ["003_cracker_box", "025_mug"]
    touch(tmp_path / "duck", "Duck/glTF/Duck.gltf", "Duck/glTF-Draco/Duck.gltf")
    assert names(tmp_path / "duck") == ["glTF__Duck", "glTF-Draco__Duck"]


def test_two_formats_of_one_model_are_distinguished_by_the_suffix(tmp_path):
    assert names(touch(tmp_path, "box.obj", "Box.STL", "other.stl")) == ["box_obj", "Box_STL", "other"]


def test_names_that_clash_only_after_renaming_are_distinguished_too(tmp_path):
    touch(tmp_path, "a/mug.obj", "b/mug.obj", "c/a.obj", "x:y.obj", "x_y.obj")
    new_names = names(tmp_path)
    assert len({name.casefold() for name in new_names}) == 5


def test_names_of_random_trees_are_unique_and_usable_as_one_folder_name():
    draw = random.Random(0)
    words = ["a", "A", "b", "textured", "glTF", "..x", "con", "é", "mug 1", "q?", "tail. "]
    for _ in range(200):
        paths = {
            Path(*(draw.choice(words) for _ in range(draw.randint(0, 3))), f"{draw.choice(words)}.{suffix}")
            for suffix in ("obj", "stl", "glb")
            for _ in range(4)
        }
        new_names = product_names(sorted(paths))
        assert len({name.casefold() for name in new_names}) == len(new_names)
        for name in new_names:
            assert not FORBIDDEN & set(name) and name == name.strip(" ").rstrip(".")
            assert not name.startswith(".") and name.casefold() != "con"


def test_other_letters_and_inner_spaces_are_kept():
    assert folder_name("Tasse größer 茶 1") == "Tasse größer 茶 1"
    assert folder_name(' .a/b:c*"x". ') == "a_b_c__x_"
    assert folder_name("...") == "_"


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        (".", "models: no model in this folder; expected files ({})"),
        ("absent", "models: the folder does not exist; expected a folder with models ({})"),
    ],
)
def test_a_folder_without_models_says_which_files_are_expected(tmp_path, folder, message):
    touch(tmp_path, "only.txt")
    with pytest.raises(CatalogError) as raised:
        scan(tmp_path / folder)
    assert str(raised.value) == message.format(".glb .gltf .obj .stl .ply .fbx .usd .usda .usdc .usdz .blend")


def test_a_file_in_place_of_the_folder_is_reported(tmp_path):
    touch(tmp_path, "a.obj")
    with pytest.raises(CatalogError, match="is a file; expected the folder"):
        scan(tmp_path / "a.obj")


def test_an_unknown_unit_or_axis_is_reported_with_the_known_ones(tmp_path):
    touch(tmp_path, "a.obj")
    with pytest.raises(CatalogError, match="unit must be one of m, cm, mm, in, ft; got 'inch'"):
        scan(tmp_path, unit="inch")
    with pytest.raises(CatalogError, match="up must be one of x, y, z; got 'Y'"):
        scan(tmp_path, up="Y")


def test_folders_that_link_to_one_another_are_visited_once(tmp_path):
    folders = [tmp_path / "m" / f"f{i}" for i in range(12)]
    for folder in folders:
        touch(folder, f"{folder.name}.obj")
    for folder in folders:
        for other in folders:
            (folder / f"to_{other.name}").symlink_to(other)
    assert names(tmp_path / "m") == sorted(folder.name for folder in folders)


def test_links_that_lead_out_are_left_out_and_reported_unless_they_are_to_be_followed(tmp_path, caplog):
    touch(tmp_path, "m/a.obj", "other/b.obj", "other/c.obj")
    (tmp_path / "m" / "far").symlink_to(tmp_path / "other")
    (tmp_path / "m" / "c.obj").symlink_to(tmp_path / "other" / "c.obj")
    assert names(tmp_path / "m") == ["a"]
    assert "left out 2 links that lead out of this folder: c.obj, far; follow_links: true" in caplog.text
    followed = scan_directory(tmp_path / "m", "m", None, None, follow_links=True)
    assert [source.name for source in followed] == ["a", "c", "b", "far__c"]


def test_a_link_to_the_root_of_the_disk_is_not_walked(tmp_path):
    touch(tmp_path, "a.obj")
    (tmp_path / "all").symlink_to("/")
    assert names(tmp_path) == ["a"]


def test_a_pipe_or_a_device_is_left_out_and_that_is_reported(tmp_path, caplog):
    touch(tmp_path, "a.obj")
    os.mkfifo(tmp_path / "pipe.glb")
    (tmp_path / "zero.glb").symlink_to("/dev/zero")
    assert names(tmp_path) == ["a"]
    assert "not a regular file, left out: pipe.glb, zero.glb" in caplog.text


def _names_as_they_were(paths: list[Path]) -> list[str]:
    """The rule in its plain, quadratic form."""
    stems = scan_module._stems(paths)
    groups = defaultdict(list)
    for position, stem in enumerate(stems):
        groups[stem.casefold()].append(position)

    def by_folder(position):
        group = groups[stems[position].casefold()]
        if len(group) == 1:
            return stems[position]
        depth = min(len(paths[i].parts) for i in group) - 1
        for level in range(1, depth + 1):
            new_names = [paths[i].parts[-1 - level] for i in group]
            apart = len({name.casefold() for name in new_names}) == len(new_names)
            if apart and not any(scan_module._UNINFORMATIVE.fullmatch(name) for name in new_names):
                return paths[position].parts[-1 - level]
        return paths[position].stem

    forms = [lambda i: stems[i], by_folder]
    forms.append(lambda i: by_folder(i) + (f"__{stems[i]}" if by_folder(i) != stems[i] else ""))
    for parents in range(1, max((len(path.parts) for path in paths), default=0)):
        forms.append(lambda i, parents=parents: "__".join((*paths[i].parts[:-1][-parents:], stems[i])))
    forms.append(lambda i: f"{i + 1:04d}__" + "__".join(paths[i].parts))
    sets, level = list(groups.values()), [0] * len(groups)
    while True:
        new_names = {i: folder_name(forms[level[g]](i)) for g, group in enumerate(sets) for i in group}
        uses = Counter(name.casefold() for name in new_names.values())
        clashing = [
            g for g, group in enumerate(sets) if any(uses[new_names[i].casefold()] > 1 for i in group)
        ]
        advancing = [g for g in clashing if level[g] < len(forms) - 1]
        if not advancing:
            return [new_names[i] for i in sorted(new_names)]
        for g in advancing:
            level[g] += 1


def test_names_are_those_of_the_plain_rule():
    draw = random.Random(1)
    words = ["a", "A", "b", "textured", "glTF", "..x", "con", "a__b", "mug", "q?", "q_", "0001__a"]
    for _ in range(300):
        paths = sorted(
            {
                Path(*(draw.choice(words) for _ in range(draw.randint(0, 3))), f"{draw.choice(words)}.obj")
                for _ in range(12)
            }
        )
        assert product_names(paths) == _names_as_they_were(paths)


@pytest.mark.slow
def test_many_files_of_one_name_are_named_in_time():
    """The plain rule takes half an hour for these; the time limit of a test is what tells."""
    paths = [Path(f"{i:06x}", "models", "model_normalized.obj") for i in range(50_000)]
    new_names = product_names(paths)
    assert new_names[:2] == ["000000", "000001"] and len(set(new_names)) == len(paths)
    again = [Path("x", f"{i:06x}", "models", "a", "same.obj") for i in range(1_000)]
    assert len(set(product_names([*again, *(Path("y") / path for path in again)]))) == 2_000


def test_marks_that_nobody_sees_do_not_make_a_model_unusable():
    assert folder_name("\u200f\u05db\u05d5\u05e1") == "\u05db\u05d5\u05e1"
    assert folder_name("a\x1b[2J\x9bb\u202ec") == "a_[2J_bc"
    assert name_fault(folder_name("\ud800\u2028\n\ufffe")) is None
