"""Damage: what disks, and machines that lose power, do to the files of a shard."""

from __future__ import annotations

import random
from pathlib import Path


def tear_last_row(shard: Path, chance: random.Random) -> bool:
    """Cut off the end of the manifest; returns whether there was one."""
    manifest = shard / "manifest.jsonl"
    size = manifest.stat().st_size if manifest.exists() else 0
    if size:
        with manifest.open("r+b") as file:
            file.truncate(max(0, size - chance.randrange(1, 400)))
    return size > 0


def truncate_images(shard: Path, chance: random.Random) -> int:
    """Cut, lengthen, empty, overwrite or remove up to three files; returns how many."""
    files = _files(shard)
    some = chance.sample(files, min(3, len(files)))
    return sum(_damaged(path, chance) for path in some)


def remove_images(shard: Path, chance: random.Random) -> int:
    """Remove a third of all files; returns how many."""
    files = _files(shard)
    gone = chance.sample(files, len(files) // 3)
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _files(shard: Path) -> list[Path]:
    return sorted(path for path in shard.rglob("*") if path.suffix in (".png", ".exr") and path.is_file())


def _damaged(path: Path, chance: random.Random) -> bool:
    try:
        data = path.read_bytes()
        if (way := chance.choice(("cut", "longer", "empty", "overwritten", "gone"))) == "gone":
            path.unlink()
        else:
            ways = {"cut": data[: len(data) // 2], "longer": data + b"more", "empty": b""}
            path.write_bytes(ways.get(way, chance.randbytes(len(data))))
    except OSError:  # it was just replaced, or the disk is full
        return False
    return True
