"""Class folders: the folder of each class in exports that name classes by folders.

In: the classes in the order of their numbers. Out: a folder for each, of the same name unless a loader would
misread it. Sorted by name, the folders are in the order of the classes, because loaders number them so.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from blendgen.exporters.destination import Destination
from blendgen.files.names import some_of
from blendgen.scene.folder_names import MARK, folder_name

LIST = "classes.txt"
_log = logging.getLogger(__name__)


def class_folders(classes: Sequence[str]) -> dict[str, str]:
    """Class -> name of its folder."""
    folders = [folder_name(label) for label in classes]
    if folders != sorted({*folders}):
        digits = len(str(len(folders)))
        folders = [f"{number:0{digits}d}{MARK}{folder}" for number, folder in enumerate(folders)]
    return dict(zip(classes, folders, strict=True))


def finish_class_folders(
    destination: Destination, folders: dict[str, str], splits_and_classes: Collection[tuple[str, str]]
) -> dict[str, dict[str, str]]:
    """Make the folders of all splits alike, so that loaders number classes alike in each of them.

    splits_and_classes: split and class of the images; classes without any image get no folder
    """
    there = {label for _, label in splits_and_classes}
    lacking = sorted(
        {(split, label) for split, _ in splits_and_classes for label in there} - {*splits_and_classes}
    )
    for split, label in lacking:
        destination.make_folder(f"{split}/{folders[label]}")
    if lacking:
        _log.warning(
            "%s: empty folders keep the numbers of classes alike in all splits; torchvision's ImageFolder "
            "accepts them with allow_empty=True",
            some_of([f"split {split} has no image of {label!r}" for split, label in lacking]),
        )
    if absent := [repr(label) for label in folders if label not in there]:
        _log.warning(
            "%s: no split has an image of this class, so loaders that number the folders number the classes "
            "after it differently than the data set does",
            some_of(absent),
        )
    return _write_class_list(
        destination, {label: folder for label, folder in folders.items() if label in there}
    )


def _write_class_list(destination: Destination, folders: dict[str, str]) -> dict[str, dict[str, str]]:
    """Where folders differ from their classes: write the list of classes, warn, and return the difference."""
    renamed = {label: folder for label, folder in folders.items() if label != folder}
    if not renamed:
        return {}
    destination.write_text(LIST, "".join(f"{label}\n" for label in folders))
    misread = [repr(label) for label in folders if folder_name(label) != label]
    why = "the classes are not in the order of their names"
    if misread:
        why = f"Hugging Face datasets would misread the folders of {some_of(misread)}"
    _log.warning(
        "%s, so %d folders have other names than their classes; %s lists the classes in the order of the "
        "folders",
        why, len(renamed), LIST,
    )  # fmt: skip
    return {"class_folders": renamed}
