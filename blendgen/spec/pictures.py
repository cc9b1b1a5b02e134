"""Pictures: the files of the folders that a spec names for panoramas, surfaces and backdrops.

In: a SpecFile. Out: file names and paths by field of Catalog, each file looked into; or a SpecError
with the faults of all folders at their lines. The pictures themselves are read where they are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from blendgen.errors import SpecError
from blendgen.files.image_size import header_fault
from blendgen.files.photos import SUFFIXES, photo_fault
from blendgen.files.regular_file import links_outside, open_regular
from blendgen.spec.load import SpecFile

_PANORAMA_MAGIC = {".hdr": b"#?", ".exr": b"\x76\x2f\x31\x01"}
_MAX_NAMED = 5


def picture_files(spec_file: SpecFile) -> dict[str, dict[str, Path]]:
    """Catalog's environments, photos and backdrops, by file name; raises SpecError."""
    spec, found, problems = spec_file.spec, {}, []
    environment = spec.lighting.environment
    for field, path, section, suffixes, fault in (
        ("environments", ("lighting", "environment"), environment, tuple(_PANORAMA_MAGIC), _no_panorama),
        ("photos", ("surface", "photos"), spec.surface.photos, SUFFIXES, photo_fault),
        ("backdrops", ("backdrop",), spec.backdrop, SUFFIXES, photo_fault),
    ):
        directory = section and section.directory
        if directory is None:
            continue
        folder = (spec_file.folder / directory).resolve()
        try:
            found[field] = _files(folder, suffixes, fault if section.follow_links else _unless_link(fault))
        except ValueError as error:
            problems.append(spec_file.problem((*path, "directory"), f"{directory}: {error}"))
    if problems:
        raise SpecError(problems)
    return found


def _files(folder: Path, suffixes: tuple[str, ...], fault: Callable[[Path], str | None]) -> dict[str, Path]:
    """The files of a folder by name; raises ValueError with the reason where it cannot serve."""
    if not folder.is_dir():
        raise ValueError("no such folder")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in suffixes)
    if not files:
        raise ValueError(f"holds no {', '.join(suffixes[:-1])} or {suffixes[-1]} file")
    faults = [f"{file.name!a} (its name is not UTF-8)" for file in files if not _is_utf8(file.name)]
    faults = faults or [f"{file.name} ({reason})" for file in files if (reason := fault(file))]
    if faults:
        more = f" and {len(faults) - _MAX_NAMED} more" if len(faults) > _MAX_NAMED else ""
        shown = ", ".join(faults[:_MAX_NAMED])
        raise ValueError(f"cannot be read; mend or remove them: {shown}{more}")
    return {file.name: file for file in files}


def _unless_link(fault: Callable[[Path], str | None]) -> Callable[[Path], str | None]:
    """The check of a file that may not be a link out of its folder."""
    leads_out = "a link that leads out of the folder; copy the file, or set follow_links: true"
    return lambda file: leads_out if links_outside(file) else fault(file)


def _is_utf8(name: str) -> bool:
    """A name that no manifest could hold comes as lone surrogates."""
    return name.isprintable() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def _no_panorama(file: Path) -> str | None:
    magic = _PANORAMA_MAGIC[file.suffix.lower()]
    try:
        with open_regular(file) as opened:
            if opened.read(len(magic)) != magic:
                return "not what its name says"
        return header_fault(file)
    except OSError as error:
        return error.strerror
