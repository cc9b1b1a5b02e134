"""Read: the text of a sidecar -> a SidecarFile, or all its faults with their places."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from blendgen.errors import Problem, SpecError, did_you_mean
from blendgen.files.disk import raise_if_passing
from blendgen.files.regular_file import links_outside, read_bounded
from blendgen.models.scan import UPLESS_SUFFIXES, model_suffix
from blendgen.models.sidecar.schema import MARK, VERSION, Sidecar
from blendgen.spec.faults import NO_VALUE, faults, without_value
from blendgen.spec.yaml_source import Document, parse
from blendgen.spec.yaml_source import Path as FieldPath


@dataclass(frozen=True)
class SidecarFile:
    """A checked sidecar, and the places of its fields."""

    sidecar: Sidecar
    document: Document

    @property
    def file(self) -> str:
        """Its name in messages."""
        return self.document.file

    def problem(self, path: FieldPath, message: str) -> Problem:
        return self.document.problem(path, message)


def read_sidecar(file: Path, shown_as: str, model: Path) -> SidecarFile:
    """Read and check the sidecar of a model; raises SpecError with all problems of the file."""
    if links_outside(file):
        message = "cannot be read: a link that leads out of the model's folder; put the file itself there"
        raise SpecError([Problem(shown_as, 0, 0, "", message)])
    try:
        text = read_bounded(file).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise SpecError([Problem(shown_as, 0, 0, "", "not a UTF-8 text file")]) from None
    except OSError as error:
        raise_if_passing(file, error)
        raise SpecError([Problem(shown_as, 0, 0, "", f"cannot be read: {error.strerror}")]) from None
    read = check_sidecar(parse(text, shown_as), model)
    if read.sidecar.textures and not (model.parent / read.sidecar.textures).is_dir():
        message = f"the folder {read.sidecar.textures!r} does not exist; it is relative to the model"
        raise SpecError([read.problem(("textures",), message)])
    return read


def check_sidecar(document: Document, model: Path) -> SidecarFile:
    """Check plain values against the schema; raises SpecError."""
    if not isinstance(document.value, dict) or MARK not in document.value:
        advice = (
            f"a model's sidecar starts with `{MARK}: {VERSION}`; if this is not a sidecar, rename or move it"
        )
        raise SpecError([document.problem((), advice)])
    value = copy.deepcopy(document.value)
    broken: list[tuple[FieldPath, str]] = [(path, NO_VALUE) for path in without_value(value)]
    sidecar = None
    try:
        sidecar = Sidecar.model_validate(value)
    except ValidationError as error:
        broken += faults(error, Sidecar)
    if sidecar is not None:
        broken += [*_mirror_faults(sidecar), *_up_faults(sidecar, model)]
    if broken or sidecar is None:
        raise SpecError([document.problem(path, message) for path, message in broken])
    return SidecarFile(sidecar, document)


def twins(sidecar: Sidecar) -> dict[str, str]:
    """Keypoint -> the one that it becomes in a mirrored image; it is enough if one of the two states it."""
    stated = {name: one.mirrored for name, one in sidecar.keypoints.items() if one.mirrored}
    return {other: name for name, other in stated.items()} | stated


def _mirror_faults(sidecar: Sidecar) -> list[tuple[FieldPath, str]]:
    broken: list[tuple[FieldPath, str]] = []
    for name, other in ((name, one.mirrored) for name, one in sidecar.keypoints.items()):
        if other is None:
            continue
        message = _mirror_fault(name, other, sidecar)
        if message:
            broken.append((("keypoints", name, "mirrored"), message))
    return broken


def _mirror_fault(name: str, other: str, sidecar: Sidecar) -> str | None:
    if other == name:
        return "a keypoint that is its own mirror image does not need `mirrored`; remove it"
    if other not in sidecar.keypoints:
        return f"{other!r} is not a keypoint{did_you_mean(other, set(sidecar.keypoints) - {name})}"
    rivals = [one for one, place in sidecar.keypoints.items() if place.mirrored == other and one != name]
    back = sidecar.keypoints[other].mirrored
    if back not in (None, name):
        return f"{other} is mirrored to {back}, not to {name}"
    if rivals:
        return f"{other} is already the mirror image of {rivals[0]}; a keypoint has only one"
    return None


def _up_faults(sidecar: Sidecar, model: Path) -> list[tuple[FieldPath, str]]:
    suffix = model_suffix(model)
    if sidecar.up is None or suffix in UPLESS_SUFFIXES:
        return []
    listed = ", ".join(UPLESS_SUFFIXES)
    return [(("up",), f"a {suffix} file states its own up axis; up is for {listed}")]
