"""generate with several workers and Blender: the data set does not depend on how they share the work."""

import json
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from blendgen import api
from blendgen.workers import share
from tests.cli.test_cli import blendgen

pytest.importorskip("bpy")

SPEC = """\
blendgen: 1
name: shapes
seed: 3
images: 24
exposures_per_shot: 2
resolution: [64, 64]
products: [{catalog: shapes}]
render: {preset: smoke, denoise: true}
sensor: machine_vision
output: {depth: exr, clean: true, nocs: true}
"""
NOT_COMPARED = {"blender.log"}  # depends on the order of rendering


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "shapes.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def one_worker(spec, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "one"
    result = blendgen("generate", spec, "-o", folder, "--workers", "1")
    assert result.returncode == 0, result.stderr
    return folder


def content(folder):
    """Bytes of every file of a data set, its record and contact sheet included."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in NOT_COMPARED]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def different(folder, other) -> list[str]:
    """Names of the files of which there is one only, or whose bytes differ."""
    ours, theirs = content(folder), content(other)
    names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    if "manifest.jsonl" in names:  # pytest shows it with the failure
        print(json.dumps(api.diff(folder, other).as_dict(), indent=1))
    return names


def started(spec, folder, *options):
    """An unfinished run with some finished images, and its worker processes."""
    command = [sys.executable, "-m", "blendgen", "generate", spec, "-o", folder, *options]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while not (folder / "manifest.jsonl").exists() or not (folder / "manifest.jsonl").stat().st_size:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    return process, workers_of(process)


def workers_of(process):
    children = psutil.Process(process.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "memory_mb"), [("2", ""), ("3", "1")])
def test_more_workers_and_replaced_ones_give_the_same_folder(spec, one_worker, tmp_path, workers, memory_mb):
    folder = tmp_path / "out"
    environment = {share.MEMORY_VARIABLE: memory_mb}
    result = blendgen("generate", spec, "-o", folder, "--workers", workers, **environment)
    assert result.returncode == 0, result.stderr
    assert different(folder, one_worker) == []


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_the_folder_is_the_same(spec, one_worker, tmp_path):
    folder = tmp_path / "out"
    process, workers = started(spec, folder, "--workers", "2")
    assert len(workers) == 2
    workers[0].send_signal(signal.SIGKILL)
    _, messages = process.communicate(timeout=240)
    assert process.returncode == 0, messages
    assert different(folder, one_worker) == []


@pytest.mark.slow
def test_no_worker_outlives_a_killed_run(spec, tmp_path):
    process, workers = started(spec, tmp_path / "out", "--workers", "2", "-n", "1000")
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=240)
    assert alive == []


@pytest.mark.slow
def test_the_first_ctrl_c_finishes_the_pending_shots_of_every_worker(spec, tmp_path):
    folder = tmp_path / "out"
    process, workers = started(spec, folder, "--workers", "2", "-n", "1000")
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=240)
    assert process.returncode == 130 and "run the same command to continue" in messages
    assert not any(worker.is_running() for worker in workers)
    images = sorted(path.relative_to(folder).as_posix() for path in folder.glob("images/**/*.png"))
    rows = [json.loads(line)["file_name"] for line in (folder / "manifest.jsonl").read_text().splitlines()]
    assert sorted(rows) == images


@pytest.mark.slow
def test_a_missing_device_is_rejected_before_any_image_is_made(spec, tmp_path):
    for device, code, message in (
        ("metal:3", 4, "available: cpu"),
        ("cudda", 2, "cudda: unknown device; did you mean cuda?"),
    ):
        result = blendgen("generate", spec, "-o", tmp_path / "out", "--device", device)
        assert result.returncode == code and message in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_data_set_of_two_devices_is_recorded_and_cannot_be_rerendered(spec, one_worker, tmp_path):
    folder = shutil.copytree(one_worker, tmp_path / "out")
    record = json.loads((folder / "dataset.json").read_text())
    record["device"] |= {"device": "optix", "kernel": "NVIDIA L4"}
    (folder / "dataset.json").write_text(json.dumps(record))
    result = blendgen("generate", spec, "-o", folder, "-n", "26")
    assert result.returncode == 0 and "were made on optix (NVIDIA L4), these are made on cpu" in result.stderr
    record = json.loads((folder / "dataset.json").read_text())
    assert [record["device"]["device"], record["also_made_on"][0]["device"]] == ["cpu", "optix"]
    deep = blendgen("verify", folder, "--ray-check", "1", "--rerender", "1")
    assert deep.returncode == 5 and "it is not recorded which image was made on which" in deep.stderr


def test_the_number_of_workers_is_a_number_or_auto(spec, tmp_path):
    for wrong in ("0", "many", "-1", "9" * 5000):
        result = blendgen("generate", spec, "-o", tmp_path / "out", "--workers", wrong)
        assert result.returncode == 2 and "expected auto or a number" in result.stderr
