"""Runs on many machines, with an executor that makes shards in this process by the flat engine."""

import json
import shutil
import signal
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import pytest

from blendgen.api import farms
from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.errors import DatasetError, ExitCode, Interrupted, UsageError
from blendgen.farm import elastic, elastic_run, merge_removal
from blendgen.farm.elastic import ElasticOptions, finish_removal, make_elastic
from blendgen.farm.elastic_run import RETRIES, ShardsFailed
from blendgen.farm.executors.base import Ended, Resources
from blendgen.farm.shard_count import seconds_per_shot, shard_count
from blendgen.farm.shards import Shard
from blendgen.spec.load import SpecFile, resolved_yaml
from blendgen.system.progress import Counter as ProgressCounter
from tests.conftest import make_spec
from tests.farm.made import CPU, SPEC, content, copied, make, make_shards, merged

FOUR = ElasticOptions("ray", Resources(), shards=4)
SPEC_YAML = resolved_yaml(SPEC)


class InProcess:
    """Makes a shard when its result is asked for.

    codes: exit codes of the tasks of a shard, the last one first; 0 makes it
    source: has the shards; after: called after each; hidden: shards that are made elsewhere
    """

    def __init__(self, folder, source, codes=(), after=lambda: None, hidden=(), device_of=None):
        self.folder, self.source, self.after = folder, source, after
        self.codes = {index: [*values] for index, values in dict(codes).items()}
        self.hidden, self.device_of = hidden, device_of
        self.queue, self.submitted, self.cancelled = [], Counter(), []

    def submit(self, shards):
        self.queue += shards
        self.submitted.update(shard.index for shard in shards)

    def ended(self, timeout_s):
        if not self.queue:
            return []
        shard = self.queue.pop(0)
        codes = self.codes.get(shard.index)
        code = int(ExitCode.RETRY) if self.cancelled else codes.pop() if codes else 0
        message = f"because of {code}" if code else ""
        if code == 0 and shard.index not in self.hidden:
            self.make(shard)
        self.after()
        return [Ended(shard, code, message)]

    def make(self, shard):
        place = self.folder / "shards" / shard.name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.source / "shards" / shard.name, place)
        if self.device_of:
            record = json.loads((place / "dataset.json").read_text()) | {"device": self.device_of(shard)}
            (place / "dataset.json").write_text(json.dumps(record))

    def cancel(self, at_once):
        self.cancelled.append(at_once)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(elastic_run, "RETRY_AFTER_S", 0.0)
    monkeypatch.setattr(elastic_run, "SETTLE_S", 0.0)
    monkeypatch.setattr(
        elastic, "resolved_yaml", lambda spec: SPEC_YAML if spec == SPEC else resolved_yaml(spec)
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    make_shards(folder, 4)
    return folder


@pytest.fixture
def run(monkeypatch, tmp_path, source):
    """A run with an executor: (report, executor)."""

    def made(options=FOUR, folder=tmp_path / "out", report=lambda finished, total: None, **behaviour):
        executor = InProcess(folder, source, **behaviour)

        @contextmanager
        def opened(work, options, progress):
            assert work.spec.read_text() == SPEC_YAML
            yield executor

        monkeypatch.setattr(elastic, "opened_executor", opened)
        spec_file = SpecFile(SPEC, tmp_path, None, ())
        made.executor = executor
        return make_elastic(spec_file, folder, options, ProgressCounter(report))

    made.folder = tmp_path / "out"
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(whole):
    return content(whole)


def test_shards_of_an_executor_become_the_data_set_of_one_run(run, undisturbed):
    steps = []
    report = run(report=lambda finished, total: steps.append((finished, total)))
    assert content(run.folder) == undisturbed and not (run.folder / "shards").exists()
    assert (0, 15) in steps and (15, 15) in steps
    assert report.made == report.images and report.images + report.failed == 15 and report.existing == 0
    assert run() is None  # there is nothing to do


def test_shards_that_are_there_are_not_made_again_and_their_number_stays(run, source, undisturbed):
    for name in ("00000-of-00004", "00002-of-00004"):
        shutil.copytree(source / "shards" / name, run.folder / "shards" / name)
    report = run(ElasticOptions("ray", Resources(cpus=7)))
    assert sorted(run.executor.submitted) == [1, 3] and report.existing > 0
    assert content(run.folder) == undisturbed


def test_one_task_sees_whether_the_models_are_the_same_if_all_shards_are_there(run, source, undisturbed):
    copied(source, run.folder)
    run()
    assert run.executor.submitted == {3: 1} and content(run.folder) == undisturbed


def test_shards_of_another_spec_are_not_taken_for_finished(run):
    make(run.folder / "shards" / Shard(0, 4).name, range(4), spec=SPEC.model_copy(update={"seed": 4}))
    run()
    assert run.executor.submitted == {0: 1, 1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize("code", [ExitCode.RETRY, ExitCode.SETUP, -9])
def test_a_task_that_failed_is_tried_again(run, undisturbed, code):
    run(codes={1: [0, code, code]})
    assert run.executor.submitted == {0: 1, 1: 3, 2: 1, 3: 1} and content(run.folder) == undisturbed


def test_a_shard_that_always_fails_does_not_stop_the_others(run, undisturbed):
    with pytest.raises(
        ShardsFailed, match=r"1 of 4 shards were not made.*\n00001-of-00004: because of 75"
    ) as fault:
        run(codes={1: [75] * 9})
    assert run.executor.submitted == {0: 1, 1: 1 + RETRIES, 2: 1, 3: 1} and fault.value.exit_code == 75
    run()
    assert run.executor.submitted == {1: 1} and content(run.folder) == undisturbed


@pytest.mark.parametrize(("code", "exit_code"), [(-10, 75), (138, 75), (152, 75), (-15, 143), (-9, 1)])
def test_a_task_that_a_signal_ended_before_blendgen_was_ready_has_stopped_early(run, code, exit_code):
    with pytest.raises(ShardsFailed) as fault:
        run(codes={1: [code] * 9})
    assert fault.value.exit_code == exit_code


def test_an_error_of_all_shards_ends_the_run_at_once(run):
    with pytest.raises(ShardsFailed, match="because of 3") as fault:
        run(codes={index: [ExitCode.SPEC] for index in range(4)})
    assert run.executor.submitted == dict.fromkeys(range(4), 1) and run.executor.cancelled == [False]
    assert fault.value.exit_code == ExitCode.SPEC


def test_more_memory_is_asked_for_instead_of_another_try(run):
    with pytest.raises(ShardsFailed) as fault:
        run(codes={2: [8] * 9, 3: [75] * 9})
    assert run.executor.submitted[2] == 1 and fault.value.exit_code == 8


def test_a_run_in_which_shard_after_shard_fails_ends(run):
    with pytest.raises(ShardsFailed, match="3 of 4"):
        run(codes={index: [1] * 99 for index in range(4)})
    assert not (run.folder / ".partial").exists()


def test_a_folder_that_is_another_one_elsewhere_is_an_error(run):
    with pytest.raises(ShardsFailed, match="same one on all machines"):
        run(hidden={2})


def test_a_shard_that_a_network_folder_hides_for_a_while_holds_up_no_signal(run, source, monkeypatch):
    monkeypatch.setattr(elastic_run, "SETTLE_S", 1000.0)

    def stop_after_the_last():
        if not run.executor.queue:
            signal.raise_signal(signal.SIGTERM)

    began_s = time.monotonic()
    with pytest.raises(Interrupted):
        run(hidden={1}, after=stop_after_the_last)
    assert time.monotonic() - began_s < 60
    shard = "shards/00001-of-00004"

    def appear():
        if not run.executor.queue and not (run.folder / shard).exists():
            shutil.copytree(source / shard, run.folder / shard)

    assert run(after=appear, hidden={1}).images and run.executor.submitted == {1: 1}


def files_of_shards(folder):
    return sorted(path for path in folder.rglob("*") if "shards" in path.parts)


def test_shards_that_somebody_keeps_next_to_a_merged_data_set_stay(run, source):
    copied(source, run.folder)
    merged(run.folder)
    before = files_of_shards(run.folder)
    assert run() is None
    finish_removal(run.folder, FOUR, ProgressCounter(lambda finished, total: None))
    assert files_of_shards(run.folder) == before


def test_a_removal_that_was_cut_off_is_finished_once_the_spec_was_compared(
    run, source, undisturbed, monkeypatch
):
    copied(source, run.folder)
    with monkeypatch.context() as patch:
        patch.setattr(merge_removal, "is_ours", None)
        with pytest.raises(TypeError):
            merged(run.folder, remove_shards=True)
    before = files_of_shards(run.folder)

    def other_data_set(*args, **options):
        raise DatasetError("another spec")

    with monkeypatch.context() as patch, pytest.raises(DatasetError, match="another spec"):
        patch.setattr(farms, "generate", other_data_set)
        patch.setattr(farms, "load_spec", lambda spec, overrides: SpecFile(SPEC, run.folder, None, ()))
        farms.generate_on("ray", SPEC, run.folder)
    assert run() is None and files_of_shards(run.folder) == before
    finish_removal(run.folder, FOUR, ProgressCounter(lambda finished, total: None))
    assert content(run.folder) == undisturbed and files_of_shards(run.folder) == []


def test_other_devices_are_noticed_with_the_first_shard_and_not_after_the_last(run):

    def device_of(shard):
        return CPU if shard.index == 0 else CPU | {"kernel": "SSE4"}

    with pytest.raises(DatasetError, match="allow_mixed_devices"):
        run(device_of=device_of)
    assert not (run.folder / "shards" / Shard(2, 4).name).exists()
    run(ElasticOptions("ray", Resources(), shards=4, allow_mixed_devices=True), device_of=device_of)
    assert (run.folder / "dataset.json").exists()


def test_a_signal_ends_the_tasks_and_the_same_call_continues(run, undisturbed):
    with pytest.raises(Interrupted, match="run the same command to continue") as stopped:
        run(after=lambda: signal.raise_signal(signal.SIGTERM))
    assert stopped.value.exit_code == 143 and run.executor.cancelled[0] is False
    assert run.executor.cancelled[-1] is True  # after the second one
    run()
    assert run.executor.submitted == {1: 1, 2: 1, 3: 1} and content(run.folder) == undisturbed


def test_a_signal_after_the_last_shard_ends_nothing(run, undisturbed):
    run(after=lambda: run.executor.queue or signal.raise_signal(signal.SIGTERM))
    assert content(run.folder) == undisturbed


def test_a_data_set_that_lacks_images_is_not_made_elsewhere(run):
    make(run.folder, range(4))
    with pytest.raises(DatasetError, match="leave out --executor"):
        run()


@pytest.mark.parametrize("option", ["check_files", "retry_failed"])
def test_a_data_set_is_not_checked_or_completed_elsewhere(run, whole, option):
    shutil.copytree(whole, run.folder)
    with pytest.raises(UsageError, match="leave out --executor"):
        run(replace(FOUR, **{option: True}))


def test_only_one_process_watches_a_folder(run):
    with FolderLock(Layout(run.folder)), pytest.raises(DatasetError, match="another blendgen process"):
        run()


def test_files_of_somebody_else_are_refused_before_anything_is_made(run):
    run.folder.mkdir()
    (run.folder / "thesis.tex").touch()
    with pytest.raises(DatasetError, match=r"thesis\.tex"):
        run()
    assert not run.executor.submitted


def test_samples_that_each_machine_would_measure_are_refused(tmp_path):
    render = {"target_psnr_db": 40, "max_bounces": 1, "denoise": False}
    spec_file = SpecFile(make_spec(render=render), tmp_path, None, ())
    with pytest.raises(UsageError, match="samples_per_pixel"):
        make_elastic(spec_file, tmp_path / "out", FOUR, ProgressCounter(print))


@pytest.mark.parametrize(
    ("device", "gpus", "message"),
    [
        ("auto", 1, "name a kind"), ("cuda:0", 1, "name a kind"), ("cuda", 0, "do not go together"),
        ("cpu", 1, "do not go together"),
    ],
)  # fmt: skip
def test_all_tasks_render_on_one_kind_of_device(device, gpus, message):
    with pytest.raises(UsageError, match=message):
        ElasticOptions("ray", Resources(gpus=gpus), device=device)


def test_shards_take_about_a_minute_and_their_number_follows_from_the_spec(tmp_path):
    layout, spec = Layout(tmp_path), make_spec(images=10_000, resolution=[512, 512])
    count = shard_count(layout, spec, None)
    shots = 10_000 / count
    assert shots * seconds_per_shot(spec) == pytest.approx(60, rel=0.2)
    assert shard_count(layout, spec, None, cpus=4) < count
    assert shard_count(layout, make_spec(images=3), None) == 1
    assert shard_count(layout, make_spec(images=3), 3) == 3


def test_the_number_of_shards_cannot_be_changed(tmp_path):
    layout, spec = Layout(tmp_path), make_spec(images=100)
    (layout.shards / "00003-of-00010").mkdir(parents=True)
    assert shard_count(layout, spec, None) == shard_count(layout, spec, 10) == 10
    with pytest.raises(UsageError, match="has shards of 10"):
        shard_count(layout, spec, 5)
    with pytest.raises(UsageError, match="expected 1 to 100 shards"):
        shard_count(layout, spec, 101)
    (layout.shards / "00003-of-00011").mkdir()
    with pytest.raises(DatasetError, match="10 and of 11"):
        shard_count(layout, spec, None)
