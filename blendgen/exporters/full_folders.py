"""Full folders: where the next file of a folder goes, so that no folder has more than 10,000 files.

In: folders, in the order of the files of an export. Out: nothing for the first 10,000 files of a folder, then
the sub-folder of a thousand. In contrast to a data set, files are counted, not numbered by their image: most
exports need no sub-folders, which some loaders misread.
"""

from __future__ import annotations

from collections import Counter

from blendgen.scene.folder_names import thousand


class FullFolders:
    """The folders of one export."""

    def __init__(self) -> None:
        self._files: Counter[str] = Counter()

    def next(self, folder: str) -> str:
        """The sub-folder of the next file, with "/", or nothing."""
        self._files[folder] += 1
        return thousand(self._files[folder] - 1)
