"""What a repair, or an upload that breaks off, says of a data set in an object store."""

from __future__ import annotations

import pytest

import blendgen
from blendgen.cloud import copies
from blendgen.cloud.index import read_head
from blendgen.cloud.objects import ObjectStore
from blendgen.errors import DiskUnavailable, TimeLimitReached
from blendgen.files.url import parse_url
from blendgen.verification.dataset import Fault
from blendgen.verification.repair import Repair
from tests.cloud.machines import stored


@pytest.fixture
def no_faults(monkeypatch):
    """Lets the repair of a folder find nothing."""
    monkeypatch.setattr(copies, "repaired", lambda *_: Repair(()))


def test_a_second_upload_that_breaks_off_does_not_make_a_data_set_complete(
    url, machine, monkeypatch, no_faults
):
    with pytest.raises(TimeLimitReached):
        machine(stops_after=6).generate(url)
    store = ObjectStore(parse_url(url))
    before = read_head(store, "")
    with monkeypatch.context() as context:
        context.setattr(ObjectStore, "send", unanswered)
        with pytest.raises(DiskUnavailable):
            machine().generate(url)
    head = read_head(store, "")
    assert (head.is_whole, head.is_complete) == (False, False)
    assert (head.images, head.failed_per_reason) == (before.images, before.failed_per_reason)
    blendgen.verify(url, repair=True)
    head = read_head(store, "")
    assert (head.is_whole, head.is_complete, head.images) == (True, False, before.images)
    assert blendgen.status(url).parts_per_state == {"begun": 1}


def unanswered(self, name, path, sums):
    raise DiskUnavailable("no answer")


def test_nothing_is_sent_when_faults_are_left(url, machine, monkeypatch, caplog):
    machine().generate(url)
    name = next(name for name in stored(url) if name.startswith("images/") and name.endswith(".png"))
    ObjectStore(parse_url(url)).remove(name)
    before = stored(url)
    left = Fault(name, "cannot be made again")
    monkeypatch.setattr(copies, "repaired", lambda *_: Repair((left,), (), (left,)))
    assert blendgen.verify(url, repair=True) == [left]
    assert stored(url) == before and "nothing was sent to memory:" in caplog.text


@pytest.mark.slow
def test_what_no_row_states_is_reported_and_made_again(url, machine, no_faults):
    machine().generate(url)
    before, store, reported = stored(url), ObjectStore(parse_url(url)), []
    store.write("contact_sheet.jpg", b"x")
    store.write("blender.log", b"x")
    assert blendgen.verify(url, repair=True, on_fault=reported.append) == []
    assert {fault.place for fault in reported} == {"contact_sheet.jpg", "blender.log"}
    after = stored(url)
    assert after["contact_sheet.jpg"] == before["contact_sheet.jpg"] and "blender.log" not in after
    assert blendgen.verify(url) == []


@pytest.mark.slow
def test_what_cannot_be_made_again_is_left(url, machine, no_faults):
    machine().generate(url)
    ObjectStore(parse_url(url)).write("spec.yaml", b"x")
    before = stored(url)
    (left,) = blendgen.verify(url, repair=True)
    assert left.place == "spec.yaml" and "restore it" in left.what and stored(url) == before
