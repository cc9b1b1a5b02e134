"""generate, generate_rows and preview as scripts, sessions and threads call them, with real Blender."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time

import pytest
import yaml

import blendgen
from blendgen.dataset.manifest import read_rows

pytest.importorskip("bpy")

SPEC = {
    "blendgen": 1,
    "name": "shapes",
    "products": [{"catalog": "shapes"}],
    "images": 4,
    "resolution": [64, 64],
    "exposures_per_shot": 2,
    "render": "smoke",
}
HEAD = f"import blendgen, json, sys, time\nspec = {json.dumps(SPEC)}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished data set, its report, and the calls of the progress function."""
    calls = []
    folder = tmp_path_factory.mktemp("made") / "out"
    report = blendgen.generate(
        SPEC, folder, workers=1, progress=lambda finished, total: calls.append((finished, total))
    )
    return folder, report, calls


def rows_of(folder):
    return list(read_rows(folder / "manifest.jsonl"))


def session(code: str, *arguments, **options) -> subprocess.CompletedProcess:
    """A Python without a main module: the program comes through stdin."""
    command = [sys.executable, "-", *map(str, arguments)]
    return subprocess.run(command, input=HEAD + code, capture_output=True, text=True, timeout=240, **options)


def test_a_run_reports_what_it_made_and_how_far_it_is(made):
    folder, report, calls = made
    assert (report.folder, report.images, report.made, report.existing) == (folder, 4, 4, 0)
    assert report.classes == ("box", "sphere") and report.contact_sheet.exists()
    assert calls == [(0, 4), (2, 4), (4, 4)]
    assert len(report.open_dataset()) == 4
    json.dumps(report.as_dict())


def test_a_second_run_makes_what_is_missing_and_nothing_else(made):
    folder, _, _ = made
    before = (folder / "manifest.jsonl").read_bytes()
    report = blendgen.generate(SPEC, folder)
    assert (report.made, report.existing) == (0, 4)
    assert list(blendgen.generate_rows(SPEC, folder)) == []
    assert (folder / "manifest.jsonl").read_bytes() == before
    with pytest.raises(blendgen.DatasetError, match="another spec"):
        blendgen.generate(SPEC, folder, overrides={"seed": 1})


def test_rows_come_as_they_are_recorded_and_are_those_of_the_manifest(made, tmp_path):
    rows = []
    for row in blendgen.generate_rows(SPEC, tmp_path / "out", workers=1):
        rows.append(row)
        assert (tmp_path / "out" / row.image.name).exists()
        assert len(rows_of(tmp_path / "out")) >= len(rows)
    assert rows == rows_of(tmp_path / "out") == rows_of(made[0])


@pytest.mark.slow
def test_leaving_the_loop_keeps_what_is_recorded(tmp_path):
    folder = tmp_path / "out"
    for row in blendgen.generate_rows(SPEC, folder, overrides={"images": 200}, workers=1):
        assert row.index == 0
        break
    rows = rows_of(folder)
    assert 0 < len(rows) < 20
    images = sorted(path.relative_to(folder).as_posix() for path in folder.glob("images/**/*.png"))
    assert images == sorted(row.image.name for row in rows)
    report = blendgen.generate(SPEC, folder, indices=range(len(rows)))
    assert (report.made, report.existing) == (0, len(rows))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers: expected at least 1, got 0"),
        ({"indices": [3, -1]}, "indices: expected 0 or more, got -1"),
        ({"device": "gpu"}, "gpu: unknown device; known: auto, cuda, hip, metal, oneapi, optix"),
    ],
)
def test_options_that_are_not_possible_are_refused(tmp_path, options, message):
    with pytest.raises(blendgen.UsageError, match=message):
        blendgen.generate(SPEC, tmp_path / "out", **options)


def test_a_wrong_spec_is_refused_before_the_first_row_is_taken(tmp_path):
    with pytest.raises(blendgen.SpecError):
        blendgen.generate_rows({**SPEC, "seeed": 1}, tmp_path / "out")


@pytest.mark.slow
def test_an_error_of_the_progress_function_ends_the_run_in_order(tmp_path):
    def fails(finished: int, total: int) -> None:
        if finished:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        blendgen.generate(SPEC, tmp_path / "out", workers=1, progress=fails)
    assert [row.index for row in rows_of(tmp_path / "out")] == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("source", ["stdin", "-c", "script"])
def test_a_session_without_a_main_module_and_a_script_without_a_guard_can_generate(made, tmp_path, source):
    code = "blendgen.generate(spec, sys.argv[1], workers=2)\n"
    if source == "stdin":
        result = session(code, tmp_path / "out", cwd=tmp_path)
    else:
        (tmp_path / "script.py").write_text(HEAD + code)
        program = ["-c", HEAD + code] if source == "-c" else [tmp_path / "script.py"]
        command = [sys.executable, *program, tmp_path / "out"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert rows_of(tmp_path / "out") == rows_of(made[0])


@pytest.mark.slow
def test_a_bar_goes_to_stderr_and_nothing_to_stdout(tmp_path):
    result = session("blendgen.generate(spec, sys.argv[1], workers=1, progress=True)\n", tmp_path / "out")
    assert result.returncode == 0 and result.stdout == ""
    assert "4/4" in result.stderr and "image" in result.stderr


@pytest.mark.slow
def test_a_thread_can_generate(made, tmp_path):
    rows = []
    thread = threading.Thread(
        target=lambda: rows.extend(blendgen.generate_rows(SPEC, tmp_path / "out", workers=1))
    )
    thread.start()
    thread.join(240)
    assert rows == rows_of(made[0])


INTERRUPTED = """\
import blendgen.errors
try:
    {run}
except KeyboardInterrupt as error:
    print(type(error).__name__, error)
print(len(blendgen.open_dataset(sys.argv[1])))
"""


def interrupted(run: str, folder, first_file: str = "manifest.jsonl") -> list[str]:
    """The lines of a session that gets a Ctrl-C once a file is there."""
    process = subprocess.Popen(
        [sys.executable, "-", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdin.write(HEAD + "spec['images'] = 1000\n" + INTERRUPTED.format(run=run))
    process.stdin.close()
    deadline = time.monotonic() + 90
    while not (folder / first_file).exists() or not (folder / first_file).stat().st_size:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(240)
    output, errors = process.stdout.read(), process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    assert process.returncode == 0, errors
    return output.splitlines()


@pytest.mark.slow
def test_ctrl_c_finishes_the_images_that_are_being_rendered(tmp_path):
    folder = tmp_path / "out"
    message, count = interrupted("blendgen.generate(spec, sys.argv[1], workers=1)", folder)
    assert message.startswith(f"Interrupted stopped: {count} images are finished in {folder}, ")
    assert int(count) == len(rows_of(folder)) == len(list(folder.glob("images/**/*.png"))) > 0


@pytest.mark.slow
def test_ctrl_c_in_the_body_of_a_loop_over_rows_is_not_held_back(tmp_path):
    folder = tmp_path / "out"
    loop = "for row in blendgen.generate_rows(spec, sys.argv[1], workers=1): "
    body = loop + "open(sys.argv[1] + '/entered', 'w').write(row.label); time.sleep(500)"
    message, count = interrupted(body, folder, first_file="entered")
    assert message == "KeyboardInterrupt "
    assert int(count) == len(rows_of(folder)) == len(list(folder.glob("images/**/*.png"))) > 0


@pytest.mark.slow
def test_a_signal_before_a_row_is_given_keeps_the_body_of_the_loop_from_running(tmp_path):
    def interrupts(finished: int, total: int) -> None:
        if finished:
            signal.raise_signal(signal.SIGINT)

    messages = {4: "stopped: all images are finished", 100: "images are finished in .* missing"}
    for images, message in messages.items():
        folder = tmp_path / str(images)
        options = {"overrides": {"images": images}, "workers": 1, "progress": interrupts}
        with pytest.raises(blendgen.Interrupted, match=message):
            for _ in blendgen.generate_rows(SPEC, folder, **options):
                pytest.fail("the body runs")
        assert 0 < len(rows_of(folder)) <= images


@pytest.mark.slow
def test_signals_are_handled_as_before_a_run_and_in_a_loop_over_its_rows(tmp_path):
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    for _ in blendgen.generate_rows(SPEC, tmp_path / "out", workers=1):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_preview_is_a_picture(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        sheet = blendgen.preview(SPEC, tmp_path / "sheet.png", images=2, vary="camera.elevation_deg")
    assert sheet.mode == "RGB" and sheet.width > 128 and (tmp_path / "sheet.png").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
    with pytest.raises(blendgen.UsageError, match=r"did you mean camera\.elevation_deg"):
        blendgen.preview(SPEC, vary="camera.elevation")
    with pytest.raises(blendgen.UsageError, match="exclude each other"):
        blendgen.preview(SPEC, vary="camera", ablate="lighting")
    (tmp_path / "mine.png").write_text("mine")
    with pytest.raises(blendgen.DatasetError, match="was not written by blendgen"):
        blendgen.preview(SPEC, tmp_path / "mine.png")


def command_line(*arguments):
    command = [sys.executable, "-m", "blendgen", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


@pytest.mark.slow
def test_images_that_cannot_be_made_are_counted_and_the_command_exits_with_7(tmp_path):
    """Of all draws one in 21 has the camera outside of the subject, so about half of the shots have none."""
    near = {"distance_m": {"choice": {0.01: 20, 0.4: 1}}}
    spec = SPEC | {"images": 8, "seed": 2, "exposures_per_shot": 1, "camera": near}
    path, folder = tmp_path / "scene.yaml", tmp_path / "out"
    path.write_text(yaml.safe_dump(spec))
    report = blendgen.generate(path, folder, workers=1)
    assert 0 < report.failed < 8 and report.failed_per_reason == {"camera_in_products": report.failed}
    assert report.images == report.made == len(report.open_dataset()) == 8 - report.failed

    again = command_line("generate", path, "-o", folder, "--json")
    assert again.returncode == 7
    assert (
        f"{report.failed} of 8 images cannot be made ({report.failed} camera_in_products); " in again.stderr
    )
    result = json.loads(again.stdout)
    assert (result["existing"], result["made"], result["failed"]) == (report.images, 0, report.failed)
    verified = command_line("verify", folder)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    exported = command_line("export", folder, "csv", tmp_path / "rows")
    assert exported.returncode == 0, exported.stderr

    index = json.loads((folder / "failed.jsonl").read_text().splitlines()[0])["index"]
    with pytest.raises(blendgen.errors.InfeasibleShot, match=f"shot {index}: all 16 attempts failed"):
        blendgen.sample(path, index)
    with pytest.raises(blendgen.errors.InfeasibleDraw, match="inside the products"):
        blendgen.sample(path, index, attempt=0)
    row = rows_of(folder)[0]
    assert blendgen.sample(path, row.index).shot.attempt == row.shot.attempt > 0


@pytest.mark.slow
def test_a_spec_without_a_feasible_image_leaves_an_empty_data_set_and_no_preview(tmp_path):
    spec = SPEC | {"camera": {"distance_m": 0.01}}
    report = blendgen.generate(spec, tmp_path / "out", workers=1)
    assert (report.images, report.failed, report.contact_sheet) == (0, 4, None)
    json.dumps(report.as_dict())
    calls = []
    progress = lambda *call: calls.append(call)  # noqa: E731
    for retry_failed, tried in ((False, 0), (True, 4)):
        options = {"workers": 1, "retry_failed": retry_failed, "progress": progress}
        assert blendgen.generate(spec, tmp_path / "out", **options).failed == 4
        assert calls[-1] == (tried, tried)
    with pytest.raises(blendgen.errors.GeometryError, match="no image of the preview can be made"):
        blendgen.preview(spec, images=2)
