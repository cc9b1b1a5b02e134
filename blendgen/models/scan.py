"""Scan: a folder of model files in, one Source per model out; no file is opened.

Each folder is visited once, however many links lead to it. Links that lead out of the scanned folder are
left out with a warning, unless they are to be followed. A warning counts files of formats that are not read.

Sources are sorted by path, ignoring letter case first, so their order is the same on every machine.
product_names.py names them. Sub-folders of the scanned folder may serve as classes (Source.folder).
"""

from __future__ import annotations

import logging
import os
from pathlib import Path, PurePath
from typing import Any, Literal, get_args

from blendgen.errors import CatalogError
from blendgen.files.disk import raise_if_passing
from blendgen.files.names import nfc, some_of
from blendgen.models.former_names import former_names
from blendgen.models.product_names import Naming, product_name
from blendgen.models.source import Source
from blendgen.scene.vocabulary import METRES_PER_UNIT

_log = logging.getLogger(__name__)

STEP_SUFFIXES = ("step", "stp")
IGES_SUFFIXES = ("iges", "igs")
CAD_SUFFIXES = (*STEP_SUFFIXES, *IGES_SUFFIXES)
# Blender does not read them: engine/blender/importing/converted.py does
CONVERTED_SUFFIXES = (*CAD_SUFFIXES, "dae", "3mf")
OWN_SUFFIXES = ("glb", "gltf", "obj", "stl", "ply", "fbx", "usd", "usda", "usdc", "usdz", "blend")
MODEL_SUFFIXES = (*OWN_SUFFIXES, "off", *CONVERTED_SUFFIXES)
UNITLESS_SUFFIXES = ("obj", "stl", "ply", "off")
# they do not state their up axis
UPLESS_SUFFIXES = (*UNITLESS_SUFFIXES, *CAD_SUFFIXES)
UpAxis = Literal["x", "y", "z"]
UP_AXES: tuple[UpAxis, ...] = get_args(UpAxis)
# files of 3D programs; of others, such as textures, nobody expects a model
_OTHER_FORMATS = """
3dm 3ds 3dxml abc ac amf ase brep c4d catpart catproduct cgr dwf dwg dxf f3d fcstd g3d hip iam ifc
ipt iv jt lwo lws lxo ma max mb md2 md3 md5mesh mdl mpd ms3d nff osgb p21 plmxml prc prt pz3 sab
sat scad scn skp sldasm sldprt stpx stpz u3d vox vrm vrml wrl wrz x x3d x3db x3dv x_b x_t xsi zae ztl
"""
_NOT_READ = frozenset(_OTHER_FORMATS.split())


def scan_directory(
    folder: Path,
    display: str,
    unit: str | None,
    up: str | None,
    follow_links: bool = False,
    allow_outside: bool = False,
    naming: Naming = "file",
) -> list[Source]:
    """All models below `folder`, as sources of kind "mesh"; two may have the same name.

    display: the folder as the user wrote it, for messages
    unit: "m", "cm", "mm", "in" or "ft", overriding what the files say; None: as the files say
    up: "x", "y" or "z" for formats that do not state it; None: as usual for the format
    follow_links: also links to files and folders that lie outside of `folder`
    allow_outside: the models may be read with other files from outside of `folder`
    naming: as in product_names.py
    raises: CatalogError for a folder that is missing or contains no model
    """
    check_options(display, unit, up)
    _check_folder(folder, display)
    walk = _Walk(folder, follow_links)
    _visit_all(walk, display)
    if not walk.models:
        raise CatalogError(f"{display}: no model in this folder; expected files {_suffix_list()}")
    options = {"unit": unit, "up": up, "root": str(folder.absolute())}
    return _sources(walk, display, options | ({"allow_outside": True} if allow_outside else {}), naming)


def scan_next_to(
    file: Path, unit: str | None, up: str | None, follow_links: bool = False, allow_outside: bool = False
) -> list[Source]:
    """As scan_directory, the models in the folder of a file, but not in those below it.

    Of files that are left out, only `file` is reported. There may be no models.
    """
    display = str(file.parent)
    check_options(display, unit, up)
    walk = _Walk(file.parent, follow_links, only=file.name)
    _visit_all(walk, display)
    options = {"unit": unit, "up": up, "root": str(file.parent.absolute())}
    return _sources(walk, display, options | ({"allow_outside": True} if allow_outside else {}), "file")


def _sources(walk: _Walk, display: str, options: dict[str, Any], naming: Naming) -> list[Source]:
    paths = [path.relative_to(walk.folder) for path in sorted(walk.models, key=_order)]
    former = former_names(paths)
    return [
        Source(
            name=product_name(path, naming),
            folder=nfc(path.parts[0]) if len(path.parts) > 1 else "",
            kind="mesh",
            options={"path": str((walk.folder / path).absolute()), **options},
            display=_readable(Path(display, path)),
            file=nfc(_readable(path)),
            former_name=former.get(path, ""),
        )
        for path in paths
    ]


def _readable(path: Path) -> str:
    return str(path).encode("utf-8", "replace").decode()


def check_options(display: str, unit: str | None, up: str | None) -> None:
    """Raises CatalogError for an unknown unit or axis; the arguments are those of scan_directory."""
    if unit is not None and unit not in METRES_PER_UNIT:
        raise CatalogError(f"{display}: unit must be one of {', '.join(METRES_PER_UNIT)}; got {unit!r}")
    if up is not None and up not in UP_AXES:
        raise CatalogError(f"{display}: up must be one of {', '.join(UP_AXES)}; got {up!r}")


def _check_folder(folder: Path, display: str) -> None:
    if folder.is_dir():
        return
    if folder.exists():
        raise CatalogError(f"{display}: is a file; expected the folder that holds the models")
    if display.startswith("~") or "$" in display:
        raise CatalogError(
            f"{display}: the folder does not exist; ~ and variables are not replaced in a "
            "spec, so write the whole path"
        )
    raise CatalogError(
        f"{display}: the folder does not exist; expected a folder with models {_suffix_list()}"
    )


def _suffix_list() -> str:
    return "(" + " ".join("." + suffix for suffix in MODEL_SUFFIXES) + ")"


def _visit_all(walk: _Walk, display: str) -> None:
    try:
        walk.visit_all()
    except OSError as error:
        raise_if_passing(walk.folder, error)
        raise CatalogError(f"{display}: cannot be read: {error.strerror}: {error.filename}") from error
    if walk.outside:
        _log.warning("%s: %s", display, _left_out(walk.outside, walk.folder))
    if walk.odd:
        _log.warning("%s: not a regular file, left out: %s", display, _listed(walk.odd, walk.folder))
    if walk.not_read:
        _log.warning("%s: %s", display, _not_read(walk.not_read))


def _order(path: Path) -> tuple[list[str], tuple[str, ...]]:
    """Does not depend on the Unicode normal form in which a file system stores names."""
    return [nfc(part).casefold() for part in path.parts], path.parts


def _not_read(paths: list[Path]) -> str:
    formats = ", ".join(sorted({path.suffix.lower() for path in paths}))
    count = f"{len(paths)} files of formats" if len(paths) > 1 else "a file of format"
    return f"not read: {count} {formats}; export them as glb, or as step from a CAD program"


def _left_out(links: list[Path], folder: Path) -> str:
    count = f"{len(links)} links that lead" if len(links) > 1 else "a link that leads"
    way_out = "follow_links: true in a spec, or `blendgen models --follow-links`, includes them"
    return f"left out {count} out of this folder: {_listed(links, folder)}; {way_out}"


def _listed(paths: list[Path], folder: Path) -> str:
    return some_of([str(path.relative_to(folder)) for path in sorted(paths, key=_order)])


class _Walk:
    """The model files below a folder. Real folders are visited before links, so that the result does not
    depend on the order of the file system.

    only: stay in the folder, and list what is left out only if it has this name
    """

    def __init__(self, folder: Path, follow_links: bool, only: str | None = None):
        self.folder, self._only = folder, only
        self._root = os.path.realpath(folder)
        self._follow = follow_links
        self._visited: set[str] = set()
        self._waiting = [folder]
        self._links: list[Path] = []
        self.models: list[Path] = []
        self.outside: list[Path] = []
        self.odd: list[Path] = []
        self.not_read: list[Path] = []

    def visit_all(self) -> None:
        """Raises OSError if a folder cannot be read."""
        while self._waiting or self._links:
            if self._waiting:
                self._visit(self._waiting.pop())
                continue
            links, self._links = sorted(self._links, key=_order), []
            self._waiting = [link for link in reversed(links) if self._allowed(link)]

    def _visit(self, folder: Path) -> None:
        real = os.path.realpath(folder)
        if real in self._visited:
            return
        self._visited.add(real)
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name != "__MACOSX":
                    self._sort(entry)

    def _sort(self, entry: os.DirEntry) -> None:
        path = Path(entry.path)
        if entry.is_dir():
            if self._only is not None:
                return
            (self._links if entry.is_symlink() else self._waiting).append(path)
        elif model_suffix(entry.name) not in MODEL_SUFFIXES:
            self.not_read += [path] if model_suffix(entry.name) in _NOT_READ and self._is_listed(path) else []
        elif not entry.is_file():
            self.odd += [path] if path.exists() and self._is_listed(path) else []
        elif not entry.is_symlink() or self._allowed(path):
            self.models.append(path)

    def _allowed(self, link: Path) -> bool:
        if self._follow or Path(os.path.realpath(link)).is_relative_to(self._root):
            return True
        self.outside += [link] if self._is_listed(link) else []
        return False

    def _is_listed(self, path: Path) -> bool:
        return self._only in (None, path.name)


def model_suffix(path: str | PurePath) -> str:
    """'obj' for 'a/Box.OBJ'."""
    return PurePath(path).suffix[1:].lower()
