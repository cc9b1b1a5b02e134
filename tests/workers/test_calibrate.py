"""Calibration finds the fewest samples that reach a target PSNR, and stores them in the cache."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from blendgen.dataset.failures import failed_together
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store
from blendgen.engine.device import CPU
from blendgen.errors import BlendgenError, ExitCode, InfeasibleDraw, Reason, SpecError
from blendgen.models.inventory import Inventory
from blendgen.pipeline import Task
from blendgen.spec.load import SpecFile, resolved_yaml
from blendgen.workers import calibrate, worker
from blendgen.workers.calibrate import CANDIDATES, calibrate_spec, calibrated_samples, psnr_db
from blendgen.workers.job import Job
from tests.conftest import make_class_table, make_spec

QUALITY = {"target_psnr_db": 32, "max_bounces": 1, "denoise": False}


def test_psnr_of_a_known_error():
    grey = np.full((8, 8, 3), 100, np.uint8)
    assert psnr_db(grey, grey) == math.inf
    assert psnr_db(grey + np.uint8(1), grey) == pytest.approx(20 * math.log10(255))
    assert psnr_db(grey, np.zeros_like(grey)) == pytest.approx(20 * math.log10(2.55))


def test_a_target_quality_replaces_the_samples_of_a_preset_but_not_those_of_the_spec():
    by_quality = make_spec(render={"preset": "draft", "target_psnr_db": 40}).render
    assert (by_quality.samples_per_pixel, by_quality.target_psnr_db) == (None, 40)
    both = make_spec(render={"preset": "draft", "target_psnr_db": 40, "samples_per_pixel": 16}).render
    assert (both.samples_per_pixel, both.target_psnr_db) == (16, 40)
    with pytest.raises(SpecError, match="give samples_per_pixel or target_psnr_db"):
        make_spec(render={"max_bounces": 1, "denoise": False})


@pytest.fixture
def job(shapes, tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    spec = make_spec(render=QUALITY)
    return Job(spec, shapes, make_class_table(shapes), tmp_path, tmp_path / "log")


def replace_workers(monkeypatch, *results):
    """Let workers return these results; returns the list of the runs' tasks."""
    runs = []

    def run_tasks(job, tasks, stop, workers, steps, crashed, time_limit):
        runs.append(list(tasks))
        yield from results

    monkeypatch.setattr(calibrate, "run_tasks", run_tasks)
    return runs


def test_the_worst_shot_decides_and_is_measured_once(job, monkeypatch, tmp_path):
    runs, lines = replace_workers(monkeypatch, (4, True), (16, True), (8, True)), []
    assert [calibrated_samples(job, "key", lines.append) for _ in range(3)] == [16, 16, 16]
    assert len(runs) == 1 and [task.shot_index for task in runs[0]] == [0, 1, 2]
    assert len(lines) == 1 and "32 dB" in lines[0]
    assert calibrated_samples(job, "another", lines.append) == 16 and len(runs) == 2


def test_a_quality_out_of_reach_is_reported_each_time(job, monkeypatch):
    replace_workers(monkeypatch, (4, True), (128, False))
    lines = []
    assert [calibrated_samples(job, "key", lines.append) for _ in range(2)] == [CANDIDATES[-1]] * 2
    assert sum("is not reached" in line for line in lines) == 2


def test_a_data_set_continues_with_its_samples(job, monkeypatch, tmp_path):
    """Even if this machine would measure another number; for another spec they are measured."""
    runs = replace_workers(monkeypatch, (16, True))
    inventory = Inventory(job.catalog, job.class_table)
    spec_file = SpecFile(job.spec, tmp_path, None, ())

    def samples(spec_file, folder=tmp_path / "out"):
        spec = calibrate_spec(spec_file, inventory, (), lambda line: None, folder=folder).spec
        return spec.render.samples_per_pixel

    render = job.spec.render.model_copy(update={"samples_per_pixel": 4})
    spec = job.spec.model_copy(update={"render": render})
    with Store(tmp_path / "out", dataset_record(spec, inventory), resolved_yaml(spec)):
        pass
    assert samples(spec_file) == 4 and not runs
    assert samples(spec_file, None) == 16
    assert samples(replace(spec_file, spec=job.spec.model_copy(update={"seed": 77}))) == 16
    assert samples(spec_file, tmp_path / "nothing") == 16


@pytest.mark.parametrize("content", ["", "[]", '{"samples_per_pixel": 4}'])
def test_a_broken_cache_entry_is_measured_again(job, monkeypatch, tmp_path, content):
    path = tmp_path / "cache/calibration/key.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    runs = replace_workers(monkeypatch, (8, True))
    assert calibrated_samples(job, "key", lambda line: None) == 8 and len(runs) == 1
    assert json.loads(path.read_text()) == {"samples_per_pixel": 8, "reached": True}


def test_fewest_samples_is_the_smallest_candidate_that_reaches_the_target(shapes, flat_pipeline, monkeypatch):
    """With an engine whose error decreases with its samples, like that of a path tracer."""
    pipeline = flat_pipeline(make_spec(render={**QUALITY, "target_psnr_db": 30}))
    samples = []
    monkeypatch.setattr(
        type(pipeline.engine), "set_samples", lambda self, n: samples.append(n), raising=False
    )

    def noisy(self, shot, exposure):
        is_reference = samples[-1] == calibrate.REFERENCE_SAMPLES
        error = 0 if is_reference else 255 * 10 ** (-26 / 20) / math.sqrt(samples[-1])
        return np.full((8, 8, 3), 100 + round(error), np.uint8)

    monkeypatch.setattr(type(pipeline), "clean_picture", noisy)
    monkeypatch.setattr(worker._Worker, "pipeline", pipeline)
    # 26 dB at one sample, 3 dB more with each doubling
    assert calibrate.fewest_samples(Task(0, (0,))) == (4, True)
    assert samples == [calibrate.REFERENCE_SAMPLES, 1, 2, 4]


def test_a_shot_that_its_render_finds_infeasible_is_not_measured(flat_pipeline, monkeypatch):
    pipeline = flat_pipeline(make_spec(render=QUALITY))

    def infeasible(self, shot, exposure):
        raise InfeasibleDraw(Reason.PRODUCTS_IN_LINE, "too many in line")

    monkeypatch.setattr(type(pipeline.engine), "set_samples", lambda self, n: None, raising=False)
    monkeypatch.setattr(type(pipeline), "clean_picture", infeasible)
    monkeypatch.setattr(worker._Worker, "pipeline", pipeline)
    (failure,) = calibrate.fewest_samples(Task(0, (0,)))
    assert (failure.reason, failure.message) == ("products_in_line", "too many in line")


def test_a_shot_on_which_blender_fails_is_not_measured_and_the_next_has_a_new_blender(
    job, flat_pipeline, monkeypatch
):
    pipelines = [flat_pipeline(job.spec), flat_pipeline(job.spec)]
    monkeypatch.setattr(type(pipelines[0].engine), "set_samples", lambda self, n: None, raising=False)

    def damaged(shot):
        raise RuntimeError("the surface has no inside")

    pipelines[0].engine.render = damaged
    monkeypatch.setattr(worker._Worker, "job", job, raising=False)
    monkeypatch.setattr(worker._Worker, "device", CPU, raising=False)
    monkeypatch.setattr(worker._Worker, "pipeline", pipelines[0])
    monkeypatch.setattr(worker._Worker, "damaged", False)
    monkeypatch.setattr(worker, "pipeline_for", lambda job, device: pipelines[1])
    (failure,) = calibrate.fewest_samples(Task(0, (0,)))
    message = f"shot 0: RuntimeError: the surface has no inside; see {job.log} (the subject is "
    assert failure.reason == "render_failed" and failure.message.startswith(message)
    assert calibrate.fewest_samples(Task(1, (1,))) == (1, True)


def test_where_no_shot_can_be_measured_the_error_is_that_of_the_first_one(job, monkeypatch):
    failures = [
        failed_together([index], index, Reason.BLENDER_CRASHED, f"shot {index}: SIGSEGV")
        for index in range(3)
    ]
    replace_workers(monkeypatch, *reversed(failures))
    with pytest.raises(
        BlendgenError, match=r"none of the first 3 shots .*samples_per_pixel.*: shot 0: SIG"
    ) as raised:
        calibrated_samples(job, "key", lambda line: None)
    assert raised.value.exit_code == ExitCode.FAILED
