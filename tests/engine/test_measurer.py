"""The watched child process: a crash or a hang costs one model, a missing Blender is a setup error."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import UnidentifiedImageError

from blendgen.engine.blender.importing import confined, measure, measurer
from blendgen.engine.blender.importing.confined import MemoryLimit
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.errors import DiskUnavailable, ExitCode, OutOfMemory, SetupError
from blendgen.models.product import Refusal
from blendgen.models.source import Source

# a child that speaks the protocol; the name of the source says how it treats the request
CHILD = """
import json, os, sys, time
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    name = json.loads(line)["source"]["name"]
    if name == "abort": os.abort()
    if name == "exit": os._exit(7)
    if name == "hang": time.sleep(600)
    if name == "half": print('{"refu', end="", flush=True); os._exit(0)
    if name == "full": print(json.dumps({"machine_error": "OSError: No space left"}), flush=True); continue
    if name == "gone": print(json.dumps({"disk_error": "/cache: the disk is full"}), flush=True); continue
    if name == "busy": print(json.dumps({"crash": -24}), flush=True); continue
    if name == "bug": print(json.dumps({"failure": "KeyError: 'x'"}), flush=True); continue
    print(json.dumps({"refusal": "a point cloud" if name == "bad" else None}), flush=True)
"""


def child(script: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script)


def run(*names: str, script: str = CHILD, **options) -> list[str | None]:
    jobs = [(Source(name, "", "mesh", {}, f"m/{name}"), Path("/nowhere")) for name in names]
    outcomes = list(BlenderMeasurer(command=child(script), **options).measure(jobs))
    assert all(o is None or o.source == f"m/{name}" for name, o in zip(names, outcomes, strict=True))
    for outcome in filter(None, outcomes):  # only what the file itself did is worth remembering
        is_own = "importer" in outcome.reason and "SIGKILL" not in outcome.reason
        assert outcome.crash == (outcome.reason.partition("; ")[0] if is_own else "")
    return [outcome.reason if isinstance(outcome, Refusal) else None for outcome in outcomes]


def test_each_source_has_its_outcome_in_order():
    assert run("a", "bad", "b") == [None, "a point cloud", None]


@pytest.mark.slow
def test_a_crash_costs_one_model():
    assert run("a", "abort", "b", "exit", "half", "c") == [
        None,
        "the importer crashed (SIGABRT)",
        None,
        "the importer crashed (exit status 7)",
        "the importer crashed (exit status 0)",
        None,
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kills", "reasons"), [(1, [None, None, None]), (2, [None, "the importer crashed (SIGKILL)", None])]
)
def test_a_model_whose_child_is_killed_is_measured_once_more(tmp_path, kills, reasons):
    """It may be a scheduler, or a user, that sent the signal."""
    killed = f"""
import json, os, signal, sys
print(json.dumps({{"ready": True}}), flush=True)
for line in sys.stdin:
    if json.loads(line)["source"]["name"] == "killed" and len(os.listdir({str(tmp_path)!r})) < {kills}:
        open(os.path.join({str(tmp_path)!r}, str(os.getpid())), "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    print(json.dumps({{"refusal": None}}), flush=True)
"""
    assert run("a", "killed", "b", script=killed) == reasons


@pytest.mark.slow
def test_a_fork_that_is_killed_is_replaced_too():
    killed = """
import json, sys
print(json.dumps({"ready": True}), flush=True)
for number, line in enumerate(sys.stdin):
    print(json.dumps({"crash": -9} if number == 0 else {"refusal": None}), flush=True)
"""
    assert run("a", "b", script=killed) == [None, None]


@pytest.mark.slow
def test_a_child_that_is_killed_while_it_starts_is_replaced(tmp_path):
    killed = f"""
import os, signal
if not os.listdir({str(tmp_path)!r}):
    open(os.path.join({str(tmp_path)!r}, "killed"), "w").close()
    os.kill(os.getpid(), signal.SIGKILL)
{CHILD}"""
    assert run("a", script=killed) == [None]


@pytest.mark.slow
def test_a_hang_costs_one_model_and_its_timeout():
    started = time.monotonic()
    assert run("a", "hang", "b", timeout_s=2) == [None, "the importer did not finish within 2 s", None]
    assert time.monotonic() - started < 20


def test_a_model_that_takes_too_much_cpu_time_is_refused_for_that():
    assert run("busy", "a", timeout_s=20.0) == [
        "the importer did not finish within 50 s of CPU time",
        None,
    ]


def test_a_fault_of_our_own_is_reported_as_such():
    assert run("bug", "a") == ["could not be measured: KeyError: 'x'", None]


def test_an_error_of_the_machine_is_not_blamed_on_the_model():
    """A full disk must not change which products a data set has."""
    with pytest.raises(SetupError, match=r"m/full could not be measured.*No space left.*run the same"):
        run("a", "full", "b")


@pytest.mark.parametrize(
    ("limit", "reply"),
    [
        (
            MemoryLimit(8.0),
            {"failure": "it needs more than 8 GiB of memory; BLENDGEN_MEASURE_MEMORY_GIB raises the limit"},
        ),
        (
            MemoryLimit(3.25, lowered=True),
            {
                "out_of_memory": "it needs more than 3.25 GiB of memory, 3/4 of what is free; "
                "free some, or set BLENDGEN_MEASURE_MEMORY_GIB"
            },
        ),
        (None, {"out_of_memory": "it needs more memory than there is"}),
    ],
)
def test_a_model_is_rejected_for_its_memory_only_where_every_machine_rejects_it(limit, reply):
    def too_large(source, folder):
        raise MemoryError

    assert measure._answer(too_large, Source("a", "", "mesh", {}, "a"), Path("/nowhere"), limit) == reply


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk_error"),
        (OSError(errno.ESTALE, "Stale file handle", "/models/a.obj"), "disk_error"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/cache/entry/hull.npy"), "machine_error"),
        (ImportError("libfoo.so"), "machine_error"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/models/deleted.obj"), "failure"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a" * 300), "failure"),
        (PermissionError(errno.EACCES, "Permission denied", "/etc/passwd"), "failure"),
        (UnidentifiedImageError("cannot identify image file"), "failure"),
    ],
)
def test_a_file_of_the_model_that_cannot_be_read_costs_that_model_alone(error, key):
    def fill_entry(source, folder):
        raise error

    answer = measure._answer(fill_entry, Source("a", "", "mesh", {}, "a"), Path("/cache/entry"), None)
    assert [*answer] == [key]


def test_a_file_that_is_too_large_is_named_as_the_model_names_it(tmp_path):
    def fill_entry(source, folder):
        raise OSError(errno.EFBIG, "larger than 4 GiB", str(tmp_path / "lib" / "box.bin"))

    options = {"path": str(tmp_path / "models" / "a.gltf"), "root": str(tmp_path)}
    answer = measure._answer(fill_entry, Source("a", "", "mesh", options, "a"), Path("/cache/entry"), None)
    assert answer == {"failure": "../lib/box.bin cannot be read: larger than 4 GiB"}


def test_the_memory_limit_that_is_set_is_the_one_that_is_reported(monkeypatch, tmp_path):
    """Free memory changes while a model is measured: the limit is determined once."""
    limits = []
    monkeypatch.setattr(confined, "confine", lambda readable, writable, held: limits.append(held))
    monkeypatch.setattr(confined, "free_memory_bytes", iter([2 * 2**30]).__next__)
    monkeypatch.delenv("BLENDGEN_MEASURE_MEMORY_GIB", raising=False)
    mesh = Source("a", "", "mesh", {"path": str(tmp_path / "a.obj")}, "a")
    monkeypatch.setenv(confined.SWITCH, "off")
    assert confined.confine_to(mesh, tmp_path, 1.0) is None and limits == []
    monkeypatch.delenv(confined.SWITCH)
    assert confined.confine_to(mesh, tmp_path, 1.0) == MemoryLimit(1.5, lowered=True)
    assert limits[0].memory_bytes == 1.5 * 2**30


def test_a_crash_names_the_log(tmp_path):
    (reason,) = run("abort", log_path=tmp_path / "cache" / "measure.log")
    assert reason == f"the importer crashed (SIGABRT); more is in {tmp_path / 'cache' / 'measure.log'}"


def test_a_full_disk_stops_the_run_instead_of_leaving_models_out():
    with pytest.raises(DiskUnavailable, match=r"^/cache: the disk is full$"):
        run("gone")


def test_a_blender_that_cannot_be_loaded_is_a_setup_error_with_the_message_of_the_loader():
    script = """print('{"setup_error": "libSM.so.6: cannot open shared object file"}')"""
    with pytest.raises(SetupError, match=r"\(bpy\) cannot be loaded: libSM.so.6: cannot open"):
        run("a", script=script)


def test_a_child_that_dies_at_once_is_a_setup_error():
    with pytest.raises(SetupError, match="cannot be loaded: exit status 3"):
        run("a", script="raise SystemExit(3)")


def test_a_child_that_is_killed_each_time_while_it_starts_is_not_a_fault_of_the_setup():
    with pytest.raises(SetupError, match="each time while it was being loaded") as caught:
        run("a", script="import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert caught.value.exit_code == ExitCode.RETRY


def test_the_child_reports_why_blender_cannot_be_loaded():
    code = "import sys\nsys.modules['bpy'] = None\n"
    code += "from blendgen.engine.blender.importing.measure import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert '"setup_error": "import of bpy halted' in done.stdout


def test_no_child_starts_without_sources_and_none_outlives_an_abandoned_loop(tmp_path):
    assert run(script="raise SystemExit(3)") == []
    write_pid = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    script = CHILD.replace("for line", f"{write_pid}\nfor line")
    outcomes = BlenderMeasurer(command=child(script)).measure(
        [(Source("a", "", "mesh", {}, "a"), tmp_path)] * 2
    )
    next(outcomes)
    pid = int((tmp_path / "pid").read_text())
    outcomes.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def together(place: Path, names: list[str], script: str) -> list[str | None]:
    """Two children at once; each name is a file that a child makes."""
    return run(*names, script=f"import os\nplace = {str(place)!r}\n{script}", processes=2)


@pytest.mark.slow
def test_work_that_lasts_is_shared_between_children(tmp_path, monkeypatch):
    """Each model is measured until two have begun; the outcomes are in order, whichever ended first."""
    monkeypatch.setattr(measurer, "_FURTHER_CHILD_AFTER_S", 0.01)
    script = CHILD.replace(
        "    print(json",
        """    open(os.path.join(place, f"{name}-{os.getpid()}"), "w").close()
    while len(os.listdir(place)) < 2: time.sleep(0.01)
    print(json""",
    )
    assert together(tmp_path, ["a", "bad", "b", "c"], script) == [None, "a point cloud", None, None]
    names, pids = zip(*(file.name.split("-") for file in tmp_path.iterdir()), strict=True)
    assert sorted(names) == ["a", "b", "bad", "c"] and len(set(pids)) == 2


@pytest.mark.slow
def test_a_model_without_memory_next_to_others_is_measured_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(measurer, "_FURTHER_CHILD_AFTER_S", 0.01)
    script = """
import json, sys
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    name = json.loads(line)["source"]["name"]
    if len(os.listdir(place)) < (3 if name == "large" else 0):
        print(json.dumps({"out_of_memory": "too little"}), flush=True)
    else:
        open(os.path.join(place, name), "w").close()
        print(json.dumps({"refusal": None}), flush=True)
"""
    assert together(tmp_path, ["large", "a", "b", "c"], script) == [None] * 4
    with pytest.raises(OutOfMemory, match="m/large could not be measured: too little"):
        together(tmp_path, ["large"], script.replace("(3", "(9"))


def test_messages_of_the_child_are_appended_to_the_log(tmp_path):
    log = tmp_path / "measure.log"
    log.write_text("before\n")
    run("a", script="import sys; print('blender speaks', file=sys.stderr)\n" + CHILD, log_path=log)
    assert log.read_text() == "before\nblender speaks\n"
