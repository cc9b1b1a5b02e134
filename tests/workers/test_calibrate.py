"""Quality as a number: the fewest samples that reach it, found once and kept."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store
from blendgen.errors import SpecError
from blendgen.models.inventory import Inventory
from blendgen.pipeline import Task
from blendgen.spec.load import SpecFile, resolved_yaml
from blendgen.workers import calibrate
from blendgen.workers.calibrate import CANDIDATES, calibrate_spec, calibrated_samples, psnr_db
from blendgen.workers.job import Job
from tests.conftest import make_class_table, make_spec

QUALITY = {"target_psnr_db": 32, "max_bounces": 1, "denoise": False}


def test_psnr_is_that_of_a_known_error():
    grey = np.full((8, 8, 3), 100, np.uint8)
    assert psnr_db(grey, grey) == math.inf
    assert psnr_db(grey + np.uint8(1), grey) == pytest.approx(20 * math.log10(255))
    assert psnr_db(grey, np.zeros_like(grey)) == pytest.approx(20 * math.log10(2.55))


def test_quality_takes_the_place_of_a_presets_samples_and_a_choice_is_kept():
    asked = make_spec(render={"preset": "draft", "target_psnr_db": 40}).render
    assert (asked.samples_per_pixel, asked.target_psnr_db) == (None, 40)
    chosen = make_spec(render={"preset": "draft", "target_psnr_db": 40, "samples_per_pixel": 16}).render
    assert (chosen.samples_per_pixel, chosen.target_psnr_db) == (16, 40)
    with pytest.raises(SpecError, match="give samples_per_pixel or target_psnr_db"):
        make_spec(render={"max_bounces": 1, "denoise": False})


@pytest.fixture
def job(shapes, tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    spec = make_spec(render=QUALITY)
    return Job(spec, shapes, make_class_table(shapes), tmp_path, tmp_path / "log")


def answers(monkeypatch, *found):
    """Workers that find these samples, and how often they were asked."""
    asked = []

    def run_tasks(job, tasks, stop, workers, steps):
        asked.append(list(tasks))
        yield from found

    monkeypatch.setattr(calibrate, "run_tasks", run_tasks)
    return asked


def test_the_worst_shot_decides_and_is_asked_once(job, monkeypatch, tmp_path):
    asked, said = answers(monkeypatch, (4, True), (16, True), (8, True)), []
    assert [calibrated_samples(job, "key", said.append) for _ in range(3)] == [16, 16, 16]
    assert len(asked) == 1 and [task.shot_index for task in asked[0]] == [0, 1, 2]
    assert len(said) == 1 and "32 dB" in said[0]
    assert calibrated_samples(job, "another", said.append) == 16 and len(asked) == 2


def test_a_quality_out_of_reach_is_told_each_time(job, monkeypatch):
    answers(monkeypatch, (4, True), (128, False))
    said = []
    assert [calibrated_samples(job, "key", said.append) for _ in range(2)] == [CANDIDATES[-1]] * 2
    assert sum("is not reached" in line for line in said) == 2


def test_a_data_set_is_gone_on_with_as_it_was_begun(job, monkeypatch, tmp_path):
    """Also where this machine would now find another number; another spec is measured."""
    asked = answers(monkeypatch, (16, True))
    inventory = Inventory(job.catalog, job.class_table)
    spec_file = SpecFile(job.spec, tmp_path, None, ())

    def chosen(spec_file, begun=tmp_path / "out"):
        return calibrate_spec(spec_file, inventory, (), lambda line: None, begun=begun).spec

    sampled = job.spec.render.model_copy(update={"samples_per_pixel": 4})
    made = job.spec.model_copy(update={"render": sampled})
    with Store(tmp_path / "out", dataset_record(made, inventory), resolved_yaml(made)):
        pass
    assert chosen(spec_file).render.samples_per_pixel == 4 and not asked
    assert chosen(spec_file, None).render.samples_per_pixel == 16
    other = replace(spec_file, spec=job.spec.model_copy(update={"seed": 77}))
    assert chosen(other).render.samples_per_pixel == 16
    assert chosen(spec_file, tmp_path / "nothing").render.samples_per_pixel == 16


@pytest.mark.parametrize("content", ["", "[]", '{"samples_per_pixel": 4}'])
def test_a_broken_entry_of_the_cache_is_measured_again(job, monkeypatch, tmp_path, content):
    kept = tmp_path / "cache/calibration/key.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(content)
    asked = answers(monkeypatch, (8, True))
    assert calibrated_samples(job, "key", lambda line: None) == 8 and len(asked) == 1
    assert json.loads(kept.read_text()) == {"samples_per_pixel": 8, "reached": True}


def test_the_fewest_samples_are_the_fewest(shapes, flat_pipeline, monkeypatch):
    """An engine whose error shrinks with its samples, as a path tracer's does."""
    pipeline = flat_pipeline(make_spec(render={**QUALITY, "target_psnr_db": 30}))
    samples = []
    monkeypatch.setattr(
        type(pipeline.engine), "set_samples", lambda self, n: samples.append(n), raising=False
    )

    def noisy(self, shot, exposure):
        error = (
            0
            if samples[-1] == calibrate.REFERENCE_SAMPLES
            else 255 * 10 ** (-26 / 20) / math.sqrt(samples[-1])
        )
        return np.full((8, 8, 3), 100 + round(error), np.uint8)

    monkeypatch.setattr(type(pipeline), "clean_picture", noisy)
    monkeypatch.setattr(calibrate, "worker_pipeline", lambda: pipeline)
    # 26 dB at one sample, 3 dB more with each doubling
    assert calibrate.fewest_samples(Task(0, (0,))) == (4, True)
    assert samples == [calibrate.REFERENCE_SAMPLES, 1, 2, 4]
