"""Refine: all images of a data set changed by a trained refiner or by a program, and checked one by one.

In: a data set, a place, Options. Out: Refined: another data set on disk. An image that fails the check, or of
which a program made nothing, is left as it was. What is finished is noted in the cache, so the same call goes
on where it was stopped.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from blendgen.dataset.json_lines import JsonLines
from blendgen.dataset.layout import RECORD_NAME
from blendgen.dataset.packed import opened_path, read_file
from blendgen.dataset.refined import REFINED_KEY, WEIGHTS_NAME
from blendgen.dataset.rows import json_line
from blendgen.dataset.schema import MAX_RECORD_BYTES, parsed_json
from blendgen.dataset.source import Source
from blendgen.develop.encode import encode_like
from blendgen.errors import DatasetError, SetupError, UsageError
from blendgen.exporters.destination import Destination
from blendgen.exporters.refined import Change, write_refined
from blendgen.files.disk import read_error
from blendgen.files.folder import Folder
from blendgen.files.regular_file import open_regular, read_bounded
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.learn.backbones import LEARN_EXTRA
from blendgen.learn.run_folder import CHECKPOINT
from blendgen.models.measuring.cache import cache_folder
from blendgen.photos.folder import PhotoFolder
from blendgen.refining.label_check import limits, measured
from blendgen.refining.program import ChangeFault, Program
from blendgen.scene.row import Row
from blendgen.system.progress import Progress
from blendgen.system.tuning import let_threads_sleep

UNCHANGED, PROGRAM_FAILED = "not changed", "program failed"
_RESULTS = "results.jsonl"
_TRIED = 3  # images with which a program must work once

Changer = Callable[[Source, Row], ImageHW3U8]


@dataclass(frozen=True)
class Learning:
    """photos: without labels; the training ends after so many steps, or seconds if that is earlier

    side: of the crops, pixels; regularization: weight of the difference from the renders
    """

    photos: PhotoFolder
    steps: int
    seconds: float | None
    side: int
    regularization: float
    seed: int

    def facts(self) -> dict[str, Any]:
        """All that a training follows from; raises DatasetError for a photo that cannot be read."""
        digests = sorted(map(_sha256, self.photos.files))
        return {
            "steps": self.steps, "seconds": self.seconds, "size": self.side,
            "regularization": self.regularization, "seed": self.seed,
            "photos_sha256": hashlib.sha256("".join(digests).encode()).hexdigest(),
        }  # fmt: skip


@dataclass(frozen=True)
class Refined:
    """A data set whose images were refined. folder: where it is; record: its dataset.json

    notes: what a user should know, such as photos that were left out
    """

    folder: Path
    record: dict[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def origin(self) -> dict[str, Any]:
        """What the images were and what has changed them; docs/refining.md lists the keys."""
        return dict(self.record[REFINED_KEY])


def refine(
    source: Source, dest: Path, by: Learning | Program, link: str, force: bool, progress: Progress
) -> Refined:
    """raises: UsageError, DatasetError; SetupError where torch is needed and missing"""
    if not source.images:
        raise DatasetError(f"{source.root}: has no images")
    source.instance_mask(source.row(0))  # the check needs masks
    facts = by.facts()
    identity = {"format": "refine", **source.identity, "by": facts}
    inputs = (source.root,) if isinstance(by, Program) else (source.root, by.photos.place)
    destination = Destination(dest, identity, link, force, inputs)
    if destination.is_complete(RECORD_NAME):
        return Refined(dest, _record(destination.root), ("is complete already, and was left as it is",))
    if isinstance(by, Program):
        by.refuse_for(source)
        _try(by, source)
    elif importlib.util.find_spec("torch") is None:
        raise SetupError(
            f"refining with photos needs torch: {LEARN_EXTRA}; or use a program of your own: --command"
        )
    let_threads_sleep()
    with destination:
        return _Refining(source, destination, facts, progress).run(by)


class _Refining:
    """One call, in its open destination. facts: of the training or the program"""

    def __init__(self, source: Source, destination: Destination, facts: dict[str, Any], progress: Progress):
        self._source, self._destination, self._progress = source, destination, progress
        steady = {name: one for name, one in facts.items() if name not in ("steps", "seconds")}
        self._work = _work_folder([source.identity, steady, str(destination.root)])

    def run(self, by: Learning | Program) -> Refined:
        changer, made, notes = self._program(by) if isinstance(by, Program) else self._learned(by)
        earlier = _Earlier(self._destination, self._work, made)
        self._progress.begin(self._source.images)

        def change_of(row: Row) -> Change:
            known = earlier.change(row)
            if known is None:
                known = changed(self._source, row, changer)
                earlier.note(row, known)
            return known

        origin = {"refiner": made, "limits": limits()}
        record = write_refined(self._source, self._destination, origin, change_of, self._progress.advance)
        Folder(self._work).remove_temporary_files()
        for name in (_RESULTS, CHECKPOINT):
            Folder(self._work.parent).remove(f"{self._work.name}/{name}")
        return Refined(self._destination.root, record, notes)

    def _program(self, by: Program) -> tuple[Changer, dict[str, Any], tuple[str, ...]]:
        return by.changed, by.facts(), ()

    def _learned(self, by: Learning) -> tuple[Changer, dict[str, Any], tuple[str, ...]]:
        """The refiner, from an earlier run if that finished it; its weights become a file of the data set."""
        from blendgen.refining.adversarial import Settings
        from blendgen.refining.learned import learned, learned_from

        data = self._destination.earlier(WEIGHTS_NAME)
        result = None if data is None else learned_from(data)
        if data is None or result is None:
            settings = Settings(by.steps, by.seconds, by.regularization, by.seed)
            result = learned(self._source, by.photos, by.side, settings, self._work, self._progress)
            data = result.to_bytes()
        with self._destination.opened(WEIGHTS_NAME) as file:
            file.write(data)
        made = {
            "kind": "network", "weights_sha256": hashlib.sha256(data).hexdigest(), **result.facts,
            "photos_folder": str(by.photos.place.resolve()), "photos_sha256": by.facts()["photos_sha256"],
        }  # fmt: skip
        return result.changed, made, result.notes


class _Earlier:
    """The images that an earlier run finished, in a file of the cache."""

    def __init__(self, destination: Destination, work: Path, made: Mapping[str, Any]):
        self._destination, self._folder = destination, Folder(work)
        self._key = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]
        lines = JsonLines(work / _RESULTS, "a finished image", "delete this file, which is only a cache")
        self._facts = {
            one["index"]: one for one in map(_parsed, lines.lines()) if one.get("key") == self._key
        }

    def change(self, row: Row) -> Change | None:
        facts = self._facts.get(row.index)
        if facts is None:
            return None
        data = None
        if facts["sha256"] is not None:
            data = self._destination.earlier(row.image.name)
            if data is None or hashlib.sha256(data).hexdigest() != facts["sha256"]:
                return None
        return Change(data, facts["why_left"], facts["facts"])

    def note(self, row: Row, change: Change) -> None:
        digest = None if change.data is None else hashlib.sha256(change.data).hexdigest()
        line = {
            "key": self._key, "index": row.index, "sha256": digest, "why_left": change.why_left,
            "facts": change.facts,
        }  # fmt: skip
        self._folder.append(_RESULTS, json_line(line).encode())


def changed(source: Source, row: Row, changer: Changer) -> Change:
    """The new file of an image, if its labels are right for it."""
    original, before = _original(source, row), source.image(row)
    try:
        data = encode_like(changer(source, row), original)
    except ChangeFault as fault:
        return Change(None, PROGRAM_FAILED, {"reason": str(fault), "measures": None})
    with Image.open(io.BytesIO(data)) as image:
        after = np.array(image.convert("RGB"))  # as it will be read
    measures = measured(before, after, source.instance_mask(row), row.objects.instance_id)
    faults = [UNCHANGED] if np.array_equal(before, after) else measures.faults
    facts = {"reason": ", ".join(faults) or None, "measures": measures.facts()}
    return Change(None if faults else data, faults[0] if faults else "", facts)


def _original(source: Source, row: Row) -> bytes:
    path = source.path(row)
    try:
        return read_file(path)
    except OSError as error:
        raise read_error(opened_path(path), error) from None


def _try(program: Program, source: Source) -> None:
    """Raises UsageError if a program works with none of the first images; nothing is written before."""
    faults = []
    for position in range(min(_TRIED, source.images)):
        try:
            program.changed(source, source.row(position))
            return
        except ChangeFault as fault:
            faults.append(str(fault))
    raise UsageError(f"command (--command): works with none of the first {len(faults)} images: {faults[-1]}")


def _sha256(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise read_error(path, error) from None


def _work_folder(identity: Any) -> Path:
    """A folder in the cache for what is not finished."""
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "refining" / digest[:32]


def _record(root: Path) -> dict[str, Any]:
    try:
        record = parsed_json(read_bounded(root / RECORD_NAME, MAX_RECORD_BYTES), MAX_RECORD_BYTES)
        if isinstance(record, dict) and REFINED_KEY in record:
            return record
    except (OSError, ValueError):
        pass
    raise DatasetError(f"{root / RECORD_NAME}: is damaged; delete it and run the same command again")


def _parsed(line: bytes) -> dict[str, Any]:
    """An empty one for a line that is torn."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
