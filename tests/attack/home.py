"""python -m tests.attack.home [--short]: a home folder, and every command told to write all over it.

Photos, a spec, models, notes and a finished data set lie side by side. Whatever a command answers, nothing
that blendgen did not make may have changed, nor a data set but the one that it was told to make anew.
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
from tests.attack.belongings import THINGS, put_things
from tests.attack.case import CODES, Place
from tests.attack.stock import make_stock, photos, write_spec
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
    """own: what of the data set the command may make anew, as it is told to"""

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
    print("nothing of a person's was changed" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def try_home(work: Path, stock: Path, short: bool) -> list[str]:
    place = _furnish(work / "home", stock)
    faults = []
    for one in _tries(short):
        faults += [f"{' '.join(one.args)}: {fault}" for fault in _try(place, stock, one)]
    return faults


def _furnish(root: Path, stock: Path) -> Place:
    """The home folder is `given`; what a person has is put there last."""
    place = Place(root, "", stock)
    for folder in (place.given, place.tmp, place.home):
        folder.mkdir(parents=True)
    shutil.copytree(stock / "cache", place.cache)
    shutil.copytree(stock / "set", place.given / "set")
    write_spec(place)
    photos(place)
    put_things(place.given, [name for name in (*THINGS, *_OTHERS) if name != "spec.yaml"])
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
        yield Try(("preview", "spec.yaml", "-n", "1", "-o", target))
    yield Try(("preview", "spec.yaml", "-n", "1"))
    yield Try(("models", "models/box.obj", "--init"))
    yield Try(("verify", "set"))


def _try(place: Place, stock: Path, one: Try) -> list[str]:
    home = place.given
    before = _things(home, stock, one.own)
    try:
        done = subprocess.run(
            [*blendgen(), *one.args], cwd=home, env=environment(place), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=90, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ["takes too long, more than 90 s"]
    faults = [] if done.returncode in CODES else [f"exits with {done.returncode}"]
    if b"Traceback (most recent call last)" in done.stdout + done.stderr:
        faults.append(f"traceback, {done.stderr.decode(errors='replace').strip().splitlines()[-1][:120]}")
    after = _things(home, stock, one.own)
    changed = canary.changed(before, {name: state for name, state in after.items() if name in before})
    if changed:
        _restore(home, stock)
    return faults + changed


def _things(home: Path, stock: Path, own: bool) -> dict[str, str]:
    """What is there, without what a command may make anew: the files of the data set that it was told."""
    place = Place(home, "", stock)
    found = canary.snapshot(place)
    made = {f"set/{path.relative_to(stock / 'set')}" for path in (stock / "set").rglob("*")}
    return {name: state for name, state in found.items() if not (own and name in made)}


def _restore(home: Path, stock: Path) -> None:
    """So that each command is told for itself what it broke."""
    shutil.rmtree(home)
    root = home.parent
    for name in ("tmp", "home", "cache"):
        shutil.rmtree(root / name)
    _furnish(root, stock)


if __name__ == "__main__":
    sys.exit(main())
