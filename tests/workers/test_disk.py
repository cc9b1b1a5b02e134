"""A disk that is full, or gone, in a worker: the run ends, and goes on once the disk is there."""

import errno

import pytest

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.errors import DiskUnavailable, FilesLost
from blendgen.pipeline import Task
from blendgen.workers import worker
from blendgen.workers.job import Job
from tests.conftest import make_class_table, make_spec
from tests.dataset.test_dataset import content
from tests.workers.flat_run import CATALOG, initialize_on_a_full_disk, run


@pytest.mark.parametrize("filename", [None, "/mnt/temporary/layer.exr"])
def test_no_shot_is_blamed_for_a_disk_that_is_full(tmp_path, monkeypatch, filename):
    job = Job(make_spec(), CATALOG, make_class_table(CATALOG), tmp_path, tmp_path / "log")
    monkeypatch.setattr(worker._Worker, "job", job, raising=False)

    def step():
        raise OSError(errno.ENOSPC, "No space left on device", filename)

    with pytest.raises(DiskUnavailable, match=f"^{filename or tmp_path}: .*the disk is full"):
        worker.run_step(Task(0, (0,)), step)


@pytest.mark.slow
def test_a_run_that_filled_the_disk_goes_on_to_the_same_bytes(tmp_path):
    spec = make_spec(images=8)
    run(tmp_path / "calm", spec)
    with pytest.raises(DiskUnavailable, match=r"full/.*the disk is full.*run the same command to continue"):
        run(tmp_path / "full", spec, initialize=initialize_on_a_full_disk)
    layout = Layout(tmp_path / "full")
    assert 0 < len(list(read_rows(layout.manifest))) < 8 and not layout.failures.exists()
    outcome = run(tmp_path / "full", spec)
    assert outcome.existing > 0 and outcome.existing + outcome.made == 8
    assert content(tmp_path / "full") == content(tmp_path / "calm")


@pytest.mark.slow
def test_a_run_whose_finished_files_are_changed_meanwhile_does_not_end_as_if_all_were_there(tmp_path):
    spec, folder = make_spec(images=8), tmp_path / "out"

    def damage(finished, total):
        if finished == 4:
            (folder / next(read_rows(Layout(folder).manifest)).image.name).write_bytes(b"")

    with pytest.raises(FilesLost, match=r"7 images are finished in .*out, 1 are missing; run the same comm"):
        run(folder, spec, report=damage)
    assert run(folder, spec).made == 1
