"""Ownership: which files of a folder this program wrote; nothing else is ever removed or overwritten.

In: a folder and its dataset.json. Ours are the files that the manifest names, those that a killed run listed
before it wrote them, and a few at the top that are recognised by their content, because a person's own
spec.yaml or blender.log has the same name. Nothing is changed here.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from blendgen.dataset.failures import is_failure_file
from blendgen.dataset.image_lists import LIST, is_image_list
from blendgen.dataset.images_card import MARK as CARD_MARK
from blendgen.dataset.label_registry import FOLDERS
from blendgen.dataset.layout import OBJECTS_NAME, PENDING_SUFFIX, PROBE_NAME, Layout
from blendgen.dataset.manifest import read_heads
from blendgen.dataset.pack_index import INDEX, loaded_index, rebuilt_index
from blendgen.dataset.pack_plan import CONTAINER_KEY, PackPlan
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.refined import refuse_refined
from blendgen.dataset.report_files import report_files
from blendgen.errors import DatasetError
from blendgen.files.disk import raise_if_passing, read_error
from blendgen.files.folder import Folder
from blendgen.files.names import path_fault
from blendgen.files.photos import IMAGE_ERRORS
from blendgen.scene.folder_names import folder_name, numbered

LOG_HEAD = b"What Blender printed while blendgen made this data set:\n"
SUBSET_KEY = "subset_of"  # of a dataset.json: what its images were chosen from
MIXTURE_KEY = "ratio"  # of that of a mixture, which is an image folder for training and not a data set
SHEET_MARK = b"contact sheet of blendgen"
MERGING_KEY = "merging"  # of a dataset.json until all shards are merged
UNFINISHED_MERGE = "its merge has not finished; run the same `blendgen merge` again"
NOT_MERGED = "contains shards that are not merged; run `blendgen merge -o` on it to make a data set of them"
_UNKNOWN_FILES = (
    "choose another folder, or delete this one yourself: force (--force) removes only the files of rows that "
    "this blendgen can read"
)
_MAX_LIST_BYTES = 256 * 2**20
# what systems, version control and copies of object stores leave in folders, and no trainer reads
HARMLESS = (
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    ".directory",
    ".gitkeep",
    ".gitignore",
    OBJECTS_NAME,
    PROBE_NAME,
)


def pending_names(layout: Layout) -> set[str]:
    """Files that killed runs have written, or were about to write."""
    names: set[str] = set()
    for path in layout.temporary.glob(f"*{PENDING_SUFFIX}"):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MAX_LIST_BYTES:
            continue
        lines = path.read_bytes().decode("utf-8", "replace").split("\n")
        names |= {line for line in lines if not path_fault(line) and _top(line) in FOLDERS}
    return names


def our_files(layout: Layout, known: dict[str, Any]) -> tuple[list[str], list[str]]:
    """(files of the data set, files of somebody else) in its folder, sorted.

    known: its dataset.json; {} if it does not have one of ours, and then no file at its top is ours
    raises: DatasetError for a line that is not a row
    """
    named = pending_names(layout)
    if known:
        plan = PackPlan.of_record(known)
        named.update(report_files(layout))
        for row in read_heads(layout.manifest, _UNKNOWN_FILES):
            named.update(row.file_names)
            if plan is not None:
                named.update(plan.files_of(row.split, row.index))
    inside = {layout.name(path) for path in (layout.images_card, layout.packs_card, *layout.image_lists)}
    ours: list[str] = []
    foreign: list[str] = []
    for name in sorted(Folder(layout.root).files()):
        if name == layout.lock.name or Path(name).name in HARMLESS:
            continue
        own = "/" not in name or name in inside
        own = own and bool(known) and is_ours(layout, known, name)
        (ours if own or name in named or is_temporary(layout, name) else foreign).append(name)
    return ours, foreign


def refuse_other_folder(layout: Layout, known: dict[str, Any]) -> None:
    """Raises DatasetError for a folder in which no image can be made.

    It is a subset or was refined, and would no longer be what its dataset.json says, or it has files of
    somebody else and not a dataset.json of ours (known is {} then).
    """
    refuse_refined(layout.root, known, "choose another folder")
    if SUBSET_KEY in known:
        raise DatasetError(
            f"{layout.root}: is a subset of another data set, and no images are made in it; choose another "
            "folder, or generate into the whole data set and choose from it again"
        )
    if MERGING_KEY in known:
        raise DatasetError(f"{layout.root}: {UNFINISHED_MERGE}")
    if not known and layout.shards.is_dir():
        raise DatasetError(f"{layout.root}: {NOT_MERGED}")
    foreign = [] if known else our_files(layout, {})[1]
    if foreign:
        raise DatasetError(
            f"{layout.root}: is not empty and does not contain a data set of blendgen (dataset.json is "
            f"missing or damaged); choose another folder. It contains:{listed(foreign)}"
        )


def is_temporary(layout: Layout, name: str) -> bool:
    """Whether it is one of our temporary files."""
    folder, _, rest = name.partition("/")
    if name in (layout.name(layout.run_status), layout.name(layout.suspects)):
        return True
    return folder == layout.temporary.name and rest.removesuffix(PENDING_SUFFIX).replace("-", "").isdecimal()


def is_ours(layout: Layout, known: dict[str, Any], name: str, spec_yaml: str | None = None) -> bool:
    """Whether we wrote a file that does not belong to an image; True if there is no file of that name.

    spec_yaml: the spec that is about to be written
    """
    path = layout.root / name
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
    except FileNotFoundError:
        return True
    if path == layout.spec:
        wanted = {known.get("spec_sha256")} | (
            {_sha256(spec_yaml.encode())} if spec_yaml is not None else set()
        )
        return _sha256(_bytes(path)) in wanted
    if path == layout.log:
        return _begins(path, LOG_HEAD)
    if path == layout.contact_sheet:
        return _begins(path, b"\xff\xd8") and SHEET_MARK in _start(path)
    if path in (layout.images_card, layout.packs_card):
        return _begins(path, CARD_MARK)
    if path == layout.failures:
        return is_failure_file(path)
    if path.name == LIST:
        return is_image_list(path)
    return path in (layout.manifest, layout.record)


def own_files(layout: Layout, record: Mapping[str, Any]) -> tuple[Path, ...]:
    """The files of a data set that do not belong to an image. record: its dataset.json"""
    return (*layout.own_files, *((layout.packs_card,) if CONTAINER_KEY in record else ()))


def foreign_packs(files: ImageFiles, in_use: Container[tuple[str, int]]) -> list[str]:
    """Files of somebody else in the places of packs; in_use: split and block of those with files of rows.

    A manifest may have lost its last rows: another pack that has images of its block is ours.
    """
    if files.plan is None:
        return []
    foreign = []
    for name in sorted(Folder(files.layout.root).files(files.layout.packs.name)):
        place = files.plan.named(name)
        if place is not None and place not in in_use and not _is_pack(files.layout, files.plan, *place):
            foreign.append(name)
    return foreign


def _is_pack(layout: Layout, plan: PackPlan, split: str, block: int) -> bool:
    """Whether a file in the place of a pack, or its index, has images of its block, and nothing else.

    raises: DiskUnavailable
    """
    images = plan.images_of(block)
    sources = (plan.index_file(split, block), loaded_index), (plan.pack(split, block), rebuilt_index)
    for name, read in sources:
        path = layout.root / name
        try:
            index = read(path)
        except (OSError, ValueError) as error:
            raise_if_passing(path, error)
            continue
        if len(index) and index[INDEX][0] in images and index[INDEX][-1] in images:
            return True
    return False


def overwritten_files(layout: Layout, known: dict[str, Any], indices: Container[int]) -> Iterator[str]:
    """Files of somebody else in the places of images, except images with these indices.

    A row may be torn or may have been removed by hand: a file without a row that looks exactly like one of
    this data set counts as its image, and is made again. So does what a machine without power or a bad disk
    left of one: nothing, zeros, or anything if other files of that image exist.
    """
    pending = pending_names(layout)
    for folder in FOLDERS:
        for name in Folder(layout.root).files(folder):
            stem = Path(name).stem
            if not stem.isdecimal() or int(stem) in indices or name in pending:
                continue
            if not (looks_like_image(layout, known, name) or _was_image(layout, known, name)):
                yield name


def _was_image(layout: Layout, known: dict[str, Any], name: str) -> bool:
    """Whether a file in the place of an image is empty or zeroed, or other files of that image exist."""
    if (layout.root / name).is_symlink() or not _is_place(name, known):
        return False
    folder, place = name.split("/", 1)
    siblings = [
        layout.name(path)
        for other in FOLDERS
        if other != folder
        for path in (layout.root / other / place).parent.glob(f"{Path(place).stem}.*")
    ]
    return _is_blank(layout.root / name) or any(looks_like_image(layout, known, one) for one in siblings)


def looks_like_image(layout: Layout, known: dict[str, Any], name: str) -> bool:
    """Whether a file without a row has the place and the size in pixels of an image of the data set."""
    path = layout.root / name
    if path.is_symlink() or not _is_place(name, known):
        return False
    if path.suffix == ".exr":
        return _begins(path, b"v/1\x01")
    try:
        with Image.open(path) as image:
            has_no_metadata = not set(image.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            return has_no_metadata and list(image.size) == list(known.get("resolution", ()))
    except IMAGE_ERRORS:
        return False


def _is_place(name: str, known: dict[str, Any]) -> bool:
    """Whether a file is where an image of a class is."""
    *folders, rest = name.split("/", 3)
    stem = Path(rest).stem
    if len(folders) != 3 or not (stem.isascii() and stem.isdecimal()):
        return False
    return rest.rpartition(".")[0] == numbered(int(stem)) and folders[2] in class_folders(known)


def class_folders(known: dict[str, Any]) -> set[str]:
    """The folders of the classes of a dataset.json, which a stranger may have written."""
    return {folder_name(label) for label in known.get("classes", ()) if isinstance(label, str)}


def listed(names: list[str], most: int = 8) -> str:
    """File names for a message, one per line."""
    more = f"\n  and {len(names) - most} more" if len(names) > most else ""
    return "".join(f"\n  {name}" for name in names[:most]) + more


def spec_sha256(spec_yaml: str) -> str:
    return _sha256(spec_yaml.encode())


def _is_blank(path: Path) -> bool:
    """Whether it is empty or begins with zeros, as files do that a file system had not written yet."""
    return not _start(path).strip(b"\0")


def _top(name: str) -> str:
    return name.partition("/")[0]


def _begins(path: Path, head: bytes) -> bool:
    return _start(path).startswith(head)


def _start(path: Path) -> bytes:
    return _bytes(path, 4096)


def _bytes(path: Path, count: int = -1) -> bytes:
    """The first bytes of a file, or all; raises DatasetError."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise read_error(path, error) from None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
