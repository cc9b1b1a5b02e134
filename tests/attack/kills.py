"""python -m tests.attack.kills [--shots 240] [--kills 40] [--size 64]: runs killed, damaged and resumed.

One run makes a data set undisturbed. Another makes the same, and is killed at random times: the command, a
worker, or both; between runs the end of the manifest is cut off and files are truncated or overwritten. At
the end both folders contain the same bytes, and no temporary file and no process is left.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.attack.case import Place
from tests.attack.stock import SMALL_SPEC, write_yaml
from tests.attack.watch import blendgen, environment, kill, marked_processes
from tests.engine.model_files import obj

_NOT_COMPARED = ("blender.log", ".lock")
_TRIAL = re.compile("[a-z0-9_]{8}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack.kills", description=__doc__)
    parser.add_argument("--shots", type=int, default=240)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="blendgen-kills-")).resolve()
    try:
        faults = try_kills(work, options.shots, options.kills, options.size, options.seed)
    finally:
        print(f"kept: {work}") if options.keep else shutil.rmtree(work, ignore_errors=True)
    print("\n".join(faults))
    print(f"{len(faults)} faults" if faults else "the same bytes, and nothing left")
    return 1 if faults else 0


def try_kills(work: Path, shots: int, kills: int, size: int, seed: int) -> list[str]:
    place = _furnish(work / "kills", shots, size)
    calm, killed = place.root / "calm" / "set", place.root / "killed" / "set"
    start = time.monotonic()
    code, messages = _run(place, calm)
    if code:
        return [f"the undisturbed run exits with {code}: {messages[-200:]}"]
    usual_s = time.monotonic() - start
    chance = random.Random(seed)
    faults = []
    for number in range(kills):
        faults += _killed_run(place, killed, chance, usual_s, number)
        if killed.exists():
            _damage(killed, chance)
    code, messages = _run(place, killed, *_checking())
    if code:
        faults.append(f"the last run exits with {code}: {messages[-200:]}")
    return [*faults, *differences(calm, killed), *_left_over(place)]


def _furnish(root: Path, shots: int, size: int) -> Place:
    place = Place(root, "", root)
    for folder in (place.given, place.tmp, place.home, place.cache):
        folder.mkdir(parents=True)
    (place.given / "models").mkdir()
    for name, scale in (("box", 1), ("slab", 3)):
        corners = [(x * scale, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 3)]
        (place.given / "models" / f"{name}.obj").write_text(obj(corners))
    write_yaml(place, SMALL_SPEC.format(shots=shots, size=size))
    return place


def _command(place: Place, folder: Path, *more: str) -> list[str]:
    spec = str(place.given / "spec.yaml")
    return [*blendgen(), "generate", spec, "-o", str(folder), "--workers", "2", *more]


def _checking() -> tuple[str, ...]:
    """The option that compares the content of files, if blendgen has it."""
    done = subprocess.run([*blendgen(), "generate", "--help"], capture_output=True, text=True, check=False)
    return ("--check",) if "--check " in done.stdout else ()


def _run(place: Place, folder: Path, *more: str) -> tuple[int, str]:
    done = subprocess.run(
        _command(place, folder, *more), env=environment(place), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def _killed_run(place: Place, folder: Path, chance: random.Random, usual_s: float, number: int) -> list[str]:
    """A run that is killed while it starts, renders or ends; returns its faults."""
    mark = f"kills-{place.root.name}-{number}"
    process = subprocess.Popen(
        _command(place, folder), env=environment(place, mark), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    time.sleep(chance.uniform(0.2, min(usual_s, 8.0)))
    whom = chance.choice(("the command", "a worker", "both"))
    try:
        workers = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        workers = []
    if workers and whom != "the command":
        kill([chance.choice(workers)])
    if whom == "a worker":
        time.sleep(chance.uniform(0.1, 1.5))
    process.send_signal(signal.SIGKILL)
    process.wait()
    return _survivors(mark, f"kill {number} of {whom}")


def _survivors(mark: str, what: str) -> list[str]:
    for _ in range(100):
        left = marked_processes(mark)
        if not left:
            return []
        time.sleep(0.1)
    names = ", ".join(" ".join(one.cmdline())[:60] for one in left if one.is_running())
    kill(left)
    return [f"{what}: after 10 s these processes still run: {names}"]


def _damage(folder: Path, chance: random.Random) -> None:
    manifest = folder / "manifest.jsonl"
    if manifest.exists() and chance.random() < 0.5:
        data = manifest.read_bytes()
        manifest.write_bytes(data[: max(0, len(data) - chance.randrange(1, 400))])
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".exr") and path.is_file())
    for path in chance.sample(files, min(3, len(files))):
        data = path.read_bytes()
        way = chance.choice(("cut", "longer", "empty", "gone", *(("overwritten",) if _checking() else ())))
        if way == "gone":
            path.unlink()
        elif way == "overwritten":
            path.write_bytes(chance.randbytes(len(data)))
        else:
            path.write_bytes({"cut": data[: len(data) // 2], "longer": data + b"more", "empty": b""}[way])


def differences(calm: Path, killed: Path) -> list[str]:
    left, right = _contents(calm), _contents(killed)
    lines = [f"{name} is in one of the folders only" for name in sorted(left.keys() ^ right.keys())]
    lines += [f"{name} differs" for name in sorted(left.keys() & right.keys()) if left[name] != right[name]]
    return lines[:10] + ([f"and {len(lines) - 10} more files"] if len(lines) > 10 else [])


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in _NOT_COMPARED)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _left_over(place: Place) -> list[str]:
    left = temporary_left(place.tmp)
    return [f"left among temporary files: {path.relative_to(place.tmp)}" for path in left[:10]]


def temporary_left(folder: Path) -> list[Path]:
    """What killed processes left, but not the files by which Python finds out where it can write."""
    return [path for path in sorted(folder.rglob("*")) if not _is_trial(path)]


def _is_trial(path: Path) -> bool:
    # tempfile.gettempdir() writes this for a moment, in each process that asks
    return bool(_TRIAL.fullmatch(path.name)) and path.is_file() and path.read_bytes() in (b"", b"blat")


if __name__ == "__main__":
    sys.exit(main())
