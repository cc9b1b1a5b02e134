"""Photo folders: which folders of real photos are classes, and which are splits.

In: FOLDER/<class>/ or FOLDER/<split>/<class>/, and the classes of a data set. Out: files with class and
split. Names of splits are those that loaders use. What is neither is left out and reported; where a folder
may be a class or a split under another name, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from blendgen.errors import DatasetError
from blendgen.files.names import name_fault, nfc, printable, some_of
from blendgen.files.photos import PHOTO_SUFFIXES
from blendgen.models.product_names import folder_name
from blendgen.photos.folder import files_below, folders_in
from blendgen.scene.split_names import USUAL_SPLITS, usual_split


def photo_files(
    folder: Path, classes: Sequence[str], left_out: list[str]
) -> Iterator[tuple[Path, str, str | None]]:
    """Files with their class, and their split if there are split folders.

    left_out: a message is added for each place with photos that are in no class
    raises: DatasetError where it is not clear what a folder is
    """
    # also as systems write the names that they do not accept
    labels = {folder_name(label): label for label in classes} | {label: label for label in classes}
    tops, splits = _checked(folder, labels)
    _note_loose_photos(folder, left_out)
    if not splits:
        yield from _of_classes(tops, labels, None)
    for split in splits:
        _note_loose_photos(split, left_out)
        yield from _of_classes(folders_in(split), labels, usual_split(split.name))
    left_out += [
        f"{top}: is not a split, but next to splits; the files in it are left out"
        for top in tops
        if splits and top not in splits
    ]


def _of_classes(
    folders: list[Path], labels: dict[str, str], split: str | None
) -> Iterator[tuple[Path, str, str | None]]:
    for folder in folders:
        fault = name_fault(folder.name)
        if fault:
            raise DatasetError(f"{printable(str(folder))}: cannot be the name of a class: it {fault}")
        for path in files_below(folder):
            yield path, _label(folder.name, labels), split


def _checked(folder: Path, labels: dict[str, str]) -> tuple[list[Path], list[Path]]:
    """The folders in a folder, and those of splits; raises DatasetError where one of them is not clear."""
    tops = folders_in(folder)
    splits = [top for top in tops if _is_split(top, labels)]
    for top in tops:
        fault = None if top in splits else _fault(top, splits, labels)
        if fault:
            raise DatasetError(f"{top}: {fault}")
    return tops, splits


def _is_split(folder: Path, labels: dict[str, str]) -> bool:
    """Whether a folder is that of a split; one with the name of a class is, if it contains other folders."""
    is_usual = usual_split(folder.name) in USUAL_SPLITS
    return is_usual and (not _is_class(folder, labels) or bool(folders_in(folder)))


def _fault(folder: Path, splits: list[Path], labels: dict[str, str]) -> str | None:
    """Why it is not clear what a folder is, which is not that of a split; None if it is clear."""
    inside = folders_in(folder)
    if not _is_class(folder, labels):
        classes = [one.name for one in inside if _is_class(one, labels)]
        usual = f"{', '.join(USUAL_SPLITS[:-1])} or {USUAL_SPLITS[-1]}"
        what = f"contains classes ({some_of(classes)}), but is not called {usual}; rename or move it"
        return what if classes else None
    if splits:
        return (
            f"is a class next to splits ({some_of([one.name for one in splits])}); move it into one of them"
        )
    parts = [one.name for one in inside if usual_split(one.name) in USUAL_SPLITS]
    what = f"is a class that contains splits ({some_of(parts)}); put classes into splits instead"
    return what if parts else None


def _is_class(folder: Path, labels: dict[str, str]) -> bool:
    return _label(folder.name, labels) in labels


def _label(name: str, labels: dict[str, str]) -> str:
    """The class of a folder: some systems decompose the letters of names."""
    return labels.get(name) or labels.get(folder_name(name)) or nfc(name)


def _note_loose_photos(folder: Path, left_out: list[str]) -> None:
    loose = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in PHOTO_SUFFIXES)
    if loose:
        left_out.append(f"{folder}: in no class folder: {some_of(loose)}")
