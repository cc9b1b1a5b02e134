"""Store: a data set's folder as a whole: opened, resumed, recorded, finished.

In: a folder and the digest of what is to be in it. Out: which images are missing. A folder that
holds anything else is refused; two runs never write into the same folder at once.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import Summary, file_names, read_rows, sort_manifest
from blendgen.dataset.write import write_atomically
from blendgen.errors import DatasetError

_COMPARED = ("digest", "blendgen_version", "blender_version")


class Store:
    """An open data set; use as a context manager, which holds its lock.

    summary: what the manifest held when it was finished

    record: what dataset.json says of how the images are made; "digest", "blendgen_version" and
        "blender_version" must agree with what is there, or the folder is refused
    """

    def __init__(self, folder: Path, record: dict[str, Any], spec_yaml: str, force: bool = False):
        self.layout = Layout(Path(folder))
        self._record, self._spec_yaml, self._force = record, spec_yaml, force
        self.summary = Summary(Counter())

    def __enter__(self) -> Store:
        root = self.layout.root
        if root.exists() and not root.is_dir():
            raise DatasetError(f"{root}: is a file; give a folder with -o")
        self._lock = FileLock(self.layout.lock)
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DatasetError(f"{root}: another blendgen is writing into this folder") from None
        except OSError as error:
            reason = error.strerror or error
            raise DatasetError(f"{root}: cannot be made: {reason}; give another folder with -o") from None
        try:
            self._refuse_foreign()
            self._prepare()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, *_) -> None:
        shutil.rmtree(self.layout.temporary, ignore_errors=True)
        self._release()

    def _release(self) -> None:
        """Removes the lock's file while it is still held: whoever opens it later makes a new one."""
        self.layout.lock.unlink(missing_ok=True)
        self._lock.release()

    def done(self) -> set[int]:
        """Indices of the images that are finished: they have a row, and their files are there."""
        root = self.layout.root
        return {
            row["index"]
            for row in read_rows(self.layout.manifest)
            if all((root / name).is_file() for name in file_names(row))
        }

    def note_device(self, device: dict[str, str]) -> list[dict[str, str]]:
        """Write into dataset.json, at once, what images are now made on; returns what others were made on.

        One is "device"; what more there are come under "also_made_on".
        """
        known = read_record(self.layout)
        others = [one for one in devices_of(known) if one != device]
        if device not in devices_of(known):
            self._write_record(known | _device_record([*others, device]))
        return others

    def finish(self, device: dict[str, str] | None = None) -> dict[str, Any]:
        """Sort the manifest and write the counts into dataset.json; returns the record."""
        if device is not None:
            self.note_device(device)
        self.summary = sort_manifest(self.layout)
        self._record |= {
            "images": self.summary.images,
            "images_per_split": self.summary.per_split(),
            "images_per_label": self.summary.per_label(),
        }
        self._record |= _device_record(devices_of(read_record(self.layout)))
        self._write_record(self._record)
        return self._record

    def _refuse_foreign(self) -> None:
        """A folder is ours if it holds our record, or nothing but our names (a start that was cut off)."""
        root, ours = self.layout.root, {self.layout.lock, *self.layout.owned()}
        known = read_record(self.layout)
        if not known and any(path not in ours for path in root.iterdir()):
            raise DatasetError(
                f"{root}: is not empty and holds no blendgen data set; give another folder with -o"
            )
        if not known and self.layout.manifest.exists() and not self._force:
            raise DatasetError(
                f"{self.layout.record}: is missing or damaged, so nobody knows what the images are; "
                "give another folder with -o, or --force to start afresh"
            )
        classes = {*known.get("classes", ()), *self._record["classes"]}
        for folder in (root / "images").glob("*/*"):
            if folder.is_dir() and folder.name not in classes:
                raise DatasetError(
                    f"{folder}: is not of this data set, and a trainer would take it for a class; "
                    "move it away"
                )
        different = [key for key in _COMPARED if known and known.get(key) != self._record[key]]
        if different and not self._force:
            raise DatasetError(f"{root}: {_difference(known, self._record, different[0])}")

    def _prepare(self) -> None:
        if self._force:
            _remove(self.layout.owned())
        shutil.rmtree(self.layout.temporary, ignore_errors=True)
        if not read_record(self.layout):
            self._write_record(self._record)
        if not self.layout.spec.exists() or self.layout.spec.read_bytes() != self._spec_yaml.encode():
            write_atomically(self.layout, self.layout.spec, self._spec_yaml.encode())

    def _write_record(self, record: dict[str, Any]) -> None:
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        write_atomically(self.layout, self.layout.record, text.encode())


def read_record(layout: Layout) -> dict[str, Any]:
    """dataset.json, or {} where there is none or none that can be read."""
    try:
        record = json.loads(layout.record.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def devices_of(record: dict[str, Any]) -> list[dict[str, str]]:
    """What the images of a data set were made on: none so far, one device, or several."""
    return [record["device"], *record.get("also_made_on", ())] if "device" in record else []


def _device_record(devices: list[dict[str, str]]) -> dict[str, Any]:
    if not devices:
        return {}
    first, *rest = sorted(devices, key=json.dumps)  # not as they came: the order of finishing never shows
    return {"device": first} | ({"also_made_on": rest} if rest else {})


def unbalanced_splits(record: dict[str, Any], summary: Summary) -> dict[str, list[str]]:
    """Split -> classes of which it has no image, where it has some of others."""
    present: dict[str, set[str]] = {}
    for label, split in summary.counts:
        present.setdefault(split, set()).add(label)
    missing = {split: sorted(set(record["classes"]) - labels) for split, labels in present.items()}
    return {split: labels for split, labels in sorted(missing.items()) if labels}


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
