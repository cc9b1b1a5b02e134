"""Store: a data set's folder as a whole: opened, resumed, recorded, finished.

In: a folder and the digest of what is to be in it. Out: which images are missing. A folder that
holds anything else is refused; two runs never write into the same folder at once.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows, sort_manifest
from blendgen.dataset.write import disk_error, write_atomically
from blendgen.errors import DatasetError

_COMPARED = ("digest", "blendgen_version", "blender_version")


class Store:
    """An open data set; use as a context manager, which holds its lock.

    record: what dataset.json says of how the images are made; "digest", "blendgen_version" and
        "blender_version" must agree with what is there, or the folder is refused
    """

    def __init__(self, folder: Path, record: dict[str, Any], spec_yaml: str, force: bool = False):
        self.layout = Layout(Path(folder))
        self._record, self._spec_yaml, self._force = record, spec_yaml, force

    def __enter__(self) -> Store:
        root = self.layout.root
        if root.exists() and not root.is_dir():
            raise DatasetError(f"{root}: is a file; give a folder with -o")
        self._refuse_foreign()
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self.layout.lock)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DatasetError(f"{root}: another blendgen is writing into this folder") from None
        except OSError as error:
            raise disk_error(root, error) from None
        self._prepare()
        return self

    def __exit__(self, *_) -> None:
        shutil.rmtree(self.layout.temporary, ignore_errors=True)
        self._lock.release()
        self.layout.lock.unlink(missing_ok=True)

    def done(self) -> set[int]:
        """Indices of the images that are finished: they have a row, and their files are there."""
        root, finished = self.layout.root, set()
        for row in read_rows(self.layout.manifest):
            names = [value for key, value in row.items() if key.endswith("file_name")]
            if all((root / name).is_file() for name in names):
                finished.add(row["index"])
        return finished

    def finish(self, device: dict[str, str] | None) -> dict[str, Any]:
        """Sort the manifest and write the counts into dataset.json; returns the record."""
        total = sort_manifest(self.layout)
        rows = list(_label_and_split(self.layout))
        self._record |= {
            "images": total,
            "images_per_split": dict(sorted(Counter(split for _, split in rows).items())),
            "images_per_label": dict(sorted(Counter(label for label, _ in rows).items())),
        }
        if device is not None:
            self._record["device"] = device
        elif "device" in (known := read_record(self.layout)):
            self._record["device"] = known["device"]
        self._write_record()
        return self._record

    def _refuse_foreign(self) -> None:
        root = self.layout.root
        if not root.is_dir() or not any(p.name != self.layout.lock.name for p in root.iterdir()):
            return
        known = read_record(self.layout)
        if not known:
            raise DatasetError(
                f"{root}: is not empty and holds no blendgen data set; give another folder with -o"
            )
        different = [key for key in _COMPARED if known.get(key) != self._record[key]]
        if different and not self._force:
            raise DatasetError(f"{root}: {_difference(known, self._record, different[0])}")

    def _prepare(self) -> None:
        if self._force:
            _remove(self.layout.owned())
        shutil.rmtree(self.layout.temporary, ignore_errors=True)
        if not self.layout.record.exists():
            write_atomically(self.layout, self.layout.spec, self._spec_yaml.encode())
            self._write_record()

    def _write_record(self) -> None:
        text = json.dumps(self._record, indent=2, ensure_ascii=False) + "\n"
        write_atomically(self.layout, self.layout.record, text.encode())


def read_record(layout: Layout) -> dict[str, Any]:
    """dataset.json, or {} where there is none or none that can be read."""
    try:
        record = json.loads(layout.record.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def unbalanced_splits(record: dict[str, Any], rows: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Split -> classes of which it has no image, where it has some of others."""
    present: dict[str, set[str]] = {}
    for label, split in rows:
        present.setdefault(split, set()).add(label)
    missing = {split: sorted(set(record["classes"]) - labels) for split, labels in present.items()}
    return {split: labels for split, labels in missing.items() if labels}


def labels_and_splits(layout: Layout) -> list[tuple[str, str]]:
    return list(_label_and_split(layout))


def _label_and_split(layout: Layout):
    return ((row["label"], row["split"]) for row in read_rows(layout.manifest))


def _difference(known: dict, wanted: dict, key: str) -> str:
    if key == "digest":
        return (
            "holds a data set made from another spec (or other models); "
            "give another folder with -o, or --force to start it afresh"
        )
    program = {"blendgen_version": "blendgen", "blender_version": "Blender"}[key]
    return (
        f"was begun with {program} {known.get(key)}, this is {wanted[key]}, and their pixels differ; "
        "give another folder with -o, or --force to start it afresh"
    )


def _remove(paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
