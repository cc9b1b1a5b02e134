"""What must be there before images can be made again."""

import json
import signal
from types import SimpleNamespace

import pytest

from blendgen.dataset.failures import failed_images
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import ManifestWriter
from blendgen.dataset.record import dataset_record
from blendgen.dataset.write import write_frame
from blendgen.engine.device import CPU
from blendgen.errors import (
    DatasetError,
    ExitCode,
    InfeasibleDraw,
    InfeasibleShot,
    Interrupted,
    Reason,
    SetupError,
    SpecError,
    UsageError,
)
from blendgen.models.inventory import Inventory
from blendgen.pipeline import Task
from blendgen.spec.load import resolved_yaml
from blendgen.verification.reopen import Reopened, reopen
from blendgen.verification.rerender import original_device, rerender_faults
from blendgen.workers.estimate import Spent
from blendgen.workers.generate import Outcome, Run
from tests.conftest import make_class_table, make_spec

ON_CPU = {"engine": "cycles", "version": "5.2.0", "device": "cpu", "kernel": "AVX2"}
BY_EEVEE = {**ON_CPU, "engine": "eevee", "graphics_card": "llvmpipe"}


@pytest.mark.parametrize("device", [ON_CPU, BY_EEVEE])
def test_the_device_is_that_of_cycles_whichever_engine_renders(tmp_path, device):
    assert original_device(Layout(tmp_path), {"device": device}) == (CPU,)


def test_images_of_two_graphics_cards_cannot_be_compared(tmp_path):
    two = {"device": BY_EEVEE, "also_made_on": [{**BY_EEVEE, "graphics_card": "NVIDIA L4"}]}
    with pytest.raises(
        DatasetError, match=r"\(AVX2, llvmpipe\) and cpu \(AVX2, NVIDIA L4\), and it is not recorded"
    ):
        original_device(Layout(tmp_path), two)


def test_a_data_set_that_was_moved_says_how_its_folders_become_those_of_this_machine(tmp_path, shapes):
    spec = make_spec(products=[{"directory": "/elsewhere/models"}])
    record = dataset_record(spec, Inventory(shapes, make_class_table(shapes)))
    (tmp_path / "dataset.json").write_text(json.dumps(record))
    (tmp_path / "spec.yaml").write_text(resolved_yaml(spec))
    with pytest.raises(SpecError, match=r"/elsewhere/models is not there; .*run its `generate` once"):
        reopen(tmp_path, None)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({}, UsageError, r"spec\.yaml"),  # only then is the spec read
        ({"blendgen_version": "other"}, UsageError, r"spec\.yaml"),
        ({"blender_version": "4.0"}, SetupError, "Blender 4.0, not"),
        ({"pixels_version": 0}, SetupError, "pixels_version 0, not"),
    ],
)
def test_images_are_compared_by_the_versions_that_decide_pixels(tmp_path, shapes, change, error, message):
    record = dataset_record(make_spec(), Inventory(shapes, make_class_table(shapes))) | change
    Layout(tmp_path).record.write_text(json.dumps(record))
    with pytest.raises(error, match=message):
        reopen(tmp_path, None)


def test_an_interrupt_does_not_name_the_temporary_folder(tmp_path, shapes, monkeypatch):
    def stopped(run):
        raise Interrupted(signal.SIGTERM, f"stopped: 1 image is finished in {run.store.layout.root}")

    monkeypatch.setattr(Run, "make_all", stopped)
    spec, inventory = make_spec(), Inventory(shapes, make_class_table(shapes))
    layout, record = Layout(tmp_path), dataset_record(spec, inventory)
    layout.spec.write_text(resolved_yaml(spec))
    layout.manifest.touch()
    reopened = Reopened(layout, SimpleNamespace(spec=spec), inventory, record, {})
    with pytest.raises(Interrupted, match="stopped; not all images were rendered again") as caught:
        list(rerender_faults(reopened, 2, None))
    assert caught.value.exit_code == ExitCode.SIGTERM


def test_an_image_that_can_no_longer_be_made_is_a_fault(tmp_path, shapes, flat_pipeline, monkeypatch):
    pipeline, layout = flat_pipeline(make_spec()), Layout(tmp_path)
    with ManifestWriter(layout.manifest) as manifest:
        for frame in pipeline.frames(Task(0, (0,))):
            manifest.append([write_frame(layout, frame, pipeline.spec.output)])
    failure = InfeasibleShot(0, (InfeasibleDraw(Reason.PILE_UNSETTLED, "no rest"),))
    outcome = Outcome(0, 0, {}, Spent(0, 1, 0.0, 0), tuple(failed_images([0], failure)))
    monkeypatch.setattr(Run, "make_all", lambda _: outcome)
    inventory = Inventory(shapes, make_class_table(shapes))
    layout.spec.write_text(resolved_yaml(pipeline.spec))
    record = dataset_record(pipeline.spec, inventory)
    reopened = Reopened(layout, SimpleNamespace(spec=pipeline.spec), inventory, record, {})
    (fault,) = rerender_faults(reopened, 1, None)
    assert fault.place.startswith("images/") and fault.what == "cannot be made again: no rest"
