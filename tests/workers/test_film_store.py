"""A film is used again where the same shot of the same models would be rendered with the same settings."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blendgen.draw.shot import draw_shot
from blendgen.engine.flat import FlatEngine
from blendgen.models.product import Keypoint
from blendgen.workers.film_store import FilmStore, RememberingEngine
from blendgen.workers.job import Job
from tests.conftest import make_class_table, make_spec


class CountingEngine(FlatEngine):
    renders = 0

    def render(self, shot):
        self.renders += 1
        return super().render(shot)


@pytest.fixture
def job(tmp_path, shapes):
    return Job(make_spec(), shapes, make_class_table(shapes), tmp_path, tmp_path / "log")


@pytest.fixture
def store(tmp_path):
    (tmp_path / "films").mkdir()
    return FilmStore(tmp_path / "films")


def shot_of(job, index=0):
    return draw_shot(job.spec, job.catalog, job.class_table, index, 0)


def renders(job, store, shot):
    """How often the shot is rendered for this job."""
    engine = CountingEngine(job.catalog, job.spec.output)
    RememberingEngine(engine, store, job).render(shot)
    return engine.renders


def test_a_film_that_is_used_again_is_the_same(job, store):
    engine = RememberingEngine(FlatEngine(job.catalog, job.spec.output), store, job)
    first, again = (engine.render(shot_of(job)) for _ in range(2))
    assert first is not again
    assert first.radiance_linear.keys() == again.radiance_linear.keys()
    for group, light in first.radiance_linear.items():
        assert (
            np.array_equal(light, again.radiance_linear[group])
            and again.radiance_linear[group].flags.c_contiguous
        )
    assert np.array_equal(first.depth_m, again.depth_m)
    assert np.array_equal(first.instance_id, again.instance_id)


def test_another_shot_or_setting_is_rendered(job, store):
    shot = shot_of(job)
    assert [renders(job, store, shot) for _ in range(2)] == [1, 0]
    assert renders(job, store, shot_of(job, 1)) == 1
    for changes in (
        {"render": job.spec.render.model_copy(update={"samples_per_pixel": 99})},
        {"output": job.spec.output.model_copy(update={"keypoints": True})},
    ):
        assert renders(replace(job, spec=job.spec.model_copy(update=changes)), store, shot) == 1
    exposure = job.spec.model_copy(update={"sensor": make_spec(sensor="cctv").sensor})
    assert renders(replace(job, spec=exposure), store, shot) == 0  # changes nothing that a film holds


@pytest.mark.parametrize(
    "changes",
    [
        {"asset_path": Path("measured-again.blend")},
        {"colorways": ()},
        {"part_kinds": ("glass",)},
        {"keypoints": (Keypoint("tip", (0.0, 0.0, 0.0)),)},
    ],
)
def test_only_shots_with_a_changed_model_are_rendered_again(job, store, changes):
    shots = [shot_of(job, index) for index in range(8)]
    shown = {shot.products[0].product for shot in shots}
    assert shown == {"box", "sphere"}
    for shot in shots:
        renders(job, store, shot)
    products = tuple(replace(p, **changes) if p.name == "box" else p for p in job.catalog.products)
    changed = replace(job, catalog=replace(job.catalog, products=products))
    engine = CountingEngine(job.catalog, job.spec.output)
    for shot in shots:
        before = engine.renders
        RememberingEngine(engine, store, changed).render(shot)
        assert engine.renders - before == (shot.products[0].product == "box")


def test_a_picture_that_changes_is_rendered_again(job, store, tmp_path):
    (tmp_path / "sky.exr").write_text("1")
    with_sky = replace(job, catalog=replace(job.catalog, environments={"sky.exr": tmp_path / "sky.exr"}))
    shot = shot_of(job)
    assert [renders(with_sky, store, shot) for _ in range(2)] == [1, 0]
    (tmp_path / "sky.exr").write_text("22")
    assert renders(with_sky, store, shot) == 1


def test_films_stay_within_their_room(job, store):
    shots = [shot_of(job, index) for index in range(4)]
    renders(job, store, shots[0])
    (first,) = store.folder.iterdir()
    small = replace(store, max_bytes=int(2.5 * first.stat().st_size))
    for shot in shots[1:]:
        renders(job, small, shot)
    assert len(list(store.folder.iterdir())) == 2  # the others did not fit
    for film in store.folder.iterdir():
        os.utime(film, ns=(0, 0))  # long ago
    assert renders(job, small, shots[0]) == 0
    used_ns = first.stat().st_mtime_ns
    small.make_room(used_ns)
    assert list(store.folder.iterdir()) == [first]  # the other one is older, and not used since
    small.make_room(used_ns)
    assert list(store.folder.iterdir()) == [first]


def test_a_film_that_cannot_be_stored_is_still_rendered(job, tmp_path):
    gone = FilmStore(tmp_path / "gone")
    assert [renders(job, gone, shot_of(job)) for _ in range(2)] == [1, 1]
