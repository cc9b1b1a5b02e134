"""verify and repair of a data set, of one shard, and of a folder with all shards."""

import json
import shutil

import pytest

from blendgen import api
from blendgen.cli import run as run_command
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import read_record
from blendgen.farm.shards import Shard
from blendgen.verification import repair as repair_module
from blendgen.verification.dataset import Fault
from blendgen.verification.reopen import Reopened
from blendgen.verification.repair import Repair
from tests.dataset.test_dataset import content
from tests.verification.test_repair import (
    INVENTORY,
    NO_FILES_3,
    NO_ROW_3,
    SPEC,
    in_this_process,  # noqa: F401
    made,
    rows_of,
)


@pytest.fixture(scope="module")
def shards(tmp_path_factory, in_this_process):  # noqa: F811
    """A folder with three shards of a data set."""
    folder = tmp_path_factory.mktemp("shards") / "out"
    for shard in (Shard(index, 3) for index in range(3)):
        indices = shard.images(SPEC.images, SPEC.exposures_per_shot)
        made(folder / "shards" / shard.name, SPEC, indices)
    return folder


@pytest.fixture
def copy(shards, tmp_path, monkeypatch):
    def reopen(folder, _):
        layout, spec_file = repair_module.Layout(folder), type("SpecFile", (), {"spec": SPEC})
        return Reopened(layout, spec_file, INVENTORY, dataset_record(SPEC, INVENTORY), read_record(layout))

    monkeypatch.setattr(repair_module, "reopen", reopen)
    return shutil.copytree(shards, tmp_path / "out")


def test_all_shards_of_a_folder_are_repaired_and_their_rows_are_known(copy, shards):
    first, second, _ = sorted((copy / "shards").iterdir())
    NO_FILES_3(first)  # image 3 is the last of the first shard
    NO_ROW_3(first)
    (second / rows_of(second)[0]["mask_file_name"]).unlink()
    faults, repairs = [], []
    assert api.verify(copy, repair=True, on_fault=faults.append, on_repair=repairs.append) == []
    assert f"shards/00001-of-00003/{rows_of(second)[0]['mask_file_name']}: is missing" in map(str, faults)
    assert repairs == [Repair(tuple(faults), (3, 4))]
    assert content(copy) == content(shards) and api.verify(copy) == []


@pytest.mark.slow
def test_one_shard_is_repaired_by_itself(copy, shards):
    first = copy / "shards" / "00000-of-00003"
    NO_FILES_3(first)
    NO_ROW_3(first)
    assert api.verify(first, repair=True) == [] and content(copy) == content(shards)


def test_a_missing_shard_is_a_fault_that_names_the_command(copy):
    shutil.rmtree(copy / "shards" / "00001-of-00003")
    missing = Fault("shards/00001-of-00003", "is missing; make it with `blendgen generate --shard 1/3`")
    assert api.verify(copy) == api.verify(copy, repair=True) == [missing]


LEFT = Fault("images/train/x.png", "does not belong to a row")
FOUND = Fault("images/train/a.png", "is missing", 4)


@pytest.mark.parametrize(("left", "code"), [((), 0), ((LEFT,), 5)])
def test_the_command_reports_what_was_found_repaired_and_is_left(tmp_path, monkeypatch, capsys, left, code):
    def verify(folder, *, repair, on_fault, on_repair, **_):
        assert repair
        on_fault(FOUND)
        on_repair(Repair((FOUND,), (4,), left))
        return [*left]

    monkeypatch.setattr(api, "verify", verify)
    assert run_command(["verify", str(tmp_path), "--repair"]) == code
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [str(FOUND), *(f"left: {fault}" for fault in left)]
    summary = "no fault is left" if code == 0 else "1 fault(s) left"
    assert printed.err.splitlines() == ["1 fault(s)", f"repaired: 1 image(s) made again; {summary}"]
    assert run_command(["verify", str(tmp_path), "--repair", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": 1,
        "faults": [{"place": FOUND.place, "what": FOUND.what}],
        "repair": {"images": [4], "left": [{"place": one.place, "what": one.what} for one in left]},
    }
