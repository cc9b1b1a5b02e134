"""What a sidecar changes of measuring a model, and of the key that its measurement is cached by."""

from __future__ import annotations

import pytest

from blendgen.models.measuring.cache import source_facts
from blendgen.models.measuring.reads import Disk
from blendgen.models.scan import scan_directory
from blendgen.models.sidecar.attach import Sidecars


def facts(source) -> str:
    return str(source_facts(source, Disk()))


@pytest.fixture
def attached(tmp_path):
    """(lines of a sidecar, spec's unit and up) -> the source as it is measured."""
    (tmp_path / "mug.obj").write_text("v 0 0 0\n")

    def attach(lines: str | None, unit=None, up=None):
        if lines is not None:
            (tmp_path / "mug.yaml").write_text(f"blendgen_model: 1\n{lines}\n")
        every = scan_directory(tmp_path, "models", unit, up)
        (source,) = Sidecars().attached(every, every)
        return source

    return attach


def test_the_spec_wins_over_the_sidecar_and_the_sidecar_over_the_file(attached):
    assert attached("unit: mm\nup: z").options["unit"] == "mm"
    assert attached("unit: mm\nup: z").options["up"] == "z"
    assert attached("unit: mm\nup: z", "cm", "x").options["unit"] == "cm"
    assert attached("unit: mm\nup: z", "cm", "x").options["up"] == "x"


def test_a_sidecar_is_never_taken_for_a_model(attached):
    assert attached("class: mug").name == "mug"


def test_only_what_measuring_needs_makes_it_measure_again(attached):
    bare = facts(attached(None))
    stays = [
        "class: mug",
        "parts: {a: b}",
        "colorways: {a: {}}",
        "exclude_poses: [z]",
        "symmetries: {continuous: [z]}",
    ]
    assert {facts(attached(line)) for line in stays} == {bare}
    again = [
        "unit: mm",
        "up: z",
        "coordinates: blender",
        "keypoints: {a: [1, 2, 3]}",
        "keypoints: {a: [1, 2, 4]}",
        "hide: stand",
        "show: stand",
    ]
    keys = [facts(attached(line)) for line in again]
    assert len({bare, *keys}) == 8
    named = [facts(attached(f"keypoints: {{{name}: [1, 2, 3]}}")) for name in ("a", "b")]
    assert named[0] == named[1] == keys[3]


def test_objects_that_are_hidden_or_shown_are_options(attached):
    options = attached("hide: stand\nshow: [lod1, '*_col']").options
    assert (options["hide"], options["show"]) == (["stand"], ["lod1", "*_col"])


def test_a_sidecar_may_name_a_folder_of_textures_that_exists(attached, tmp_path):
    (tmp_path / "maps").mkdir()
    bare = facts(attached(None))
    assert attached("textures: maps").options["textures"] == "maps"
    assert facts(attached("textures: maps")) != bare


def test_a_folder_of_textures_that_does_not_exist_is_an_error(tmp_path):
    (tmp_path / "mug.obj").write_text("v 0 0 0\n")
    (tmp_path / "mug.yaml").write_text("blendgen_model: 1\ntextures: maps\n")
    every, sidecars = scan_directory(tmp_path, "models", None, None), Sidecars()
    sidecars.attached(every, every)
    (problem,) = sidecars.problems
    assert str(problem) == (
        "models/mug.yaml:2:1: textures: the folder 'maps' does not exist; it is relative to the model"
    )
