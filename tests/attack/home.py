"""python -m tests.attack.home [--short]: every command writes into a home folder full of user files.

The folder contains photos, a spec, models, notes and a finished data set. Whatever the result of a command,
no file that blendgen did not make may change, and no data set except the one that the command replaces.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.attack import canary
from tests.attack.case import CODES, Place
from tests.attack.stock import make_stock, photos, write_spec
from tests.attack.user_files import USER_FILES, put_user_files
from tests.attack.watch import blendgen, environment

_OTHERS = (
    *("photos/cup/beach.png", "photo.png", "preview.png", "thesis.pdf", "dataset.json", "manifest.jsonl"),
    *("train/cat/tom.png", "annotations/mine.json", "labels.csv", "data/notes.parquet", "labels/mine.txt"),
    *("set/notes.txt", "set/images/mine.png", "set/masks/train/box/mine.png"),
)
_TARGETS = (
    ".",
    "photos",
    "images",
    "models",
    "spec.yaml",
    "photo.png",
    "thesis.pdf",
    "set",
    "set/images",
    "train",
)
_SHORT_TARGETS = (".", "photo.png")
_FORMATS = ("imagefolder", "coco", "yolo", "voc", "webdataset", "parquet", "hf", "croissant", "csv", "bop")


@dataclass(frozen=True)
class Try:
    """own: whether the command may replace the files of the data set"""

    args: tuple[str, ...]
    own: bool = False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack.home", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few targets and formats")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="blendgen-home-")).resolve()
    try:
        faults = try_home(work, make_stock(work / "stock"), options.short)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print("\n".join(faults))
    print("no file of the user was changed" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def try_home(work: Path, stock: Path, short: bool) -> list[str]:
    place = _furnish(work / "home", stock)
    faults = []
    for one in _tries(short):
        faults += [f"{' '.join(one.args)}: {fault}" for fault in _try(place, stock, one)]
    return faults


def _furnish(root: Path, stock: Path) -> Place:
    """Create the home folder in `given`, with the files of the user last."""
    place = Place(root, "", stock)
    for folder in (place.given, place.tmp, place.home):
        folder.mkdir(parents=True)
    shutil.copytree(stock / "cache", place.cache)
    shutil.copytree(stock / "set", place.given / "set")
    write_spec(place)
    photos(place)
    put_user_files(place.given, [name for name in (*USER_FILES, *_OTHERS) if name != "spec.yaml"])
    return place


def _tries(short: bool) -> Iterator[Try]:
    for target in _SHORT_TARGETS if short else _TARGETS:
        for force in ((), ("--force",)):
            for more in ((), ("--seed", "2")):
                if more and not force:
                    continue
                args = ("generate", "spec.yaml", "-n", "1", "--workers", "1", "-o", target, *more, *force)
                yield Try(args, own=target == "set")
            for name in ("coco",) if short else _FORMATS:
                yield Try(("export", "set", name, target, *force))
            yield Try(("mix", "set", "photos", "-o", target, *force))
            yield Try(("subset", "set", "-o", target, *force))
        yield Try(("merge", "set", "-o", target), own=target == "set")
        yield Try(("preview", "spec.yaml", "-n", "1", "-o", target))
    yield Try(("preview", "spec.yaml", "-n", "1"))
    yield Try(("models", "models/box.obj", "--init"))
    yield Try(("verify", "set"))
    yield Try(("verify", "set", "--repair"), own=True)
    yield Try(("status", "."))
    yield Try(("status", "set"))
    yield Try(
        ("merge", "set", "-o", "merged", "--remove-shards"), own=True
    )  # the last one: it removes the set


def _try(place: Place, stock: Path, one: Try) -> list[str]:
    home = place.given
    before = _snapshot(home, stock, one.own)
    try:
        done = subprocess.run(
            [*blendgen(), *one.args], cwd=home, env=environment(place), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=240, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ["takes too long, more than 90 s"]
    faults = [] if done.returncode in CODES else [f"exits with {done.returncode}"]
    if b"Traceback (most recent call last)" in done.stdout + done.stderr:
        faults.append(f"traceback, {done.stderr.decode(errors='replace').strip().splitlines()[-1][:120]}")
    after = _snapshot(home, stock, one.own)
    changed = canary.changed(before, {name: state for name, state in after.items() if name in before})
    if changed:
        _restore(home, stock)
    return faults + changed


def _snapshot(home: Path, stock: Path, own: bool) -> dict[str, str]:
    """The state of all files except those that the command may replace: the files of its data set."""
    place = Place(home, "", stock)
    states = canary.snapshot(place)
    made = {f"set/{path.relative_to(stock / 'set')}" for path in (stock / "set").rglob("*")}
    return {name: state for name, state in states.items() if not (own and name in made)}


def _restore(home: Path, stock: Path) -> None:
    """Restore the home folder, so that each fault is reported for the command that caused it."""
    shutil.rmtree(home)
    root = home.parent
    for name in ("tmp", "home", "cache"):
        shutil.rmtree(root / name)
    _furnish(root, stock)


if __name__ == "__main__":
    sys.exit(main())
