"""Limits of a confined process; no fork or child outlives the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blendgen.engine.blender.importing import confined
from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.source import Source
from blendgen.system.sandbox import landlock_version
from tests.engine.model_files import obj

pytest.importorskip("bpy")

needs_landlock = pytest.mark.skipif(landlock_version() == 0, reason="this kernel has no Landlock")

# confines itself, tries each action and prints the result
CONFINED = """
import json, os, socket, sys
from pathlib import Path
from blendgen.system.sandbox import GIB, Limits, confine
model, entry, secret = map(Path, sys.argv[1:])
held = confine([model, Path("/nowhere")], [entry], Limits(memory_bytes=GIB, cpu_s=60, file_bytes=1000))
def outcome(action):
    try:
        return [True, str(action())]
    except (OSError, MemoryError) as error:
        return [False, type(error).__name__]
deeds = {
    "read the model": lambda: (model / "a").read_text(),
    "write the entry": lambda: (entry / "b").write_text("b"),
    "rename in the entry": lambda: (entry / "b").rename(entry / "c"),
    "read elsewhere": lambda: (secret / "s").read_text(),
    "read through a link": lambda: (model / "link").read_text(),
    "list elsewhere": lambda: os.listdir(secret),
    "write the model": lambda: (model / "a").write_text("x"),
    "remove the model": lambda: (model / "a").unlink(),
    "read the environment of the parent": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "open a socket": lambda: socket.socket(),
    "open a local socket": lambda: socket.socket(socket.AF_UNIX),
    "run a program": lambda: os.execv("/bin/true", ["true"]),
    "take memory": lambda: len(bytearray(2 * GIB)),
    "write a giant": lambda: (entry / "d").write_bytes(bytes(5000)),
}
print(json.dumps([sorted(held), {name: outcome(deed) for name, deed in deeds.items()}]))
"""


@needs_landlock
def test_a_confined_process_can_only_read_its_model_and_write_its_entry(tmp_path):
    model, entry, secret = (tmp_path / name for name in ("model", "entry", "secret"))
    for folder in (model, entry, secret):
        folder.mkdir()
    (model / "a").write_text("a")
    (secret / "s").write_text("secret")
    (model / "link").symlink_to(secret / "s")
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, *map(str, (model, entry, secret))],
        capture_output=True,
        text=True,
        check=True,
    )
    held, outcomes = json.loads(done.stdout)
    assert held == ["landlock", "limits", "seccomp"]
    assert {name for name, (worked, _) in outcomes.items() if worked} == {
        "read the model",
        "write the entry",
        "rename in the entry",
    }
    assert outcomes["take memory"][1] == "MemoryError"
    assert (model / "a").read_text() == "a"


def source(path: Path) -> Source:
    return Source(path.stem, "", "mesh", {"path": str(path), "unit": None, "up": None}, path.name)


@pytest.mark.slow
def test_a_crashed_fork_costs_one_model_and_no_restart_of_blender(tmp_path, monkeypatch):
    """A model that exceeds its memory fails; the same child measures the models after it."""
    monkeypatch.setenv("BLENDGEN_MEASURE_MEMORY_GIB", "0.4")
    count = 900
    rows = [(x / 1000, y / 1000, (x * y) % 7 / 1000) for x in range(count) for y in range(count)]
    faces = [
        (x * count + y, x * count + y + 1, (x + 1) * count + y + 1, (x + 1) * count + y)
        for x in range(count - 1)
        for y in range(count - 1)
    ]
    (tmp_path / "large.obj").write_text(obj(rows, faces))
    (tmp_path / "small.obj").write_text(obj())
    jobs = [(source(tmp_path / f"{name}.obj"), tmp_path / name) for name in ("large", "small")]
    for _, folder in jobs:
        folder.mkdir()
    log = tmp_path / "log"
    refused, taken = BlenderMeasurer(log).measure(jobs)
    assert refused is not None and taken is None
    assert "memory" in refused.reason or "crashed" in refused.reason


@pytest.mark.slow
def test_a_child_and_its_fork_end_with_the_run_that_started_them(tmp_path):
    """The run is killed while a model that never ends is measured."""
    (tmp_path / "a.obj").write_text(obj())
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "entry").mkdir()
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.engine.test_sandbox import source\n"
        "from blendgen.engine.blender.importing.measurer import BlenderMeasurer\n"
        f"command = (sys.executable, '-c', {HANGING!r}, {str(tmp_path / 'pids')!r})\n"
        f"job = (source(Path({str(tmp_path / 'a.obj')!r})), Path({str(tmp_path / 'entry')!r}))\n"
        "list(BlenderMeasurer(command=command).measure([job]))\n"
    )
    run = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    pids = _when_written(tmp_path / "pids")
    run.kill()
    run.wait()
    deadline = time.monotonic() + 20
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_runs(pid) for pid in pids)


@pytest.mark.slow
def test_a_model_that_takes_too_much_cpu_time_is_measured_once_and_refused_for_that(tmp_path):
    (tmp_path / "a.obj").write_text(obj())
    (tmp_path / "entry").mkdir()
    command = (sys.executable, "-c", BUSY, str(tmp_path / "measured"))
    (refusal,) = BlenderMeasurer(command=command).measure([(source(tmp_path / "a.obj"), tmp_path / "entry")])
    assert refusal.reason.endswith("s of CPU time")
    assert (tmp_path / "measured").read_text() == "once "


# the real child, with a model that takes a second of CPU time and more
BUSY = """
import sys
from blendgen.engine.blender.importing import measure
from blendgen.system.sandbox import limit_cpu
def compute(source, folder):
    with open(sys.argv[1], "a") as file:
        file.write("once ")
    while True:
        pass
measure._loaded = lambda: compute
measure.confine_to = lambda *_: limit_cpu(1)
measure.main()
"""

# the real child, with a model that hangs
HANGING = """
import os, sys, time
from pathlib import Path
from blendgen.engine.blender.importing import measure
def hang(source, folder):
    Path(sys.argv[1] + ".new").write_text(f"{os.getppid()} {os.getpid()}")
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    time.sleep(600)
measure._loaded = lambda: hang
measure.confine_to = lambda *_: None
measure.main()
"""


def _when_written(file: Path) -> list[int]:
    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return [int(pid) for pid in file.read_text().split()]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("free_gib", "stated", "limit"),
    [(64, "", 8), (4, "", 3), (0.5, "", 1), (None, "", 8), (4, "12", 12), (4, "much", 3), (4, "-1", 3)],
)
def test_the_memory_of_a_model_is_limited_by_the_free_memory(monkeypatch, free_gib, stated, limit):
    free = None if free_gib is None else free_gib * 2**30
    monkeypatch.setattr(confined, "free_memory_bytes", lambda: free)
    monkeypatch.setenv("BLENDGEN_MEASURE_MEMORY_GIB", stated)
    lowered = stated != "12" and limit < 8
    assert confined.memory_limit() == confined.MemoryLimit(limit, lowered)
