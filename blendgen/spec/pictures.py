"""Pictures: the files in the folders that a spec names for panoramas, surfaces and backdrops.

In: a SpecFile. Out: the checked files of each folder by field of Catalog; or a SpecError with the faults
of all folders, at their lines. Pixels are read later, by the code that uses them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from blendgen.errors import Problem, SpecError
from blendgen.files.disk import raise_if_passing
from blendgen.files.image_size import header_fault
from blendgen.files.names import some_of
from blendgen.files.photos import PHOTO_SUFFIXES, photo_fault
from blendgen.files.regular_file import links_outside, open_regular
from blendgen.spec.load import SpecFile

_PANORAMA_MAGIC = {".hdr": b"#?", ".exr": b"\x76\x2f\x31\x01"}
_MAX_LISTED = 5


def picture_files(spec_file: SpecFile) -> dict[str, dict[str, Path]]:
    """The fields environments, photos and backdrops of Catalog: file name -> path; raises SpecError."""
    spec = spec_file.spec
    pictures: dict[str, dict[str, Path]] = {}
    problems: list[Problem] = []
    environment = spec.lighting.environment
    for field, path, section, suffixes, fault in (
        ("environments", ("lighting", "environment"), environment, tuple(_PANORAMA_MAGIC), _panorama_fault),
        ("photos", ("surface", "photos"), spec.surface.photos, PHOTO_SUFFIXES, photo_fault),
        ("backdrops", ("backdrop",), spec.backdrop, PHOTO_SUFFIXES, photo_fault),
    ):
        if section is None or section.directory is None:
            continue
        directory = section.directory
        folder = (spec_file.folder / directory).resolve()
        try:
            pictures[field] = _files(folder, suffixes, fault if section.follow_links else _unless_link(fault))
        except ValueError as error:
            problems.append(spec_file.problem((*path, "directory"), f"{directory}: {error}"))
    if problems:
        raise SpecError(problems)
    return pictures


def _files(folder: Path, suffixes: tuple[str, ...], fault: Callable[[Path], str | None]) -> dict[str, Path]:
    """The files of a folder by name; raises ValueError with the reason if they cannot be used."""
    if not folder.is_dir():
        raise ValueError("the folder does not exist")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in suffixes)
    if not files:
        raise ValueError(f"contains no {', '.join(suffixes[:-1])} or {suffixes[-1]} file")
    faults = [f"{file.name!a} (its name is not UTF-8)" for file in files if not _is_utf8(file.name)]
    faults = faults or [f"{file.name} ({reason})" for file in files if (reason := fault(file))]
    if faults:
        raise ValueError(f"some files cannot be read; fix or remove them: {some_of(faults, _MAX_LISTED)}")
    return {file.name: file for file in files}


def _unless_link(fault: Callable[[Path], str | None]) -> Callable[[Path], str | None]:
    """The check of a file that may not be a link out of its folder."""
    leads_out = "a link that leads out of the folder; copy the file, or set follow_links: true"
    return lambda file: leads_out if links_outside(file) else fault(file)


def _is_utf8(name: str) -> bool:
    """Whether the manifest can hold a name; one that is not UTF-8 contains lone surrogates."""
    return name.isprintable() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def _panorama_fault(file: Path) -> str | None:
    magic = _PANORAMA_MAGIC[file.suffix.lower()]
    try:
        with open_regular(file) as opened:
            if opened.read(len(magic)) != magic:
                return "its content does not match its suffix"
        return header_fault(file)
    except OSError as error:
        raise_if_passing(file, error)
        return error.strerror
