"""Runs that go on with what others sent: nothing in the store is lost, and no run is stuck for ever."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

import blendgen
from blendgen.cloud import push, target
from blendgen.cloud.objects import ObjectStore
from blendgen.cloud.target import Target
from blendgen.errors import DatasetError, DiskUnavailable, TimeLimitReached
from blendgen.files.url import parse_url
from tests.cloud.machines import Machine, stored
from tests.conftest import make_spec

SPEC = make_spec(images=8, seed=81, resolution=[24, 16])


def indices(url):
    return [json.loads(line)["index"] for line in stored(url)["manifest.jsonl"].splitlines()]


def stopped(one, url, **options):
    with pytest.raises(TimeLimitReached):
        one.generate(url, spec=SPEC, **options)


@contextmanager
def cut_off(monkeypatch):
    """All is sent but the last index."""

    def refused(store, prefix, index):
        if index.head.is_whole:
            raise DiskUnavailable("no answer")
        write(store, prefix, index)

    write = push.write_index
    with monkeypatch.context() as context, pytest.raises(DiskUnavailable):
        context.setattr(push, "write_index", refused)
        yield


@pytest.mark.parametrize("container", ["files", pytest.param("webdataset", marks=pytest.mark.slow)])
def test_a_second_upload_that_was_cut_off_goes_on_elsewhere(url, machine, monkeypatch, container):
    spec = SPEC.model_copy(update={"output": SPEC.output.model_copy(update={"container": container})})
    with pytest.raises(TimeLimitReached):
        machine(stops_after=2).generate(url, spec=spec)
    with cut_off(monkeypatch):
        machine().generate(url, spec=spec)
    for _ in range(2):
        machine().generate(url, spec=spec)
    assert blendgen.verify(url) == [] and blendgen.status(url).images == 8


@pytest.mark.slow
def test_a_replacement_that_was_cut_off_goes_on_elsewhere(url, machine, monkeypatch):
    machine().generate(url, spec=make_spec(images=8, seed=84, resolution=[24, 16]))
    sent, send = [], push.ObjectStore.send

    def broken(self, name, *args):
        sent.append(name)
        if len(sent) > 2:
            raise DiskUnavailable("no answer")
        send(self, name, *args)

    with monkeypatch.context() as context, pytest.raises(DiskUnavailable):
        context.setattr(push.ObjectStore, "send", broken)
        machine().generate(url, spec=SPEC, force=True)
    machine().generate(url, spec=SPEC)
    assert blendgen.verify(url) == [] and indices(url) == list(range(8))


def test_images_of_another_machine_stay(url, machine, monkeypatch):
    one = machine(stops_after=4)
    with monkeypatch.context() as context:
        context.setattr(Target, "_send_what_is_finished", lambda self: None)  # killed
        stopped(one, url, indices=range(6))
    machine().generate(url, spec=SPEC, indices=[6, 7])
    one.stops_after = None
    one.generate(url, spec=SPEC, indices=range(6))
    assert indices(url) == list(range(8)) and blendgen.verify(url) == []


def test_what_was_sent_while_models_were_measured_stays(url, machine, monkeypatch):
    one, other = machine(), machine()

    @contextmanager
    def opened_late(*args, **options):
        other.generate(url, spec=SPEC, indices=[6, 7])
        monkeypatch.setattr(target, "make_all", one._make_all)
        with Machine._opened_run(one, *args, **options) as run:
            yield run

    one._opened_run = opened_late
    one.generate(url, spec=SPEC, indices=[0, 1])
    assert indices(url) == [0, 1, 6, 7] and blendgen.verify(url) == []


def test_what_a_killed_shard_left_is_not_in_the_way_of_another_number(url, machine, monkeypatch):
    one = machine(stops_after=2)
    with monkeypatch.context() as context:
        context.setattr(Target, "_send_what_is_finished", lambda self: None)  # killed
        stopped(one, url, shard="0/2")
    for name in stored(url):
        ObjectStore(parse_url(url)).remove(name)
    one.stops_after = None
    one.generate(url, "0/4", spec=SPEC)
    assert blendgen.status(url).parts_per_state == {"complete": 1, "not started": 3}


def test_a_store_that_takes_no_objects_is_refused_before_anything_is_measured(url, machine, monkeypatch):
    one, opened = machine(), []
    one._opened_run = lambda *args, **options: opened.append(args)

    def refused(self, path, value):
        raise PermissionError("Access Denied")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.pipe_file", refused)
    with pytest.raises(DatasetError, match="access is denied"):
        one.generate(url, spec=SPEC)
    assert not opened
