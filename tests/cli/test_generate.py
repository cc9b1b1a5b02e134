"""generate, preview, draw and doctor with real Blender, small."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blendgen.dataset.manifest import read_rows
from blendgen.dataset.rows import row_line
from blendgen.geometry.projection import transform_points
from tests.cli.test_cli import blendgen
from tests.engine.conformance import iou, silhouette

pytest.importorskip("bpy")

SPEC = """\
blendgen: 1
name: phones
seed: 3
images: 6
products: [{catalog: phones, models: [iphone_8, iphone_12], colorways: [black, silver, gold, blue]}]
products_per_image: {choice: [1, 2]}
surface: {kind: {choice: [paper, belt_rubber]}}
render: smoke
sensor: machine_vision
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "phones.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def finished(spec, tmp_path_factory):
    """A finished data set, and the result of the command."""
    folder = tmp_path_factory.mktemp("out") / "a"
    result = blendgen("generate", spec, "-o", folder, "--json")
    assert result.returncode == 0, result.stderr
    return folder, result


def rows_of(folder):
    return list(read_rows(folder / "manifest.jsonl"))


def content(folder):
    """Bytes of all that is promised to be the same: images, masks, manifest."""
    files = [*sorted(folder.glob("images/**/*.png")), *sorted(folder.glob("masks/**/*.png"))]
    return {str(f.relative_to(folder)): f.read_bytes() for f in [*files, folder / "manifest.jsonl"]}


@pytest.mark.slow
def test_the_result_is_json_and_nothing_of_blender_reaches_the_terminal(finished):
    folder, result = finished
    answer = json.loads(result.stdout)
    assert answer["images"] == answer["made"] == 6
    assert answer["classes"] == ["iphone_12", "iphone_8"]
    assert "Fra:" not in result.stderr and "Traceback" not in result.stderr
    with Image.open(answer["contact_sheet"]) as sheet:
        assert sheet.width > 64
    record = json.loads((folder / "dataset.json").read_text())
    assert record["device"]["engine"] == "cycles" and record["device"]["kernel"]
    assert not (folder / ".partial").exists() and not (folder / ".lock").exists()


@pytest.mark.slow
def test_backwards_and_in_two_halves_gives_the_same_bytes(spec, finished, tmp_path):
    folder = tmp_path / "b"
    assert blendgen("generate", spec, "-o", folder, "--index", "5,4,3").returncode == 0
    assert blendgen("generate", spec, "-o", folder, "--index", "2,1,0").returncode == 0
    assert content(folder) == content(finished[0])


@pytest.mark.slow
def test_a_fresh_process_after_20_other_shots_gives_the_same_bytes(spec, finished, tmp_path):
    folder = tmp_path / "d"
    result = blendgen("generate", spec, "-o", folder, "--index", "100-119,0-5")
    assert result.returncode == 0, result.stderr
    mine = content(folder)
    for name, data in content(finished[0]).items():
        if name != "manifest.jsonl":
            assert mine[name] == data
    lines = mine["manifest.jsonl"].splitlines()
    assert lines[:6] == content(finished[0])["manifest.jsonl"].splitlines()


@pytest.mark.slow
def test_masks_and_poses_agree_with_an_independent_projection_of_the_vertices(spec, tmp_path):
    """Through the whole of blendgen: rows and masks of phones against their hulls, which they fill."""
    from blendgen.engine.blender.importing.measurer import BlenderMeasurer
    from blendgen.models.families.phones import phone_sources
    from blendgen.models.load import load_catalog
    from blendgen.models.measuring.cache import AssetCache

    folder = tmp_path / "out"
    size = ("--set", "resolution=[256,256]", "--set", "products_per_image=1", "--set", "surface.kind=paper")
    assert blendgen("generate", spec, "-o", folder, "-n", "3", *size).returncode == 0
    wanted = [source for source in phone_sources() if source.name in ("iphone_8", "iphone_12")]
    catalog = load_catalog(wanted, BlenderMeasurer(), AssetCache())
    for row in rows_of(folder):
        objects, camera = row.objects, row.shot.camera
        hull = catalog.product(objects.product[0]).hull_m
        expected = silhouette(camera, transform_points(objects.object_to_world[0], hull))
        with Image.open(folder / row.files["mask"].name) as mask:
            assert iou(np.array(mask) == 1, expected) >= 0.98
        x, y, width, height = objects.bbox[0]
        rows, columns = np.nonzero(expected)
        assert np.abs(np.array([x, y]) - (columns.min(), rows.min())).max() <= 1
        assert np.abs(np.array([x + width, y + height]) - (columns.max() + 1, rows.max() + 1)).max() <= 1


def catches(pid: int, signum: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signum - 1) & 1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says which signals are caught")
@pytest.mark.parametrize("delay_s", [0.5, *(pytest.param(s, marks=pytest.mark.slow) for s in (0.0, 0.9))])
def test_ctrl_c_on_a_terminal_ends_a_run_that_is_only_starting(spec, tmp_path, delay_s):
    """The signal goes to the whole group, at any moment of the start; before, Python itself is starting."""
    command = [sys.executable, "-m", "blendgen", "generate", spec, "-o", tmp_path / "out", "-n", "500"]
    process = subprocess.Popen(
        list(map(str, command)), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 90
    while not catches(process.pid, signal.SIGTERM):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(delay_s)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=240)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr


@pytest.mark.slow
def test_an_existing_folder_is_resumed_for_the_same_spec_and_refused_for_another(spec, finished):
    folder, _ = finished
    before = content(folder)
    again = blendgen("generate", spec, "-o", folder, "--json")
    assert json.loads(again.stdout)["existing"] == 6
    other = blendgen("generate", spec, "-o", folder, "--seed", "4")
    assert other.returncode == 5 and "another spec" in other.stderr and "--force" in other.stderr
    assert content(folder) == before


@pytest.mark.slow
def test_every_image_can_be_drawn_again_from_its_row(spec, finished):
    folder, _ = finished
    rows = rows_of(folder)
    drawn = json.loads(blendgen("sample", spec, "--index", "4").stdout)
    assert drawn["shot"] == rows[4].shot_values and drawn["exposure"] == rows[4].exposure_values


@pytest.mark.slow
def test_verify_makes_images_again_and_finds_one_that_differs(finished, tmp_path):
    folder, _ = finished
    clean = blendgen("verify", folder, "--ray-check", "1", "--rerender", "1", "--json")
    assert clean.returncode == 0 and json.loads(clean.stdout)["faults"] == []
    copy = shutil.copytree(folder, tmp_path / "copy")
    rows = rows_of(copy)
    picture = copy / rows[0].image.name
    Image.new("RGB", (rows[0].width, rows[0].height)).save(picture)
    image = rows[0].image.model_copy(update={"sha256": hashlib.sha256(picture.read_bytes()).hexdigest()})
    changed = rows[0].model_copy(update={"files": {**rows[0].files, "image": image}})
    (copy / "manifest.jsonl").write_text(row_line(changed))
    wrong = blendgen("verify", copy, "--ray-check", "1", "--rerender", "1")
    assert wrong.returncode == 5
    assert f"{rows[0].image.name}: differs when it is rendered again" in wrong.stdout


@pytest.mark.slow
def test_images_of_another_version_are_not_made_again(finished, tmp_path):
    copy = shutil.copytree(finished[0], tmp_path / "copy")
    record = json.loads((copy / "dataset.json").read_text())
    for key in ("blender_version", "pixels_version"):
        (copy / "dataset.json").write_text(json.dumps(record | {key: "0.1"}))
        wrong = blendgen("verify", copy, "--ray-check", "1", "--rerender", "1")
        assert wrong.returncode == 4 and "0.1, not " in wrong.stderr


@pytest.mark.slow
def test_preview_makes_a_labelled_sheet(spec, tmp_path):
    result = blendgen("preview", spec, "-n", "2", "-o", tmp_path / "sheet.png")
    assert result.returncode == 0, result.stderr
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 128


@pytest.mark.slow
def test_preview_varies_one_parameter_and_tells_what_cannot_be_varied(spec, tmp_path):
    sheet = tmp_path / "strip.png"
    options = ("--vary", "camera.elevation_deg", "--set", "sensor.mosaic=rggb")
    result = blendgen("preview", spec, "-n", "2", *options, "-o", sheet)
    assert result.returncode == 0, result.stderr
    assert sheet.exists()
    result = blendgen("preview", spec, "--vary", "camera.elevation", "-o", sheet)
    assert result.returncode == 2 and "did you mean camera.elevation_deg?" in result.stderr
    result = blendgen("preview", spec, "--vary", "camera.aim", "-o", sheet)
    assert result.returncode == 2 and "`camera.aim` is now `camera.subject_offset`" in result.stderr


@pytest.mark.slow
def test_doctor_renders(tmp_path):
    report = json.loads(blendgen("doctor", "--json").stdout)
    assert report["smoke_render"] == "ok" and report["blender"] and report["missing_libraries"] == []
    assert bool(report["not_compiled"]) == bool(report["compile"])


def start_long_run(spec, folder):
    command = [sys.executable, "-m", "blendgen", "generate", spec, "-o", folder, "-n", "500"]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while not (folder / "manifest.jsonl").exists() or not (folder / "manifest.jsonl").stat().st_size:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.mark.slow
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_begun_images_and_reports_their_number(spec, tmp_path, signum, code):
    process = start_long_run(spec, tmp_path / "out")
    process.send_signal(signum)
    _, stderr = process.communicate(timeout=240)
    assert process.returncode == code
    assert "images are finished" in stderr and "run the same command to continue" in stderr
    rows = rows_of(tmp_path / "out")
    images = sorted(
        p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").glob("images/**/*.png")
    )
    assert sorted(row.image.name for row in rows) == images


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(spec, finished, tmp_path):
    folder = tmp_path / "out"
    process = start_long_run(spec, folder)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    recorded = len(rows_of(folder))
    with (folder / "manifest.jsonl").open("ab") as manifest:
        manifest.write(b'{"torn')
    result = blendgen("generate", spec, "-o", folder, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["existing"] == recorded > 0
    assert content(folder) == content(finished[0])
